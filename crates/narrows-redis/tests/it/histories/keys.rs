//! What stands in Redis, and for how long.

use std::time::Duration;

use narrows_core::{History, ONCE};
use narrows_redis::Kind;
use rig::Redis;
use serde_json::json;

use super::{Keeper, keys_of};
use crate::nodes::{fresh_group, on_both_layers};

on_both_layers! {
    the_messages_end_by_themselves_and_the_position_a_day_later,
    the_stream_is_cut_as_messages_come,
    an_id_is_known_for_its_time,
    a_quiet_group_that_somebody_looked_at_ends_too,
}

fn ttl(redis: &Redis, key: &str) -> Duration {
    Duration::from_millis(redis.cli(&["PTTL", key]).trim().parse().expect("it ends some time"))
}

async fn the_messages_end_by_themselves_and_the_position_a_day_later(kind: Kind) {
    let Some(redis) = Redis::start() else { return };
    let (node, group) = (Keeper::at(kind, &redis.url()), fresh_group());
    let [position, stream] = keys_of(kind, &group);
    let hour = Duration::from_secs(3600);
    node.publish_as(&group, &json!({"type": "x"}), History::new(10, hour * 48), None).await.unwrap();
    assert!((hour * 47..=hour * 48).contains(&ttl(&redis, &stream)));
    assert!((hour * 71..=hour * 72).contains(&ttl(&redis, &position)));
    node.publish_as(&group, &json!({"type": "x"}), History::new(10, Duration::from_secs(1)), None)
        .await
        .unwrap();
    assert!(ttl(&redis, &stream) <= Duration::from_secs(1));
    assert!((hour * 24..hour * 25).contains(&ttl(&redis, &position)));
    assert_eq!(redis.cli(&["DBSIZE"]).trim().chars().last(), Some('2'));
}

async fn the_stream_is_cut_as_messages_come(kind: Kind) {
    let Some(redis) = Redis::start() else { return };
    let (node, group) = (Keeper::at(kind, &redis.url()), fresh_group());
    for number in 0..1000 {
        node.publish_as(&group, &json!({"type": "x", "number": number}), History::new(7, super::LONG), None)
            .await
            .unwrap();
    }
    assert_eq!(node.kept(&group).await.len(), 7);
    let length: usize = redis
        .cli(&["XLEN", &keys_of(kind, &group)[1]])
        .trim()
        .trim_start_matches("(integer) ")
        .parse()
        .unwrap();
    assert!(length <= 110, "{length} entries");
}

async fn an_id_is_known_for_its_time(kind: Kind) {
    let Some(redis) = Redis::start() else { return };
    let (node, group) = (Keeper::at(kind, &redis.url()), fresh_group());
    let publish = async || {
        node.publish_as(&group, &json!({"type": "x"}), History::new(7, super::LONG), Some("client.1"))
            .await
            .unwrap()
    };
    let first = publish().await;
    assert_eq!(publish().await, first);
    let key = match kind {
        Kind::PubSub => format!("asgi__once__{{asgi__group__{}}}:client.1", group.name()),
        Kind::Core => format!("asgi:once:{}:client.1", group.name()),
    };
    assert!((ONCE / 2..=ONCE).contains(&ttl(&redis, &key)));
    redis.cli(&["DEL", &key]);
    assert_eq!(publish().await.offset, 2);
}

async fn a_quiet_group_that_somebody_looked_at_ends_too(kind: Kind) {
    let Some(redis) = Redis::start() else { return };
    let (node, group) = (Keeper::at(kind, &redis.url()), fresh_group());
    assert_eq!(node.kept(&group).await, []);
    let day = Duration::from_secs(86_400);
    assert!((day - Duration::from_secs(60)..=day).contains(&ttl(&redis, &keys_of(kind, &group)[0])));
}
