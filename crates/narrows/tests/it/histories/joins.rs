use narrows::{Codec, Position};
use serde_json::{Value, json};

use super::kit::{Do, Text, all_said, joined, offer, offers, said, site, site_with, texts, welcomed};

#[tokio::test(start_paused = true)]
async fn a_client_that_comes_back_gets_what_it_missed_and_then_what_is_new() {
    let site = site();
    let mut client = site.speaking("a").await;
    let (start, recovered) = joined(&mut client).await;
    assert_eq!((start.offset, recovered), (0, Value::Null));
    site.say("a", 1..=2).await;
    all_said(&mut client, 1..=2).await;
    drop(client);
    site.say("a", 3..=5).await;
    let seen = Position { offset: 2, ..start };
    let mut client = site.back("a", seen).await;
    site.say("a", 6..=7).await;
    assert_eq!(joined(&mut client).await, (seen, json!(true)));
    all_said(&mut client, 3..=5).await;
    client.expect(&json!({"type": "brought", "at": seen, "left": null})).await;
    all_said(&mut client, 6..=7).await;
    client.expect_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn the_frames_are_those_of_the_protocol() {
    let site = site();
    site.say("a", 1..=1).await;
    let top = site.top("a").await;
    let mut client = site.speaking("a").await;
    let at = |offset| Position { offset, ..top }.to_string();
    assert_eq!(
        client.receive_text().await,
        format!(r#"{{"type":"narrows.joined","group":"room.a","at":"{}"}}"#, at(1))
    );
    site.say("a", 2..=2).await;
    assert_eq!(client.receive_text().await, format!(r#"{{"@":["room.a","{}"],"n":2,"type":"said"}}"#, at(2)));
    client.send(&Do::Leave).await;
    assert_eq!(client.receive_text().await, r#"{"type":"narrows.left","group":"room.a"}"#);
    site.say("a", 3..=3).await;
    client.expect_nothing().await;
    client.send(&Do::Join).await;
    assert_eq!(joined(&mut client).await, (Position { offset: 3, ..top }, Value::Null));
}

#[tokio::test(start_paused = true)]
async fn a_client_without_the_protocol_gets_the_messages_as_they_are() {
    let site = site();
    let mut client = site.server.connect("/ws/a").await;
    site.say("a", 1..=2).await;
    for n in 1..=2 {
        assert_eq!(client.receive_text().await, format!(r#"{{"n":{n},"type":"said"}}"#));
    }
}

#[tokio::test(start_paused = true)]
async fn both_kinds_of_clients_in_one_room_get_each_its_own() {
    let site = site_with(|route| route.codec(Codec::MsgPack));
    let mut plain = site.server.connect_request("/ws/a").codec(Codec::MsgPack).connect().await;
    let mut speaking = welcomed(site.request("a").codec(Codec::MsgPack)).await;
    joined(&mut speaking).await;
    site.say("a", 1..=1).await;
    plain.expect(&json!({"type": "said", "n": 1})).await;
    all_said(&mut speaking, 1..=1).await;
}

#[tokio::test(start_paused = true)]
async fn who_comes_back_too_late_is_told_so_and_goes_on_with_what_is_new() {
    let site = site();
    site.say("small", 1..=20).await;
    let top = site.top("small").await;
    let positions = [
        ("too old", Position { offset: 3, ..top }),
        ("ahead", Position { offset: 30, ..top }),
        ("of another epoch", Position { epoch: !top.epoch, ..top }),
    ];
    for (n, (what, at)) in (21..).zip(positions) {
        let mut client = site.back("small", at).await;
        assert_eq!(joined(&mut client).await, (site.top("small").await, json!(false)), "{what}");
        client.expect(&json!({"type": "brought", "at": at, "left": null})).await;
        client.expect(&json!({"type": "unrecovered", "group": "room.small"})).await;
        site.say("small", n..=n).await;
        all_said(&mut client, n..=n).await;
    }
    let mut client = site.back("small", Position { offset: 17, ..top }).await;
    assert_eq!(joined(&mut client).await.1, json!(false), "17 is the last that is not enough");
    let mut client = site.back("small", Position { offset: 18, ..top }).await;
    assert_eq!(joined(&mut client).await.1, json!(true));
    all_said(&mut client, 19..=23).await;
}

#[tokio::test(start_paused = true)]
async fn who_missed_nothing_costs_no_read() {
    let site = site();
    let mut first = site.speaking("a").await;
    joined(&mut first).await;
    site.say("a", 1..=3).await;
    all_said(&mut first, 1..=3).await;
    let (top, reads) = (site.top("a").await, site.faults.counts().reads);
    for _ in 0..5 {
        let mut client = site.back("a", top).await;
        assert_eq!(joined(&mut client).await, (top, json!(true)));
        assert_eq!(client.receive::<Value>().await["type"], "brought");
        let mut fresh = site.speaking("a").await;
        assert_eq!(joined(&mut fresh).await, (top, Value::Null));
    }
    assert_eq!(site.faults.counts().reads, reads);
}

#[tokio::test(start_paused = true)]
async fn what_was_missed_comes_before_what_came_while_it_was_read() {
    let site = site();
    site.say("a", 1..=4).await;
    let top = site.top("a").await;
    site.faults.delay_reads(std::time::Duration::from_secs(2));
    let request = site.request("a").subprotocol(&offer("a", Position { offset: 1, ..top }));
    let connecting = tokio::spawn(async move { welcomed(request).await });
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    site.say("a", 5..=7).await;
    site.other
        .broadcast(&super::kit::room("a").without_history(), &super::kit::Said { n: 99 })
        .await
        .unwrap();
    site.say("a", 8..=8).await;
    let mut client = connecting.await.unwrap();
    assert_eq!(joined(&mut client).await.1, json!(true));
    all_said(&mut client, 2..=7).await;
    client.expect(&json!({"type": "said", "n": 99})).await;
    all_said(&mut client, 8..=8).await;
    client.expect(&json!({"type": "brought", "at": Position { offset: 1, ..top }, "left": null})).await;
    site.say("a", 9..=9).await;
    all_said(&mut client, 9..=9).await;
}

#[tokio::test(start_paused = true)]
async fn more_than_half_of_what_may_wait_is_lost_and_not_sent_in_part() {
    let small = narrows::Capacity::default().max_messages(20);
    let site = site_with(|route| route.outbox(small));
    site.say("a", 1..=30).await;
    let top = site.top("a").await;
    let mut client = site.back("a", Position { offset: 19, ..top }).await;
    assert_eq!(joined(&mut client).await, (top, json!(false)));
    let mut client = site.back("a", Position { offset: 20, ..top }).await;
    assert_eq!(joined(&mut client).await.1, json!(true));
    all_said(&mut client, 21..=30).await;
}

#[tokio::test(start_paused = true)]
async fn a_consumer_joins_from_a_position_of_its_own() {
    let site = site();
    site.say("none", 1..=6).await;
    let top = site.top("none").await;
    let mut client = site.speaking("none").await;
    client.send(&Do::From { at: Position { offset: 4, ..top } }).await;
    assert_eq!(joined(&mut client).await, (Position { offset: 4, ..top }, json!(true)));
    all_said(&mut client, 5..=6).await;
    client.expect(&json!({"type": "recovery", "recovery": 2})).await;
    client.send(&Do::From { at: top }).await;
    client.expect(&json!({"type": "recovery", "recovery": "New"})).await;
    client.send(&Do::Leave).await;
    client.expect(&json!({"type": "narrows.left", "group": "room.none"})).await;
    client.send(&Do::From { at: Position { epoch: !top.epoch, ..top } }).await;
    assert_eq!(joined(&mut client).await, (top, json!(false)));
    client.expect(&json!({"type": "recovery", "recovery": "Lost"})).await;
    site.say("none", 7..=7).await;
    all_said(&mut client, 7..=7).await;
}

#[tokio::test(start_paused = true)]
async fn a_join_fails_while_the_history_cannot_be_read_and_leaves_nothing_behind() {
    let site = site();
    site.faults.refuse_reads(1);
    let mut client = site.server.connect("/ws/none").await;
    client.send(&Do::Join).await;
    client.expect_close(1011).await;
    site.say("none", 1..=1).await;
    assert_eq!(site.channels.stats().delivered, 0);
    let mut client = site.server.connect("/ws/none").await;
    client.send(&Do::Join).await;
    client.ping("joined").await;
    site.say("none", 2..=2).await;
    client.expect(&json!({"type": "said", "n": 2})).await;
}

#[tokio::test(start_paused = true)]
async fn a_join_that_is_dropped_on_the_way_leaves_nothing_behind() {
    let site = site();
    site.faults.delay_reads(std::time::Duration::from_secs(3600));
    let mut client = site.speaking("none").await;
    client.send(&Do::Join).await;
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    drop(client);
    tokio::time::sleep(std::time::Duration::from_secs(60)).await;
    site.say("none", 1..=3).await;
    assert_eq!(site.faults.counts().delivered, 0, "nobody is subscribed any more");
    site.faults.delay_reads(std::time::Duration::ZERO);
    let mut client = site.speaking("none").await;
    client.send(&Do::Join).await;
    assert_eq!(joined(&mut client).await.0.offset, 3);
}

#[tokio::test(start_paused = true)]
async fn what_a_client_sends_again_counts_once() {
    let site = site();
    let request = || site.request("a").subprotocol("narrows.client.AAAAAAAAAAAAAAAAAAAAAA");
    let mut client = welcomed(request()).await;
    joined(&mut client).await;
    client.send(&json!({"type": "once", "n": 1, "ref": 7})).await;
    assert_eq!(client.receive::<Value>().await["type"], "sent");
    assert_eq!(client.receive::<Value>().await["type"], "narrows.reply");
    assert_eq!(said(&mut client, 1).await, 1);
    let mut again = welcomed(request()).await;
    joined(&mut again).await;
    again.send(&json!({"type": "once", "n": 1, "ref": 7})).await;
    let sent: Value = again.receive().await;
    assert_eq!(
        (&sent["type"], sent["at"].as_str()),
        (&json!("sent"), Some(&*site.top("a").await.to_string()))
    );
    client.expect_nothing().await;
    assert_eq!(site.top("a").await.offset, 1);
}

#[tokio::test(start_paused = true)]
async fn what_several_joins_replay_fits_into_the_outbox_together() {
    let site = site_with(|route| route.outbox(narrows::Capacity::default().max_messages(20)));
    site.say("two-a", 1..=10).await;
    site.say("two-b", 1..=10).await;
    let (a, b) = (site.top("two-a").await, site.top("two-b").await);
    let start = |top| Position { offset: 0, ..top };
    let positions = [("two-a", start(a)), ("two-b", start(b))];
    let mut client = welcomed(site.request("two").subprotocol(&offers(&positions))).await;
    assert_eq!(joined(&mut client).await, (start(a), json!(true)));
    all_said(&mut client, 1..=10).await;
    assert_eq!(joined(&mut client).await, (b, json!(false)));
    client.expect(&json!({"type": "unrecovered", "group": "room.two-b"})).await;
    site.say("two-b", 11..=11).await;
    all_said(&mut client, 11..=11).await;
}

#[tokio::test(start_paused = true)]
async fn what_a_join_replays_is_bounded_as_it_is_written_and_not_as_it_is_kept() {
    let small = narrows::Capacity::default().max_bytes(8000);
    let site = site_with(|route| route.outbox(small));
    // A character that takes six bytes in JSON, and one in what is kept.
    let text = "\u{1}".repeat(500);
    for _ in 0..3 {
        site.other.broadcast(&texts("texts"), &Text { text: text.clone() }).await.unwrap();
    }
    let top = site.top("texts").await;
    let mut client = site.back("texts", Position { offset: 0, ..top }).await;
    assert_eq!(joined(&mut client).await, (top, json!(false)));
    client.expect(&json!({"type": "unrecovered", "group": "room.texts"})).await;
    let mut client = site.back("texts", Position { offset: 2, ..top }).await;
    assert_eq!(joined(&mut client).await.1, json!(true));
    assert_eq!(client.receive::<Value>().await["text"], json!(text));
}

#[tokio::test(start_paused = true)]
async fn a_join_that_failed_goes_on_from_the_same_position_when_it_is_tried_again() {
    let site = site();
    site.say("none", 1..=4).await;
    let seen = Position { offset: 2, ..site.top("none").await };
    let mut client = site.back("none", seen).await;
    site.faults.refuse_reads(1);
    client.send(&Do::Try).await;
    client.expect(&json!({"type": "tried", "joined": false})).await;
    client.send(&Do::Try).await;
    assert_eq!(joined(&mut client).await, (seen, json!(true)));
    all_said(&mut client, 3..=4).await;
    client.expect(&json!({"type": "tried", "joined": true})).await;
}

#[tokio::test(start_paused = true)]
async fn a_join_from_a_position_of_the_consumers_own_does_away_with_the_clients() {
    let site = site();
    site.say("none", 1..=4).await;
    let top = site.top("none").await;
    let at = |offset| Position { offset, ..top };
    let mut client = site.back("none", at(2)).await;
    client.send(&Do::From { at: at(3) }).await;
    assert_eq!(joined(&mut client).await, (at(3), json!(true)));
    all_said(&mut client, 4..=4).await;
    client.expect(&json!({"type": "recovery", "recovery": 1})).await;
    client.send(&Do::Leave).await;
    client.expect(&json!({"type": "narrows.left", "group": "room.none"})).await;
    client.send(&Do::Join).await;
    assert_eq!(joined(&mut client).await, (at(4), Value::Null));
    client.ping("nothing twice").await;
    client.expect_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn the_highest_position_there_can_be_is_ahead_like_any_other() {
    let site = site();
    site.say("a", 1..=3).await;
    let top = site.top("a").await;
    let mut client = site.back("a", Position { offset: u64::MAX, ..top }).await;
    assert_eq!(joined(&mut client).await, (top, json!(false)));
}
