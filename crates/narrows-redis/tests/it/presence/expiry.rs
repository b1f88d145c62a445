//! What presence leaves behind in Redis: nothing.

use std::time::{Duration, Instant};

use narrows_core::Absence;
use narrows_redis::Kind;
use rig::{Redis, wait_until};

use super::{LONG, Present, SHORT, keys_of_presence};
use crate::nodes::{fresh_name, on_both_layers, options};

on_both_layers! {
    nothing_is_left_when_the_last_one_has_left,
    nothing_is_left_of_a_node_that_died,
    all_ends_by_itself_when_no_node_is_left,
    what_a_living_node_has_does_not_end,
}

async fn nothing_is_left_when_the_last_one_has_left(kind: Kind) {
    let Some(redis) = Redis::start() else { return };
    let [one, other] = [0; 2].map(|_| Present::at(kind, &redis.url()));
    let group = fresh_name();
    for connection in 0..20 {
        one.track(&group, connection, "ada").await;
        other.track(&group, 100 + connection, &format!("k{connection}")).await;
    }
    one.renew(LONG).await;
    one.take(&group).await;
    one.let_go(&group, 3, Absence::Away(Duration::from_millis(1))).await;
    for connection in (0..20).filter(|connection| *connection != 3) {
        one.untrack(&group, connection).await;
        other.untrack(&group, 100 + connection).await;
    }
    other.untrack(&group, 103).await;
    one.until_count(&group, 0).await;
    assert_eq!(one.leaves(&group).await.len(), 21);
    one.renew(LONG).await;
    wait_until("no key to be left", || keys_of_presence(&redis).is_empty());
}

async fn nothing_is_left_of_a_node_that_died(kind: Kind) {
    let Some(redis) = Redis::start() else { return };
    let [dies, lives] = [0; 2].map(|_| Present::at(kind, &redis.url()));
    let groups: Vec<String> = (0..5).map(|_| fresh_name()).collect();
    dies.renew(SHORT).await;
    for group in &groups {
        dies.track(group, 1, "ada").await;
        lives.take(group).await;
    }
    drop(dies);
    for group in &groups {
        lives.until_count(group, 0).await;
        assert_eq!(lives.leaves(group).await, ["ada"]);
    }
    lives.renew(LONG).await;
    wait_until("no key to be left", || keys_of_presence(&redis).is_empty());
}

async fn all_ends_by_itself_when_no_node_is_left(kind: Kind) {
    let Some(redis) = Redis::start() else { return };
    let keep = Duration::from_secs(2);
    let node = Present::new(kind, options(&redis.url()).group_expiry(keep));
    let group = fresh_name();
    node.renew(SHORT).await;
    for connection in 0..20 {
        node.track(&group, connection, "ada").await;
    }
    node.let_go(&group, 1, Absence::Away(LONG)).await;
    node.page(&group).await;
    let keys = keys_of_presence(&redis);
    assert!(keys.len() >= 11, "{keys:?}");
    drop(node);
    for key in keys {
        let ends = redis.cli(&["PTTL", &key]).parse::<i64>().unwrap();
        assert!(ends != -1 && ends <= keep.as_millis() as i64, "{key} ends in {ends} ms");
    }
    wait_until("all keys to end", || keys_of_presence(&redis).is_empty());
}

async fn what_a_living_node_has_does_not_end(kind: Kind) {
    let Some(redis) = Redis::start() else { return };
    let keep = Duration::from_secs(1);
    let node = Present::new(kind, options(&redis.url()).group_expiry(keep));
    let groups: Vec<String> = (0..100).map(|_| fresh_name()).collect();
    for group in &groups {
        node.track(group, 1, "ada").await;
    }
    // Time itself is under test: twice as long as keys last.
    let begun = Instant::now();
    while begun.elapsed() < keep * 2 {
        assert!(!node.renew(Duration::from_millis(240)).await.forgotten);
        tokio::time::sleep(Duration::from_millis(80)).await;
    }
    for group in &groups {
        assert_eq!(node.keys(group).await, ["ada"]);
        assert_eq!(node.page(group).await.people["ada"].len(), 1);
    }
}
