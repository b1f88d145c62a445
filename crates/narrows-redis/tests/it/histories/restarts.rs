//! Redis comes back without what it had, or with less: no position is given twice.

use narrows_core::{HistoryRange, Position};
use narrows_redis::Kind;
use rig::{Redis, Sentinels, wait_until};

use super::Keeper;
use crate::connections::sentinel_url;
use crate::nodes::{at_last, fresh_group, on_both_layers};

on_both_layers! {
    a_redis_that_comes_back_empty_begins_anew,
    a_redis_that_was_flushed_begins_anew,
    a_redis_that_comes_back_with_an_old_dump_gives_no_position_again,
    a_redis_that_kept_everything_says_that_it_may_not_have,
    a_replica_that_takes_over_with_less_gives_no_position_again,
    a_master_that_is_lost_is_followed_by_another_epoch,
}

/// Publishes as soon as Redis is there.
async fn publish_at_last(node: &Keeper, group: &narrows_core::Topic, number: u64) -> Position {
    let mut published = None;
    at_last("publishing", async || {
        published = Some(node.try_publish(group, number).await?);
        Ok::<_, narrows_core::LayerError>(())
    })
    .await;
    published.unwrap()
}

async fn a_redis_that_comes_back_empty_begins_anew(kind: Kind) {
    let Some(redis) = Redis::start() else { return };
    begins_anew(kind, &redis, || redis.restart()).await;
}

async fn a_redis_that_was_flushed_begins_anew(kind: Kind) {
    let Some(redis) = Redis::start() else { return };
    begins_anew(kind, &redis, || drop(redis.cli(&["FLUSHALL"]))).await;
}

async fn begins_anew(kind: Kind, redis: &Redis, loses: impl Fn()) {
    let (node, group, read_first) = (Keeper::at(kind, &redis.url()), fresh_group(), fresh_group());
    let mut before = Position { epoch: 0, offset: 0 };
    for number in 1..=3 {
        before = node.publish(&group, number).await;
        node.publish(&read_first, number).await;
    }
    loses();
    let after = publish_at_last(&node, &group, 4).await;
    assert_eq!((after.offset, after.epoch == before.epoch), (1, false));
    let page = node.read(&group, HistoryRange::after(before, 10)).await;
    assert_eq!((page.complete, page.top), (false, after));
    assert_eq!(node.kept(&group).await, [(1, 4)]);
    // Also where somebody looks before anybody writes.
    let page = node.read(&read_first, HistoryRange::newest(10)).await;
    assert_eq!((page.top.offset, page.messages.len()), (0, 0));
    assert_eq!(node.publish(&read_first, 4).await, Position { offset: 1, ..page.top });
}

async fn a_redis_that_comes_back_with_an_old_dump_gives_no_position_again(kind: Kind) {
    let Some(redis) = Redis::start() else { return };
    let [group, read_first] = [0; 2].map(|_| fresh_group());
    let before = {
        let node = Keeper::at(kind, &redis.url());
        node.publish(&group, 1).await;
        node.publish(&read_first, 1).await;
        redis.cli(&["SAVE"]);
        node.publish(&read_first, 2).await;
        node.publish(&group, 2).await
    };
    redis.kill();
    redis.restart();
    // One that has seen nothing of it.
    let node = Keeper::at(kind, &redis.url());
    let after = node.publish(&group, 3).await;
    assert_eq!(after.offset, before.offset, "the dump is older");
    assert_ne!(after.epoch, before.epoch);
    assert!(!node.read(&group, HistoryRange::after(before, 10)).await.complete);
    assert_eq!(node.kept(&group).await, [(1, 1), (2, 3)], "what is left can be read");
    let page = node.read(&read_first, HistoryRange::newest(10)).await;
    assert_eq!(page.messages.len(), 1);
    assert_eq!(node.publish(&read_first, 3).await, Position { offset: 2, ..page.top });
}

/// Nobody can know that nothing is missing.
async fn a_redis_that_kept_everything_says_that_it_may_not_have(kind: Kind) {
    let Some(redis) = Redis::options().append_only().start() else { return };
    let (node, group) = (Keeper::at(kind, &redis.url()), fresh_group());
    let before = node.publish(&group, 1).await;
    redis.kill();
    redis.restart();
    let after = publish_at_last(&node, &group, 2).await;
    assert_eq!((after.offset, after.epoch == before.epoch), (2, false));
    assert_eq!(node.kept(&group).await, [(1, 1), (2, 2)]);
    let third = node.publish(&group, 3).await;
    assert_eq!(third, Position { offset: 3, ..after }, "from then on it is one");
}

async fn a_replica_that_takes_over_with_less_gives_no_position_again(kind: Kind) {
    let (Some(master), Some(replica)) = (Redis::start(), Redis::start()) else { return };
    let (node, group) = (Keeper::at(kind, &master.url()), fresh_group());
    replica.cli(&["REPLICAOF", "127.0.0.1", &master.port().to_string()]);
    wait_until("the replica to follow", || master.cli(&["INFO", "replication"]).contains("state=online"));
    node.publish(&group, 1).await;
    assert_eq!(master.cli(&["WAIT", "1", "20000"]).trim(), "1");
    replica.cli(&["REPLICAOF", "NO", "ONE"]);
    // What the old master still takes nobody else ever sees.
    let lost = node.publish(&group, 2).await;
    let other = Keeper::at(kind, &replica.url());
    let page = other.read(&group, HistoryRange::after(lost, 10)).await;
    assert_ne!(page.top.epoch, lost.epoch);
    let after = other.publish(&group, 3).await;
    assert_eq!(after, Position { offset: 2, ..page.top });
}

async fn a_master_that_is_lost_is_followed_by_another_epoch(kind: Kind) {
    let Some(sentinels) = Sentinels::start() else { return };
    let (node, group) = (Keeper::at(kind, &sentinel_url(&sentinels, "", "")), fresh_group());
    let before = node.publish(&group, 1).await;
    sentinels.kill_master();
    sentinels.wait_for_failover();
    let after = publish_at_last(&node, &group, 2).await;
    assert_ne!(after.epoch, before.epoch);
    assert!(!node.read(&group, HistoryRange::after(before, 10)).await.complete);
}
