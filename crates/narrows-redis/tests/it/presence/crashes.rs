//! Nodes that die, freeze, and lose their network or their Redis: everybody is told of everybody, once.

use std::process::Command;
use std::time::Duration;

use narrows_redis::Kind;
use rig::{Proxy, Redis, wait_until};

use super::keys_of_presence;
use super::site::{Place, Process, Site};
use crate::nodes::{on_both_layers, options};

on_both_layers! {
    who_was_on_a_node_that_is_killed_leaves_once,
    two_survivors_tell_of_it_once,
    a_frozen_node_is_missed_and_comes_back,
    a_node_cut_off_for_longer_than_its_lease,
    a_node_cut_off_for_a_moment_is_not_missed,
    a_redis_that_comes_back_empty,
    a_clock_that_is_a_minute_ahead_or_behind_changes_nothing,
}

/// The lease of nodes that die: long enough for those that live on a busy machine.
const LEASE: Duration = Duration::from_secs(3);

/// The lease of a node that looks for them every third of it.
const LOOKS: Duration = Duration::from_secs(9);

const LONG: Duration = Duration::from_secs(30);

async fn who_was_on_a_node_that_is_killed_leaves_once(kind: Kind) {
    let Some(redis) = Redis::start() else { return };
    let site = Site::start(kind, options(&redis.url()), LOOKS).await;
    let mut node = Process::start(kind, &redis.url(), LEASE);
    let (_ada, _eve, _both) = (node.client("ada").await, node.client("eve").await, node.client("both").await);
    let both = site.client("both").await;
    site.tells("both", "update").await;
    node.kill();
    site.tells("eve", "leave").await;
    site.settle("later").await;
    for key in ["ada", "eve"] {
        assert_eq!(site.told(key).await, ["join", "leave"]);
    }
    // Two devices, one, and still there.
    assert_eq!(site.told("both").await, ["join", "update", "update"]);
    assert_eq!(site.roster().await, ["both", "here"]);
    drop(both);
    site.leave().await;
    wait_until("no key to be left", || keys_of_presence(&redis).is_empty());
}

async fn two_survivors_tell_of_it_once(kind: Kind) {
    let Some(redis) = Redis::start() else { return };
    let site = Site::start(kind, options(&redis.url()), LOOKS).await;
    let [mut dies, mut lives] = [0; 2].map(|_| Process::start(kind, &redis.url(), LEASE));
    let (_ada, _bob) = (dies.client("ada").await, lives.client("bob").await);
    site.tells("bob", "join").await;
    dies.kill();
    site.tells("ada", "leave").await;
    site.settle("later").await;
    assert_eq!(site.told("ada").await, ["join", "leave"]);
    for place in Place::ALL {
        let versions: Vec<u64> = site.seen.at(place).iter().map(|diff| diff.version).collect();
        assert!(versions.windows(2).all(|two| two[1] == two[0] + 1), "{place:?}: {versions:?}");
    }
    assert_eq!(site.roster().await, ["bob", "here"]);
    lives.kill();
    site.tells("bob", "leave").await;
    site.leave().await;
    wait_until("no key to be left", || keys_of_presence(&redis).is_empty());
}

async fn a_frozen_node_is_missed_and_comes_back(kind: Kind) {
    let Some(redis) = Redis::start() else { return };
    let site = Site::start(kind, options(&redis.url()), LOOKS).await;
    let node = Process::start(kind, &redis.url(), LEASE);
    let _ada = node.client("ada").await;
    site.tells("ada", "join").await;
    node.freeze();
    site.tells("ada", "leave").await;
    node.thaw();
    site.tells("ada", "join").await;
    site.settle("later").await;
    assert_eq!(site.told("ada").await, ["join", "leave", "join"]);
    assert_eq!(site.roster().await, ["ada", "here"]);
}

