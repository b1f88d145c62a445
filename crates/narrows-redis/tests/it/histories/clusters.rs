//! Histories on a Redis Cluster.

use std::sync::Arc;
use std::time::Duration;

use narrows_core::{ChannelLayer, History, HistoryRange, Position, Topic};
use narrows_redis::{Kind, PubSubLayer};
use rig::Cluster;
use serde_json::json;

use super::{Keeper, LONG};
use crate::nodes::{PATIENCE, at_last, fresh_group, options};

fn url_of(cluster: &Cluster) -> String {
    let seeds: Vec<String> =
        cluster.nodes().iter().map(|node| format!("127.0.0.1:{}", node.port())).collect();
    format!("redis+cluster://{}", seeds.join(","))
}

fn name(group: &Topic) -> String {
    format!("asgi__group__{}", group.name())
}

async fn publish_at_last(node: &Keeper, group: &Topic, number: u64) -> Position {
    let mut published = None;
    at_last("publishing", async || {
        published = Some(node.try_publish(group, number).await?);
        Ok::<_, narrows_core::LayerError>(())
    })
    .await;
    published.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_history_goes_with_its_slot() {
    let Some(cluster) = Cluster::start() else { return };
    let ([node, other], group) = ([0; 2].map(|_| Keeper::at(Kind::PubSub, &url_of(&cluster))), fresh_group());
    node.subscribe(&group).await;
    let first = node.publish(&group, 1).await;
    assert_eq!(other.kept(&group).await, [(1, 1)]);
    cluster.migrate_slot(&name(&group));
    // On another server, whose data may be older for all that anybody knows.
    let second = publish_at_last(&other, &group, 2).await;
    assert_eq!((second.offset, second.epoch == first.epoch), (2, false));
    assert_eq!(node.kept(&group).await, [(1, 1), (2, 2)]);
    assert!(!node.read(&group, HistoryRange::after(first, 10)).await.complete);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_published_while_its_slot_moves_waits_for_that() {
    let Some(cluster) = Cluster::start() else { return };
    let patient = || options(&url_of(&cluster)).answer_timeout(PATIENCE);
    let (node, group) = (Arc::new(Keeper::new(Kind::PubSub, patient())), fresh_group());
    node.publish(&group, 1).await;
    let target = cluster.begin_migration(&name(&group));
    // All that it needs is still here.
    assert_eq!(node.publish(&group, 2).await.offset, 2);
    // What knows an id is neither here nor there.
    let asked = || calls(&cluster, &group, "evalsha");
    let before = asked();
    let publishing = {
        let (node, group) = (node.clone(), group.clone());
        let payload = node.layer.format().encode(&json!({"type": "x", "number": 3})).unwrap();
        tokio::spawn(
            async move { node.store.publish(&group, payload, History::new(9, LONG), Some("id")).await },
        )
    };
    rig::wait_until("it to be tried", || asked() > before);
    assert!(!publishing.is_finished(), "{:?}", publishing.await);
    cluster.finish_migration(&name(&group), target);
    assert_eq!(publishing.await.unwrap().unwrap().offset, 3);
    assert_eq!(node.kept(&group).await.len(), 3);
}

/// How often a command was tried on the master of a group.
fn calls(cluster: &Cluster, group: &Topic, command: &str) -> u64 {
    let stats = cluster.master_of(&name(group)).cli(&["INFO", "commandstats"]);
    let line =
        stats.lines().find(|line| line.starts_with(&format!("cmdstat_{command}:"))).unwrap_or_default();
    let numbers = line.split([':', ',']).filter_map(|field| field.split_once('='));
    numbers
        .filter(|(key, _)| ["calls", "rejected_calls"].contains(key))
        .map(|(_, n)| n.parse::<u64>().unwrap())
        .sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_that_takes_over_goes_on_in_another_epoch() {
    let Some(cluster) = Cluster::start() else { return };
    let (node, group) = (Keeper::at(Kind::PubSub, &url_of(&cluster)), fresh_group());
    let first = node.publish(&group, 1).await;
    cluster.kill_master_of(&name(&group));
    node.try_publish(&group, 2).await.unwrap_err();
    cluster.wait_for_failover(&name(&group));
    let second = publish_at_last(&node, &group, 3).await;
    assert_ne!(second.epoch, first.epoch);
}

#[tokio::test]
async fn a_prefix_that_spoils_the_slot_means_no_histories() {
    for (prefix, keeps) in
        [("asgi", true), ("{asgi}", true), ("a{s}g{i}", true), ("{asgi", false), ("asgi}", false)]
    {
        let options = options("redis+cluster://127.0.0.1:1").connect_timeout(Duration::from_millis(10));
        let layer = PubSubLayer::new(options.prefix(prefix)).unwrap();
        assert_eq!((layer.history().is_some(), layer.claims().is_some()), (keeps, keeps), "{prefix}");
    }
}
