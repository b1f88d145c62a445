//! What somebody else puts under the keys of a history costs that group what it must, and nobody else anything.

use narrows_core::{HistoryRange, LayerError, Position, Skipped};
use narrows_redis::Kind;
use rig::Redis;

use super::{Keeper, keys_of};
use crate::nodes::{fresh_group, on_both_layers, options, said};

on_both_layers! {
    entries_that_are_none_of_ours_are_passed_over,
    an_entry_with_a_higher_number_costs_what_was_kept_and_no_more,
    a_position_that_is_none_begins_anew,
    a_key_of_another_type_is_told_and_concerns_this_group_alone,
    messages_that_no_key_opens_are_missing,
    a_stream_without_a_position_is_not_read,
    junk_among_the_members_stops_no_message,
}

async fn entries_that_are_none_of_ours_are_passed_over(kind: Kind) {
    let Some(redis) = Redis::start() else { return };
    let (node, group) = (Keeper::at(kind, &redis.url()), fresh_group());
    let [_, stream] = keys_of(kind, &group);
    let mut top = Position { epoch: 0, offset: 0 };
    for number in 1..=5 {
        top = node.publish(&group, number).await;
        for seq in 1..=3 {
            redis.cli(&["XADD", &stream, &format!("{number}-{seq}"), "t", "junk", "m", "junk"]);
        }
        redis.cli(&["XADD", &stream, &format!("{number}-9"), "a", "b"]);
    }
    assert_eq!(node.kept(&group).await, (1..=5).map(|n| (n, n)).collect::<Vec<_>>());
    let page = node.read(&group, HistoryRange::after(Position { offset: 2, ..top }, 2)).await;
    assert!(page.complete && page.messages.len() == 2, "{page:?}");
}

async fn an_entry_with_a_higher_number_costs_what_was_kept_and_no_more(kind: Kind) {
    let Some(redis) = Redis::start() else { return };
    let (node, group) = (Keeper::at(kind, &redis.url()), fresh_group());
    let first = node.publish(&group, 1).await;
    redis.cli(&["XADD", &keys_of(kind, &group)[1], "*", "t", "1", "m", "junk"]);
    assert_eq!(node.kept(&group).await, [(1, 1)]);
    let second = node.publish(&group, 2).await;
    assert_eq!(second, Position { offset: 2, ..first });
    assert_eq!(node.kept(&group).await, [(2, 2)]);
    let before_all = Position { offset: 0, ..first };
    assert!(!node.read(&group, HistoryRange::after(before_all, 10)).await.complete);
    assert!(node.read(&group, HistoryRange::after(first, 10)).await.complete);
}

async fn a_position_that_is_none_begins_anew(kind: Kind) {
    let Some(redis) = Redis::start() else { return };
    let node = Keeper::at(kind, &redis.url());
    let junk: [&[u8]; 6] = [
        b"",
        b"junk",
        b"\xff\0",
        b"0123456789abcdef 99999999999999999999 1 1 1 x",
        b"0123 5 1 1 1 x",
        b"0123456789abcdef 5 1 1 1",
    ];
    for junk in junk {
        let group = fresh_group();
        let before = node.publish(&group, 1).await;
        redis.cli(&[b"SET", keys_of(kind, &group)[0].as_bytes(), junk]);
        let after = node.publish(&group, 2).await;
        assert_eq!((after.offset, after.epoch == before.epoch), (1, false), "{junk:?}");
        assert_eq!(node.kept(&group).await, [(1, 2)]);
    }
}

async fn a_key_of_another_type_is_told_and_concerns_this_group_alone(kind: Kind) {
    let Some(redis) = Redis::start() else { return };
    let (node, other) = (Keeper::at(kind, &redis.url()), fresh_group());
    for key in 0..2 {
        let group = fresh_group();
        node.subscribe(&group).await;
        let first = node.publish(&group, 1).await;
        redis.cli(&["DEL", &keys_of(kind, &group)[key]]);
        redis.cli(&["SADD", &keys_of(kind, &group)[key], "junk"]);
        for _ in 0..2 {
            let error = node.try_publish(&group, 1).await.unwrap_err();
            assert!(matches!(error, LayerError::Refused(_)), "{error:?}");
            assert!(
                said(&error).contains("Operation against a key holding the wrong kind of value"),
                "{}",
                said(&error)
            );
        }
        let error = node.try_read(&group, HistoryRange::newest(1)).await.unwrap_err();
        assert!(matches!(error, LayerError::Refused(_)), "{error:?}");
        node.publish(&other, 1).await;
        redis.cli(&["DEL", &keys_of(kind, &group)[key]]);
        let position = node.publish(&group, 2).await;
        // Nothing was given a position in vain; and without the key of positions they begin anew.
        let expected =
            if key == 0 { Position { offset: 1, ..position } } else { Position { offset: 2, ..first } };
        assert_eq!(position, expected);
    }
}

async fn messages_that_no_key_opens_are_missing(kind: Kind) {
    let Some(redis) = Redis::start() else { return };
    let with = |key: &str| Keeper::new(kind, options(&redis.url()).symmetric_encryption_keys([key]));
    let ([one, other], group) = ([with("one"), with("other")], fresh_group());
    let first = one.publish(&group, 1).await;
    let second = other.publish(&group, 2).await;
    let page = one.read(&group, HistoryRange::after(Position { offset: 0, ..first }, 10)).await;
    assert_eq!((page.complete, page.messages.len(), page.top), (false, 1, second));
    assert_eq!(one.kept(&group).await, [(1, 1)]);
    assert!(one.skipped().iter().all(|why| *why == Skipped::Undecryptable) && !one.skipped().is_empty());
}

async fn a_stream_without_a_position_is_not_read(kind: Kind) {
    let Some(redis) = Redis::start() else { return };
    let (node, group) = (Keeper::at(kind, &redis.url()), fresh_group());
    node.publish(&group, 1).await;
    redis.cli(&["DEL", &keys_of(kind, &group)[0]]);
    assert_eq!(node.kept(&group).await, []);
    let position = node.publish(&group, 2).await;
    assert_eq!((position.offset, node.kept(&group).await), (1, vec![(1, 2)]));
}

async fn junk_among_the_members_stops_no_message(kind: Kind) {
    let Some(redis) = Redis::start() else { return };
    let (node, group) = (Keeper::at(kind, &redis.url()), fresh_group());
    node.subscribe(&group).await;
    for member in [&b"narrows."[..], b"narrows.\xff!", b"narrows. !g0", b"narrows.zz!\n", b"", b"\0"] {
        redis.cli(&[b"ZADD", format!("asgi:group:{}", group.name()).as_bytes(), b"9999999999", member]);
    }
    let position = node.publish(&group, 1).await;
    assert_eq!(node.arrivals(1).await, [(1, Some(position))]);
}
