//! Large groups: in steps, so that Redis is there for others in between.

use futures_util::future::join_all;
use narrows_core::{PresenceEntry, Taken};
use narrows_redis::Kind;
use rig::Redis;
use serde_json::json;

use super::{Present, SHORT};
use crate::nodes::{fresh_name, on_both_layers, options};

on_both_layers! {
    a_dead_node_with_thousands_is_taken_out_in_steps,
    all_that_changed_is_told_however_much_it_is,
    what_is_taken_at_once_fits_a_message,
}

const MANY: u128 = 5000;

async fn fill(node: &Present, group: &str) {
    for connections in (0..MANY).collect::<Vec<_>>().chunks(500) {
        let tracking =
            connections.iter().map(|n| async move { node.track(group, *n, &format!("k{n}")).await });
        join_all(tracking).await;
    }
}

async fn a_dead_node_with_thousands_is_taken_out_in_steps(kind: Kind) {
    let Some(redis) = Redis::start() else { return };
    let ([dies, one, other], group) = ([0; 3].map(|_| Present::at(kind, &redis.url())), fresh_name());
    dies.renew(SHORT * 10).await;
    fill(&dies, &group).await;
    one.track(&group, MANY, "stays").await;
    drop(dies);
    let before = super::held::scripts(&redis);
    tokio::join!(one.until_count(&group, 1), other.until_count(&group, 1));
    assert!(super::held::scripts(&redis) - before >= MANY as u64 / 200);
    assert_eq!(other.keys(&group).await, ["stays"]);
}

async fn all_that_changed_is_told_however_much_it_is(kind: Kind) {
    let Some(redis) = Redis::start() else { return };
    let (node, group) = (Present::at(kind, &redis.url()), fresh_name());
    fill(&node, &group).await;
    let (mut joined, mut partial) = (0, Vec::new());
    while let Taken::Changes(changes) = node.take(&group).await {
        joined += changes.joins.len();
        partial.push(changes.partial);
        assert_eq!(changes.count, MANY as u64);
    }
    assert_eq!((joined, partial), (MANY as usize, vec![true, true, false]));
}

async fn what_is_taken_at_once_fits_a_message(kind: Kind) {
    let Some(redis) = Redis::start() else { return };
    for keys in [&[][..], &["key"]] {
        let options = options(&redis.url()).symmetric_encryption_keys(keys.to_vec());
        fits_a_message(&Present::new(kind, options), &fresh_name()).await;
    }
}

async fn fits_a_message(node: &Present, group: &str) {
    // The key of each stands in its meta, too; and some have as much as there can be.
    let tracking = (0..2000).map(|n| async move { node.track_at(group, n, format!("k{n:0>200}")).await });
    join_all(tracking).await;
    for connection in 2000..2100 {
        let key = format!("p{}", connection / 16);
        let entry = PresenceEntry { connection, key, meta: json!("x".repeat(4 << 10)) };
        node.store.track(group, &node.name, &entry).await.unwrap();
    }
    let (mut joined, mut diffs, mut are_more) = (0, 0, true);
    while let Taken::Changes(changes) = node.take(group).await {
        let bytes = serde_json::to_vec(&changes.joins).unwrap().len();
        assert!(bytes < 230 << 10, "{bytes} bytes of {} people", changes.joins.len());
        assert!(are_more, "there was more");
        (joined, diffs, are_more) = (joined + changes.joins.len(), diffs + 1, changes.partial);
    }
    assert!(joined == 2007 && !are_more && diffs < 12, "{joined} in {diffs}");
}
