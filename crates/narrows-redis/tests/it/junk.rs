//! What cannot be used is counted, and logged once for its cause; and an outage is no flood in the log either.

use std::collections::HashMap;
use std::time::Duration;

use narrows_core::{Skipped, Topic};
use narrows_redis::{Kind, RedisOptions};
use rig::Redis;
use serde::Serialize;

use crate::logs;
use crate::nodes::{Node, fresh_group, on_both_layers, options};

on_both_layers! {
    ten_thousand_malformed_messages,
    messages_that_no_key_opens,
    messages_that_are_too_large,
    an_outage,
}

async fn ten_thousand_malformed_messages(kind: Kind) {
    let Some(redis) = Redis::start() else { return };
    skips(kind, &redis, options(&redis.url()), Skipped::Malformed, 10_000, b"nonsense, and no map at all")
        .await;
}

async fn messages_that_no_key_opens(kind: Kind) {
    let Some(redis) = Redis::start() else { return };
    let options = options(&redis.url()).symmetric_encryption_keys(["key"]);
    skips(kind, &redis, options, Skipped::Undecryptable, 100, b"nonsense, and no token at all").await;
}

async fn messages_that_are_too_large(kind: Kind) {
    let Some(redis) = Redis::start() else { return };
    let options = options(&redis.url()).max_message_bytes(1000);
    skips(kind, &redis, options, Skipped::Oversized, 100, &[0x80; 2000]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_for_nobody_who_is_here() {
    #[derive(Serialize)]
    struct Stray {
        r#type: &'static str,
        #[serde(rename = "__asgi_channel__")]
        to: [&'static str; 1],
    }
    let Some(redis) = Redis::start() else { return };
    let mut message = vec![0; 12];
    message.extend(rmp_serde::to_vec_named(&Stray { r#type: "stray", to: ["narrows.other!g0"] }).unwrap());
    skips(Kind::Core, &redis, options(&redis.url()), Skipped::Foreign, 100, &message).await;
}

/// Puts so many where the node finds them, and what is good after them.
async fn skips(kind: Kind, redis: &Redis, options: RedisOptions, why: Skipped, count: usize, message: &[u8]) {
    logs::keep();
    let (node, group) = (Node::new(kind, options), fresh_group());
    node.subscribe(&group).await.unwrap();
    let place = place_of(kind, redis, &group);
    let mut connection = redis.connection();
    for number in 0..count {
        let mut message = message.to_vec();
        let end = message.len() - 4;
        if kind == Kind::Core {
            // The members of a set differ: in the random prefix, or at the end where there is no need for sense.
            let at = if why == Skipped::Foreign { 0 } else { end };
            message[at..at + 4].copy_from_slice(&u32::try_from(number).unwrap().to_be_bytes());
        }
        let words: [&[u8]; 4] = match kind {
            Kind::PubSub => [b"PUBLISH", place.as_bytes(), &message, b""],
            Kind::Core => [b"ZADD", place.as_bytes(), b"9999999999", &message],
        };
        connection.push(&words[..if kind == Kind::PubSub { 3 } else { 4 }]).unwrap();
        connection.next().unwrap();
    }
    node.until("all to be skipped", |record| record.skipped(why) >= count).await;
    node.publish(&group, 1).await.unwrap();
    node.hears(&group, 1).await;
    let skipped = node.record().skipped.clone();
    assert_eq!(skipped, HashMap::from([(why, count)]));
    assert_eq!((node.numbers(&group).len(), node.gaps()), (1, 0));
    let lines = logs::with(match why {
        Skipped::Foreign => "narrows.other!g0",
        _ => &place,
    });
    assert_eq!(lines.len(), 1, "{lines:#?}");
    assert!(lines[0].contains(why.name()), "{lines:#?}");
}

/// Where a node looks for messages of a group.
fn place_of(kind: Kind, redis: &Redis, group: &Topic) -> String {
    match kind {
        Kind::PubSub => format!("asgi__group__{}", group.name()),
        Kind::Core => {
            let member = redis.cli(&["ZRANGE", &format!("asgi:group:{}", group.name()), "0", "-1"]);
            format!("asgi{}", &member[..=member.find('!').expect("it is a node's")])
        }
    }
}

async fn an_outage(kind: Kind) {
    let Some(redis) = Redis::start() else { return };
    logs::keep();
    let (node, group) = (Node::at(kind, &redis.url()), fresh_group());
    node.subscribe(&group).await.unwrap();
    redis.kill();
    let begun = tokio::time::Instant::now();
    while begun.elapsed() < Duration::from_secs(2) {
        node.publish(&group, 1).await.expect_err("redis is away");
        node.subscribe(&fresh_group()).await.expect_err("redis is away");
        // Time itself is under test: the links are tried again and again meanwhile.
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    redis.restart();
    node.gaps_reach(1).await;
    let lines = logs::with(&format!("redis://127.0.0.1:{}", redis.port()));
    // For each of two links: that it is down, why it does not come, that it is back.
    assert!((2..=6).contains(&lines.len()), "{lines:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_that_waited_for_too_long() {
    let Some(redis) = Redis::start() else { return };
    let (node, group) = (Node::at(Kind::Core, &redis.url()), fresh_group());
    node.subscribe(&group).await.unwrap();
    redis.cli(&["ZADD", &place_of(Kind::Core, &redis, &group), "1000000000", "0123456789abcdef"]);
    node.until("it to be skipped", |record| record.skipped(Skipped::Expired) == 1).await;
    node.gaps_reach(1).await;
}
