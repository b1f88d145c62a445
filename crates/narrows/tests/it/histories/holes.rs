use std::time::Duration;

use narrows::testing::TestClient;
use narrows::{Capacity, Gap, Overflow, Position};
use serde_json::{Value, json};

use super::kit::{Do, Said, Site, all_said, joined, room, said, site, site_with};

/// A client in the room, and where the room stood then.
async fn member(site: &Site, name: &str) -> (TestClient, Position) {
    let mut client = site.speaking(name).await;
    let (at, _) = joined(&mut client).await;
    (client, at)
}

#[tokio::test(start_paused = true)]
async fn a_lost_message_is_found_missing_and_comes_in_its_place() {
    let site = site();
    let (mut client, _) = member(&site, "a").await;
    let mut plain = site.server.connect("/ws/a").await;
    let mut listener = site.server.connect("/ws/none").await;
    listener.send(&Do::Listen).await;
    listener.expect(&json!({"type": "listening"})).await;
    site.faults.drop_if(|_, payload| [2, 3, 6].iter().any(|n| payload.ends_with(&[*n])));
    site.say("a", 1..=8).await;
    all_said(&mut client, 1..=8).await;
    for n in 1..=8 {
        plain.expect(&json!({"type": "said", "n": n})).await;
    }
    site.say("none", 1..=4).await;
    for n in 1..=4 {
        listener.expect(&json!({"type": "heard", "n": n})).await;
    }
    assert_eq!((site.faults.counts().dropped, site.channels.stats().unrecovered), (5, 0));
    assert!(site.channels.stats().refilled >= 5);
}

#[tokio::test(start_paused = true)]
async fn messages_that_come_the_wrong_way_round_or_twice_come_once_and_in_order() {
    let site = site();
    let (mut client, _) = member(&site, "a").await;
    site.faults.swap_at_random(0.4);
    site.faults.drop_at_random(0.2);
    site.say("a", 1..=200).await;
    site.faults.heal();
    site.say("a", 201..=201).await;
    all_said(&mut client, 1..=201).await;
    client.expect_nothing().await;
    assert!(site.faults.counts().swapped > 10 && site.faults.counts().dropped > 10);
}

#[tokio::test(start_paused = true)]
async fn messages_that_come_late_are_not_taken_for_lost_ones() {
    let site = site();
    let (mut client, _) = member(&site, "a").await;
    site.faults.delay(Duration::from_secs(5));
    site.say("a", 1..=20).await;
    let reads = site.faults.counts().reads;
    all_said(&mut client, 1..=20).await;
    assert_eq!(site.faults.counts().reads, reads);
}

#[tokio::test(start_paused = true)]
async fn a_hole_of_many_pages_is_filled() {
    let site = site();
    let (mut client, _) = member(&site, "a").await;
    site.faults.drop_next(900);
    site.say("a", 1..=902).await;
    all_said(&mut client, 1..=902).await;
    assert_eq!(site.channels.stats().refilled, 900);
}

#[tokio::test(start_paused = true)]
async fn plain_messages_keep_their_places_while_a_hole_is_filled() {
    let site = site();
    let (mut client, _) = member(&site, "a").await;
    let plain = async |n| site.other.broadcast(&room("a").without_history(), &Said { n }).await.unwrap();
    site.say("a", 1..=1).await;
    plain(91).await;
    site.faults.drop_next(1);
    site.say("a", 2..=3).await;
    plain(92).await;
    site.say("a", 4..=4).await;
    all_said(&mut client, 1..=1).await;
    client.expect(&json!({"type": "said", "n": 91})).await;
    all_said(&mut client, 2..=3).await;
    client.expect(&json!({"type": "said", "n": 92})).await;
    all_said(&mut client, 4..=4).await;
}

#[tokio::test(start_paused = true)]
async fn what_is_kept_no_longer_is_said_and_the_rest_comes() {
    let site = site();
    let (mut client, start) = member(&site, "small").await;
    let mut plain = site.server.connect("/ws/small").await;
    let mut listener = site.server.connect("/ws/none").await;
    listener.send(&Do::Listen).await;
    listener.expect(&json!({"type": "listening"})).await;
    site.faults.drop_next(9);
    site.say("small", 1..=10).await;
    let at = Position { offset: 5, ..start };
    client.expect(&json!({"type": "narrows.lost", "group": "room.small", "at": at})).await;
    // The hook runs when its session does: the messages that are there go first.
    all_said(&mut client, 6..=10).await;
    client.expect(&json!({"type": "unrecovered", "group": "room.small"})).await;
    for n in 6..=10 {
        plain.expect(&json!({"type": "said", "n": n})).await;
    }
    plain.expect(&json!({"type": "unrecovered", "group": "room.small"})).await;
    site.say("small", 11..=11).await;
    all_said(&mut client, 11..=11).await;
    assert_eq!(site.channels.stats().unrecovered, 1);
}

