//! Redis is away, empty, or not as it was: nobody leaves of it who is there, and nobody stays who is not.

use std::time::{Duration, Instant};

use narrows_core::{LayerError, Taken};
use narrows_redis::Kind;
use rig::{Proxy, Redis, Sentinels};

use super::{LONG, Present, SHORT};
use crate::connections::sentinel_url;
use crate::nodes::{at_last, fresh_name, on_both_layers, said};

on_both_layers! {
    a_redis_that_comes_back_empty_is_told_everything_anew,
    a_redis_that_comes_back_as_it_was_a_while_ago_forgets_who_left_since,
    a_change_finds_that_redis_was_set_back,
    no_version_is_given_twice_by_a_redis_that_was_set_back,
    who_leaves_can_do_so_while_the_memory_is_full,
    a_redis_that_was_away_for_longer_than_a_lease_costs_nobody_anything,
    a_node_cut_off_for_longer_than_its_lease_is_dead_until_it_comes_back,
    a_node_cut_off_for_less_than_its_lease_is_not_missed,
    another_master_knows_who_is_there,
}

async fn a_redis_that_comes_back_empty_is_told_everything_anew(kind: Kind) {
    let Some(redis) = Redis::start() else { return };
    let (node, group) = (Present::at(kind, &redis.url()), fresh_name());
    node.renew(LONG).await;
    node.track(&group, 1, "ada").await;
    let before = node.page(&group).await.version;
    redis.kill();
    redis.restart();
    assert!(node.renew_at_last(LONG).await.forgotten);
    assert!(node.retrack(&group, 1, "ada").await);
    let Taken::Changes(changes) = node.take(&group).await else { panic!("somebody joined") };
    assert!(changes.joins.contains_key("ada") && changes.version > before, "{changes:?}, {before}");
    assert!(!node.renew(LONG).await.forgotten);
}

async fn a_redis_that_comes_back_as_it_was_a_while_ago_forgets_who_left_since(kind: Kind) {
    let Some(redis) = Redis::start() else { return };
    let (node, group) = (Present::at(kind, &redis.url()), fresh_name());
    node.renew(SHORT).await;
    node.track(&group, 1, "stays").await;
    node.track(&group, 2, "left").await;
    redis.cli(&["SAVE"]);
    node.untrack(&group, 2).await;
    redis.kill();
    redis.restart();
    assert!(node.renew_at_last(SHORT).await.forgotten, "it does not know of who left");
    assert_eq!(node.keys(&group).await, ["left", "stays"]);
    assert!(node.retrack(&group, 1, "stays").await);
    node.until_count(&group, 1).await;
    assert_eq!(node.keys(&group).await, ["stays"]);
    assert_eq!(node.leaves(&group).await, ["left"]);
}

/// Before any renewal does.
async fn a_change_finds_that_redis_was_set_back(kind: Kind) {
    let Some(redis) = Redis::start() else { return };
    let (node, group) = (Present::at(kind, &redis.url()), fresh_name());
    node.renew(SHORT).await;
    node.track(&group, 1, "stays").await;
    node.track(&group, 2, "left").await;
    redis.cli(&["SAVE"]);
    node.untrack(&group, 2).await;
    node.track(&group, 3, "newcomer").await;
    redis.kill();
    redis.restart();
    at_last("tracking", async || node.try_track(&group, 4, "last").await).await;
    assert!(node.renew(SHORT).await.forgotten, "it does not know of who left and who came");
    for (connection, key) in [(1, "stays"), (3, "newcomer"), (4, "last")] {
        assert!(node.retrack(&group, connection, key).await);
    }
    node.until_count(&group, 3).await;
    assert_eq!(node.keys(&group).await, ["last", "newcomer", "stays"]);
}

async fn no_version_is_given_twice_by_a_redis_that_was_set_back(kind: Kind) {
    let Some(redis) = Redis::start() else { return };
    let (node, group) = (Present::at(kind, &redis.url()), fresh_name());
    node.track(&group, 1, "ada").await;
    let first = node.page(&group).await.version;
    redis.cli(&["SAVE"]);
    let Taken::Changes(before) = node.take(&group).await else { panic!("somebody joined") };
    assert_eq!(before.version, first + 1);
    redis.kill();
    redis.restart();
    at_last("tracking", async || node.try_track(&group, 2, "eve").await).await;
    let Taken::Changes(after) = node.take(&group).await else { panic!("somebody joined") };
    assert!(after.version > before.version, "{after:?}, {before:?}");
    node.untrack(&group, 2).await;
    let Taken::Changes(next) = node.take(&group).await else { panic!("somebody left") };
    assert_eq!(next.version, after.version + 1, "from then on it is one");
}

