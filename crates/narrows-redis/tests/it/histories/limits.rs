//! What Redis or the layer refuses is told, and takes no position.

use std::time::Duration;

use bytes::Bytes;
use narrows_core::{ChannelLayer, History, HistoryRange, LayerError, Position};
use narrows_redis::{Kind, PayloadFormat};
use rig::Redis;
use serde_json::json;

use super::{Keeper, LONG, keys_of};
use crate::nodes::{PATIENCE, fresh_group, on_both_layers, options, said};

on_both_layers! {
    a_memory_that_is_full,
    a_master_that_is_one_no_longer,
    a_message_that_is_too_large,
    an_id_that_is_too_long,
    a_payload_that_is_no_map,
    a_message_of_ten_mebibytes_is_kept,
    a_server_that_is_away,
    pages_of_large_messages_are_bounded,
    large_messages_behind_small_ones_are_not_all_loaded,
    messages_that_have_ended_cost_a_reader_little,
    who_reads_keeps_the_position,
}

async fn a_memory_that_is_full(kind: Kind) {
    let Some(redis) = Redis::start() else { return };
    let (node, group) = (Keeper::at(kind, &redis.url()), fresh_group());
    node.subscribe(&group).await;
    let first = node.publish(&group, 1).await;
    redis.cli(&["CONFIG", "SET", "maxmemory", "1"]);
    for _ in 0..3 {
        let error = node.try_publish(&group, 2).await.unwrap_err();
        assert!(matches!(error, LayerError::Refused(_)) && said(&error).contains("OOM"), "{}", said(&error));
    }
    let page = node.read(&group, HistoryRange::newest(10)).await;
    assert_eq!((page.top, page.messages.len()), (first, 1), "what is there can be read");
    redis.cli(&["CONFIG", "SET", "maxmemory", "0"]);
    let second = node.publish(&group, 3).await;
    assert_eq!(second, Position { offset: 2, ..first });
    assert_eq!(node.arrivals(2).await, [(1, Some(first)), (3, Some(second))]);
}

async fn a_master_that_is_one_no_longer(kind: Kind) {
    let (Some(redis), Some(other)) = (Redis::start(), Redis::start()) else { return };
    let (node, group) = (Keeper::at(kind, &redis.url()), fresh_group());
    node.publish(&group, 1).await;
    redis.cli(&["REPLICAOF", "127.0.0.1", &other.port().to_string()]);
    let error = node.try_publish(&group, 2).await.unwrap_err();
    assert!(matches!(error, LayerError::Unavailable(_)), "{error:?}");
}

async fn a_message_that_is_too_large(kind: Kind) {
    let Some(redis) = Redis::start() else { return };
    for format in [PayloadFormat::MsgPack, PayloadFormat::Json] {
        let limit = 1000;
        let options = || options(&redis.url()).max_message_bytes(limit).format(format);
        let (node, group) = (Keeper::new(kind, options()), fresh_group());
        node.subscribe(&group).await;
        let history = History::new(10, LONG);
        let of = |bytes: usize| json!({"type": "x", "number": 1, "text": "x".repeat(bytes)});
        let error = node.publish_as(&group, &of(limit - 50), history, None).await.unwrap_err();
        assert!(matches!(error, LayerError::TooLarge { limit: 1000, .. }), "{error:?}");
        // With all that stands around it, what is taken arrives.
        let fits = (0..limit).rev().step_by(7);
        let mut taken = None;
        for bytes in fits {
            if let Ok(position) = node.publish_as(&group, &of(bytes), history, None).await {
                taken = Some(position);
                break;
            }
        }
        if kind == Kind::PubSub {
            assert_eq!(node.arrivals(1).await, [(1, taken)]);
        }
        assert_eq!(node.read(&group, HistoryRange::newest(1)).await.messages.len(), 1);
        assert_eq!(taken.map(|at| at.offset), Some(1));
    }
}

async fn an_id_that_is_too_long(kind: Kind) {
    let Some(redis) = Redis::start() else { return };
    let (node, group) = (Keeper::at(kind, &redis.url()), fresh_group());
    let (message, history) = (json!({"type": "x"}), History::new(10, LONG));
    let error = node.publish_as(&group, &message, history, Some(&"x".repeat(129))).await.unwrap_err();
    assert!(matches!(error, LayerError::Refused(_)), "{error:?}");
    let longest = node.publish_as(&group, &message, history, Some(&"x".repeat(128))).await.unwrap();
    assert_eq!(longest.offset, 1);
}

async fn a_payload_that_is_no_map(kind: Kind) {
    let Some(redis) = Redis::start() else { return };
    let (node, group) = (Keeper::at(kind, &redis.url()), fresh_group());
    let history = History::new(10, LONG);
    let error =
        node.store.publish(&group, Bytes::from_static(b"\x92\x01\x02"), history, None).await.unwrap_err();
    assert!(matches!(error, LayerError::Refused(_)), "{error:?}");
    assert_eq!(node.publish(&group, 1).await.offset, 1);
}

async fn a_message_of_ten_mebibytes_is_kept(kind: Kind) {
    let Some(redis) = Redis::start() else { return };
    let patient = options(&redis.url()).answer_timeout(PATIENCE);
    let (node, group) = (Keeper::new(kind, patient), fresh_group());
    node.subscribe(&group).await;
    let message = json!({"type": "x", "number": 1, "text": "x".repeat(10 << 20)});
    let payload = node.layer.format().encode(&message).unwrap();
    let at = node.store.publish(&group, payload.clone(), History::new(10, LONG), None).await.unwrap();
    assert_eq!(node.arrivals(1).await, [(1, Some(at))]);
    let page = node.store.read(&group, HistoryRange::newest(10)).await.unwrap();
    assert_eq!(page.messages, [(1, payload)]);
}

