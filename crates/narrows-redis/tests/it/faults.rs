//! Redis goes away and comes back: sockets stay open, broadcasting says so at once, and all returns by itself.

use std::cell::Cell;

use narrows_redis::Kind;
use rig::{Proxy, Redis};
use tokio::time::{Instant, sleep_until};

use crate::nodes::{ANSWER, HEALTH, on_both_layers};
use crate::sites::{recovered, two_sites};

on_both_layers! {
    a_redis_that_is_killed_and_started_again_empty,
    a_redis_that_is_stopped_and_started_again_empty,
    a_redis_that_freezes_and_goes_on,
    a_network_that_is_cut,
    a_network_that_loses_everything,
    clients_that_are_killed,
}

async fn a_redis_that_is_killed_and_started_again_empty(kind: Kind) {
    let Some(redis) = Redis::start() else { return };
    outage(kind, &redis.url(), || redis.kill(), || redis.restart()).await;
}

async fn a_redis_that_is_stopped_and_started_again_empty(kind: Kind) {
    let Some(redis) = Redis::start() else { return };
    outage(kind, &redis.url(), || redis.stop(), || redis.restart()).await;
}

async fn a_redis_that_freezes_and_goes_on(kind: Kind) {
    let Some(redis) = Redis::start() else { return };
    silence(kind, &redis.url(), || redis.freeze(), || redis.thaw()).await;
}

async fn a_network_that_is_cut(kind: Kind) {
    let Some(redis) = Redis::start() else { return };
    let proxy = Proxy::to(&redis);
    outage(kind, proxy.url(), || proxy.cut(), || proxy.mend()).await;
}

async fn a_network_that_loses_everything(kind: Kind) {
    let Some(redis) = Redis::start() else { return };
    let proxy = Proxy::to(&redis);
    silence(kind, proxy.url(), || proxy.blackhole(), || proxy.mend()).await;
}

async fn clients_that_are_killed(kind: Kind) {
    let Some(redis) = Redis::start() else { return };
    let (sites, mut clients) = two_sites(kind, &redis.url()).await;
    assert!(redis.client_kill_all() >= 4);
    recovered(&sites, &mut clients).await;
}

/// An outage in which nothing is answered, for long enough that each link is given up.
async fn silence(kind: Kind, url: &str, breaks: impl FnOnce(), mends: impl FnOnce()) {
    let begun = Cell::new(Instant::now());
    let breaks = || {
        breaks();
        begun.set(Instant::now());
    };
    let mends = async || {
        // Time itself is under test: the next look at a link, and its answer.
        sleep_until(begun.get() + HEALTH + ANSWER * 2).await;
        mends();
    };
    outage_until(kind, url, breaks, mends).await;
}

async fn outage(kind: Kind, url: &str, breaks: impl FnOnce(), mends: impl FnOnce()) {
    outage_until(kind, url, breaks, async || mends()).await;
}

/// What becomes of two sites with a client each while Redis is away, and afterwards.
async fn outage_until(kind: Kind, url: &str, breaks: impl FnOnce(), mends: impl AsyncFnOnce()) {
    let (sites, mut clients) = two_sites(kind, url).await;
    breaks();
    for site in &sites {
        site.cannot_broadcast().await;
        // The first may have waited for an answer, and another for a connection; no more do.
        let time = site.time_of_failures(20).await;
        assert!(time < ANSWER * 3, "broadcasting 20 times took {time:?}");
        site.is_closed_to_clients().await;
    }
    mends().await;
    recovered(&sites, &mut clients).await;
    sites[0].is_open_to_clients().await;
}