async fn who_leaves_can_do_so_while_the_memory_is_full(kind: Kind) {
    let Some(redis) = Redis::start() else { return };
    let (node, group) = (Present::at(kind, &redis.url()), fresh_name());
    node.renew(LONG).await;
    node.track(&group, 1, "ada").await;
    node.track(&group, 2, "eve").await;
    node.take(&group).await;
    redis.cli(&["CONFIG", "SET", "maxmemory", "1"]);
    let error = node.try_track(&group, 3, "bob").await.unwrap_err();
    assert!(matches!(error, LayerError::Refused(_)) && said(&error).contains("OOM"), "{}", said(&error));
    node.untrack(&group, 1).await;
    assert_eq!(
        (node.keys(&group).await, node.leaves(&group).await),
        (vec!["eve".into()], vec!["ada".into()])
    );
    redis.cli(&["CONFIG", "SET", "maxmemory", "0"]);
    node.track(&group, 3, "bob").await;
    assert!(!node.renew(LONG).await.forgotten);
    assert_eq!(node.keys(&group).await, ["bob", "eve"]);
}

async fn a_redis_that_was_away_for_longer_than_a_lease_costs_nobody_anything(kind: Kind) {
    let Some(redis) = Redis::start() else { return };
    let (nodes, group) = ([0; 3].map(|_| Present::at(kind, &redis.url())), fresh_name());
    let lease = Duration::from_secs(2);
    for (connection, node) in (0..).zip(&nodes) {
        node.renew(lease).await;
        node.track(&group, connection, &format!("k{connection}")).await;
    }
    nodes[0].take(&group).await;
    redis.freeze();
    // Time itself is under test.
    tokio::time::sleep(lease * 3 / 2).await;
    redis.thaw();
    for node in &nodes {
        assert!(!node.renew_at_last(lease).await.forgotten);
    }
    assert_eq!(nodes[0].take(&group).await, Taken::Nothing);
    assert_eq!(nodes[1].keys(&group).await, ["k0", "k1", "k2"]);
}

async fn a_node_cut_off_for_longer_than_its_lease_is_dead_until_it_comes_back(kind: Kind) {
    let Some(redis) = Redis::start() else { return };
    let proxy = Proxy::to(&redis);
    let (cut, other, group) = (Present::at(kind, proxy.url()), Present::at(kind, &redis.url()), fresh_name());
    cut.renew(SHORT).await;
    cut.track(&group, 1, "ada").await;
    other.take(&group).await;
    proxy.blackhole();
    other.until_count(&group, 0).await;
    assert_eq!(other.leaves(&group).await, ["ada"]);
    proxy.mend();
    // What it says before it knows is no harm, and nothing that would stay.
    at_last("tracking", async || cut.try_track(&group, 2, "eve").await).await;
    assert!(cut.renew_at_last(LONG).await.forgotten);
    assert!(cut.retrack(&group, 1, "ada").await);
    assert_eq!(other.keys(&group).await, ["ada", "eve"]);
    assert!(!cut.renew(LONG).await.forgotten);
}

async fn a_node_cut_off_for_less_than_its_lease_is_not_missed(kind: Kind) {
    let Some(redis) = Redis::start() else { return };
    let proxy = Proxy::to(&redis);
    let (cut, other, group) = (Present::at(kind, proxy.url()), Present::at(kind, &redis.url()), fresh_name());
    cut.renew(LONG).await;
    cut.track(&group, 1, "ada").await;
    other.take(&group).await;
    proxy.cut();
    cut.try_renew(LONG).await.expect_err("nothing passes");
    other.renew(LONG).await;
    proxy.mend();
    assert!(!cut.renew_at_last(LONG).await.forgotten);
    other.renew(LONG).await;
    assert_eq!(other.take(&group).await, Taken::Nothing);
}

async fn another_master_knows_who_is_there(kind: Kind) {
    let Some(sentinels) = Sentinels::start() else { return };
    let url = sentinel_url(&sentinels, "", "");
    let (nodes, group) = ([0; 2].map(|_| Present::at(kind, &url)), fresh_name());
    for (connection, node) in (0..).zip(&nodes) {
        node.renew(LONG).await;
        node.track(&group, connection, &format!("k{connection}")).await;
    }
    nodes[0].take(&group).await;
    sentinels.kill_master();
    sentinels.wait_for_failover();
    // What the replica did not get before is told anew.
    for (connection, node) in (0..).zip(&nodes) {
        if node.renew_at_last(LONG).await.forgotten {
            node.retrack(&group, connection, &format!("k{connection}")).await;
        }
    }
    assert_eq!(nodes[1].keys(&group).await, ["k0", "k1"]);
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_millis(100) {
        assert!(nodes[0].leaves(&group).await.is_empty());
    }
}