async fn a_server_that_is_away(kind: Kind) {
    let Some(redis) = Redis::start() else { return };
    let (node, group) = (Keeper::at(kind, &redis.url()), fresh_group());
    node.publish(&group, 1).await;
    redis.kill();
    for error in [
        node.try_publish(&group, 2).await.unwrap_err(),
        node.try_read(&group, HistoryRange::newest(1)).await.unwrap_err(),
    ] {
        assert!(matches!(error, LayerError::Unavailable(_)), "{error:?}");
    }
}

async fn pages_of_large_messages_are_bounded(kind: Kind) {
    let Some(redis) = Redis::start() else { return };
    let (node, group) =
        (Keeper::new(kind, options(&redis.url()).answer_timeout(Duration::from_secs(5))), fresh_group());
    let text = "x".repeat(300 << 10);
    let mut top = Position { epoch: 0, offset: 0 };
    for number in 1..=20 {
        let message = json!({"type": "number", "number": number, "text": text});
        top = node.publish_as(&group, &message, History::new(20, LONG), None).await.unwrap();
    }
    let (mut at, mut pages) = (Position { offset: 0, ..top }, 0);
    while at != top {
        let page = node.read(&group, HistoryRange::after(at, 100)).await;
        let bytes: usize = page.messages.iter().map(|(_, payload)| payload.len()).sum();
        assert!(page.complete && bytes < 2 << 20, "{bytes} bytes");
        (at, pages) = (Position { offset: page.messages.last().unwrap().0, ..top }, pages + 1);
    }
    assert!(pages > 3);
    let newest = node.read(&group, HistoryRange::newest(100)).await;
    assert!(!newest.complete && newest.messages.last().unwrap().0 == 20);
}

async fn large_messages_behind_small_ones_are_not_all_loaded(kind: Kind) {
    let Some(redis) = Redis::start() else { return };
    let (node, group) = (Keeper::at(kind, &redis.url()), fresh_group());
    let text = "x".repeat(300 << 10);
    let first = node.publish(&group, 1).await;
    for number in 2..=60 {
        let message = json!({"type": "number", "number": number, "text": text});
        node.publish_as(&group, &message, History::new(100, LONG), None).await.unwrap();
    }
    for range in [HistoryRange::after(Position { offset: 0, ..first }, 100), HistoryRange::newest(100)] {
        let before = of_info(&redis, "memory", "used_memory_peak");
        assert!((2..8).contains(&node.read(&group, range).await.messages.len()));
        let more = of_info(&redis, "memory", "used_memory_peak") - before;
        assert!(more < 8 << 20, "{more} bytes for a page");
    }
}

async fn messages_that_have_ended_cost_a_reader_little(kind: Kind) {
    let Some(redis) = Redis::start() else { return };
    let (node, group) = (Keeper::at(kind, &redis.url()), fresh_group());
    let first = node.publish(&group, 1).await;
    // As if thousands had come before it, all of them too long ago.
    let (many, [position, stream]) = (5000, keys_of(kind, &group));
    redis.cli(&["DEL", &stream]);
    let mut connection = redis.connection();
    for number in 1..many {
        let id = format!("{number}-0");
        connection.push(&["XADD", &stream, &id, "t", "1", "m", "ended"]).unwrap();
        connection.next().unwrap();
    }
    let at = redis.cli(&["GET", &position]).replacen(" 1 ", &format!(" {} ", many - 1), 1);
    redis.cli(&["SET", &position, at.trim()]);
    assert_eq!(node.publish(&group, 2).await, Position { offset: many, ..first });
    let calls = of_info(&redis, "commandstats", "cmdstat_xrange");
    let page = node.read(&group, HistoryRange::after(Position { offset: 0, ..first }, 10)).await;
    let offsets: Vec<u64> = page.messages.iter().map(|(offset, _)| *offset).collect();
    assert_eq!((offsets, page.complete, page.top.offset), (vec![many], false, many));
    let calls = of_info(&redis, "commandstats", "cmdstat_xrange") - calls;
    assert!(calls < 20, "{calls} calls to find one message");
}

async fn who_reads_keeps_the_position(kind: Kind) {
    let Some(redis) = Redis::start() else { return };
    let (node, group) = (Keeper::at(kind, &redis.url()), fresh_group());
    node.publish(&group, 1).await;
    let [position, _] = keys_of(kind, &group);
    redis.cli(&["PEXPIRE", &position, "5000"]);
    node.read(&group, HistoryRange::newest(1)).await;
    let ends = redis.cli(&["PTTL", &position]).trim().parse::<u64>().unwrap();
    assert!(ends > 86_400_000 + LONG.as_millis() as u64 - 60_000, "{ends} ms");
}

/// A number that Redis tells of itself: behind a name, and behind `calls=` where there is that.
fn of_info(redis: &Redis, section: &str, name: &str) -> u64 {
    let info = redis.cli(&["INFO", section]);
    let line = info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let number = line.map(|line| line.trim().trim_start_matches("calls="));
    number.and_then(|line| line.split(',').next()?.parse().ok()).unwrap_or(0)
}