#[tokio::test(start_paused = true)]
async fn a_listener_that_asked_is_told_what_is_kept_no_longer() {
    let site = site();
    let mut listener = site.server.connect("/ws/small").await;
    listener.send(&Do::Leave).await;
    listener.send(&Do::Listen).await;
    listener.expect(&json!({"type": "listening"})).await;
    site.faults.drop_next(9);
    site.say("small", 1..=10).await;
    listener.expect(&json!({"type": "gap", "gap": format!("{:?}", Gap::Lost)})).await;
    for n in 6..=10 {
        listener.expect(&json!({"type": "heard", "n": n})).await;
    }
}

#[tokio::test(start_paused = true)]
async fn after_a_reconnect_what_was_missed_comes_without_another_message() {
    let site = site();
    let mut clients = Vec::new();
    for n in 0..100 {
        clients.push(member(&site, &format!("r{n}")).await.0);
    }
    let (mut lost, start) = member(&site, "small").await;
    let reads = site.faults.counts().reads;
    site.faults.disconnect();
    for n in 0..100 {
        site.say(&format!("r{n}"), 1..=n % 3).await;
    }
    site.say("small", 1..=8).await;
    site.faults.reconnect();
    for (client, n) in clients.iter_mut().zip(0..) {
        all_said(client, 1..=n % 3).await;
    }
    let at = Position { offset: 3, ..start };
    lost.expect(&json!({"type": "narrows.lost", "group": "room.small", "at": at})).await;
    all_said(&mut lost, 4..=8).await;
    assert_eq!(site.faults.counts().reads - reads, 101, "one read a room");
}

#[tokio::test(start_paused = true)]
async fn several_gaps_at_once_are_looked_into_once() {
    let site = site();
    let (mut client, _) = member(&site, "a").await;
    site.faults.delay_reads(Duration::from_secs(1));
    let reads = site.faults.counts().reads;
    site.faults.drop_next(2);
    site.say("a", 1..=2).await;
    for _ in 0..20 {
        site.faults.gap(None, Gap::Overflow);
        site.faults.gap(Some(&room("a").topic()), Gap::Overflow);
    }
    all_said(&mut client, 1..=2).await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(site.faults.counts().reads - reads, 1);
}

#[tokio::test(start_paused = true)]
async fn a_history_that_is_away_is_asked_again_and_what_waits_stays_in_order() {
    let site = site();
    let (mut client, _) = member(&site, "a").await;
    site.faults.refuse_reads(6);
    site.faults.drop_next(1);
    site.say("a", 1..=5).await;
    client.expect_nothing().await;
    all_said(&mut client, 1..=5).await;
    assert_eq!(site.channels.stats().unrecovered, 0);
}

#[tokio::test(start_paused = true)]
async fn a_history_that_stays_away_holds_nothing_up_forever() {
    let site = site();
    let (mut client, start) = member(&site, "a").await;
    site.faults.refuse_reads(usize::MAX);
    site.faults.drop_next(3);
    site.say("a", 1..=5).await;
    let before = tokio::time::Instant::now();
    let at = Position { offset: 3, ..start };
    client.expect(&json!({"type": "narrows.lost", "group": "room.a", "at": at})).await;
    assert!((30..40).contains(&before.elapsed().as_secs()));
    all_said(&mut client, 4..=5).await;
    client.expect(&json!({"type": "unrecovered", "group": "room.a"})).await;
    site.say("a", 6..=6).await;
    all_said(&mut client, 6..=6).await;
}

#[tokio::test(start_paused = true)]
async fn what_waits_behind_a_hole_is_bounded() {
    let site = site();
    let (mut client, start) = member(&site, "a").await;
    site.faults.refuse_reads(usize::MAX);
    site.faults.drop_next(1);
    let before = tokio::time::Instant::now();
    site.say("a", 1..=4098).await;
    let at = Position { offset: 1, ..start };
    client.expect(&json!({"type": "narrows.lost", "group": "room.a", "at": at})).await;
    all_said(&mut client, 2..=4098).await;
    assert!(before.elapsed().as_secs() < 20, "not only when the time is over");
}