async fn a_node_cut_off_for_longer_than_its_lease(kind: Kind) {
    let Some(redis) = Redis::start() else { return };
    let proxy = Proxy::to(&redis);
    let site = Site::start(kind, options(&redis.url()), LOOKS).await;
    let mut node = Process::start(kind, proxy.url(), LEASE);
    let (_ada, bob) = (node.client("ada").await, node.client("bob").await);
    site.tells("bob", "join").await;
    proxy.blackhole();
    // Nobody but its own node sees that.
    drop(bob);
    for key in ["ada", "bob"] {
        site.tells(key, "leave").await;
    }
    proxy.mend();
    site.tells("ada", "join").await;
    site.settle("later").await;
    assert_eq!(site.told("ada").await, ["join", "leave", "join"]);
    assert_eq!(site.told("bob").await, ["join", "leave"]);
    assert_eq!(site.roster().await, ["ada", "here"]);
    node.kill();
    site.tells("ada", "leave").await;
    site.leave().await;
    wait_until("no key to be left", || keys_of_presence(&redis).is_empty());
}

async fn a_node_cut_off_for_a_moment_is_not_missed(kind: Kind) {
    let Some(redis) = Redis::start() else { return };
    let proxy = Proxy::to(&redis);
    let site = Site::start(kind, options(&redis.url()), LONG).await;
    let node = Process::start(kind, proxy.url(), LONG);
    let (_ada, bob) = (node.client("ada").await, node.client("bob").await);
    site.tells("bob", "join").await;
    proxy.cut();
    drop(bob);
    site.settle("meanwhile").await;
    proxy.mend();
    site.tells("bob", "leave").await;
    site.settle("later").await;
    assert_eq!(site.told("ada").await, ["join"]);
    assert_eq!(site.told("bob").await, ["join", "leave"]);
    assert_eq!(site.roster().await, ["ada", "here"]);
}

async fn a_redis_that_comes_back_empty(kind: Kind) {
    let Some(redis) = Redis::start() else { return };
    let site = Site::start(kind, options(&redis.url()), LOOKS).await;
    let node = Process::start(kind, &redis.url(), LEASE);
    let _ada = node.client("ada").await;
    site.tells("ada", "join").await;
    redis.kill();
    redis.restart();
    site.until_roster(&["ada", "here"]).await;
    site.settle("later").await;
    assert!(!site.told("ada").await.contains(&"leave"));
    assert_eq!(site.roster().await, ["ada", "here"]);
}

async fn a_clock_that_is_a_minute_ahead_or_behind_changes_nothing(kind: Kind) {
    let Some(redis) = Redis::start() else { return };
    let Some(library) = library_of_faketime() else { return };
    let site = Site::start(kind, options(&redis.url()), LOOKS).await;
    // On the core layer what is said expires after a minute by the clocks of senders and receivers.
    let skew = if kind == Kind::Core { 25.0 } else { 60.0 };
    let mut nodes = [skew, -skew].map(|seconds: f64| {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.env("LD_PRELOAD", &library).env("FAKETIME", format!("{seconds:+}s"));
        command.env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
        let node = Process::start_by(command, kind, &redis.url(), LEASE);
        assert!((node.skew - seconds).abs() < 10.0, "its clock is {} s ahead", node.skew);
        node
    });
    let _clients = (nodes[0].client("ahead").await, nodes[1].client("behind").await);
    site.tells("behind", "join").await;
    // Time itself is under test: more than a lease, in which each node looks for dead ones.
    tokio::time::sleep(LEASE * 2).await;
    assert_eq!(site.roster().await, ["ahead", "behind", "here"]);
    for (node, key) in nodes.iter_mut().zip(["ahead", "behind"]) {
        node.kill();
        site.tells(key, "leave").await;
        assert_eq!(site.told(key).await, ["join", "leave"]);
    }
    assert_eq!(site.told("here").await, ["join"]);
}

/// What gives a program another clock. Not by the program of that name, which would be killed in the node's place.
fn library_of_faketime() -> Option<String> {
    let [faketime] = programs::need(["faketime"])?;
    let shown = Command::new(faketime).args(["-f", "+0s", "printenv", "LD_PRELOAD"]).output().unwrap();
    Some(String::from_utf8(shown.stdout).unwrap().trim().to_owned())
}