#[tokio::test(start_paused = true)]
async fn nobody_reads_for_members_who_left() {
    let site = site();
    let (client, _) = member(&site, "a").await;
    site.faults.refuse_reads(usize::MAX);
    site.faults.drop_next(1);
    site.say("a", 1..=2).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    drop(client);
    tokio::time::sleep(Duration::from_secs(5)).await;
    let reads = site.faults.counts().reads;
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(site.faults.counts().reads, reads);
    site.faults.heal();
    site.faults.refuse_reads(0);
    let (mut client, at) = member(&site, "a").await;
    assert_eq!(at.offset, 2);
    site.say("a", 3..=3).await;
    assert_eq!(said(&mut client, 3).await, 3);
}

#[tokio::test(start_paused = true)]
async fn who_joins_while_a_hole_is_filled_gets_each_message_once() {
    let site = site();
    let (mut first, start) = member(&site, "a").await;
    site.say("a", 1..=2).await;
    site.faults.drop_next(1);
    site.say("a", 3..=4).await;
    site.faults.delay_reads(Duration::from_secs(1));
    let mut second = site.back("a", Position { offset: 1, ..start }).await;
    assert_eq!(joined(&mut second).await.1, json!(true));
    all_said(&mut second, 2..=4).await;
    assert_eq!(second.receive::<Value>().await["type"], "brought");
    site.say("a", 5..=5).await;
    all_said(&mut first, 1..=5).await;
    all_said(&mut second, 5..=5).await;
    second.expect_nothing().await;
}

/// What comes up to the next notice of a loss.
async fn up_to_a_loss(client: &mut TestClient) -> Value {
    loop {
        let frame: Value = client.receive().await;
        if frame["type"] == "narrows.lost" {
            return frame;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_full_shard_turned_away_is_said_at_once_and_also_where_somebody_joins() {
    let site = site_with(|route| route.outbox(Capacity::default().overflow(Overflow::DropOldest)));
    let (mut client, start) = member(&site, "a").await;
    // More than a shard's mailbox takes, without a pause in which it could be emptied.
    site.say("a", 1..=66_000).await;
    let lost =
        |offset| json!({"type": "narrows.lost", "group": "room.a", "at": Position { offset, ..start }});
    assert_eq!(up_to_a_loss(&mut client).await, lost(66_000));
    client.expect(&json!({"type": "unrecovered", "group": "room.a"})).await;
    site.say("a", 66_001..=140_000).await;
    let (mut second, at) = member(&site, "a").await;
    assert_eq!(at.offset, 140_000);
    assert_eq!(up_to_a_loss(&mut client).await, lost(140_000));
    client.expect(&json!({"type": "unrecovered", "group": "room.a"})).await;
    site.say("a", 140_001..=140_001).await;
    all_said(&mut client, 140_001..=140_001).await;
    all_said(&mut second, 140_001..=140_001).await;
    assert_eq!(site.channels.stats().unrecovered, 2);
}

#[tokio::test(start_paused = true)]
async fn a_history_is_asked_until_it_answers_where_nothing_waits_for_it() {
    let site = site();
    let (mut client, _) = member(&site, "a").await;
    site.faults.disconnect();
    site.say("a", 1..=2).await;
    site.faults.refuse_reads(usize::MAX);
    site.faults.reconnect();
    tokio::time::sleep(Duration::from_secs(40)).await;
    client.expect_nothing().await;
    site.faults.refuse_reads(0);
    all_said(&mut client, 1..=2).await;
    assert_eq!(site.channels.stats().unrecovered, 0);
}

#[tokio::test(start_paused = true)]
async fn a_silent_history_holds_many_rooms_up_no_longer_than_one() {
    let site = site();
    let mut clients = Vec::new();
    for n in 0..200 {
        clients.push(member(&site, &format!("r{n}")).await);
    }
    site.faults.delay_reads(Duration::from_secs(3600));
    let before = tokio::time::Instant::now();
    for n in 0..200 {
        site.faults.drop_next(1);
        site.say(&format!("r{n}"), 1..=2).await;
    }
    for (n, (client, start)) in clients.iter_mut().enumerate() {
        let at = Position { offset: 1, ..*start };
        client.expect(&json!({"type": "narrows.lost", "group": format!("room.r{n}"), "at": at})).await;
        all_said(client, 2..=2).await;
    }
    assert!((30..45).contains(&before.elapsed().as_secs()), "{:?}", before.elapsed());
}
