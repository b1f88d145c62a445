//! Many who join at once: each is told of all, in a few diffs.

use std::time::{Duration, Instant};

use axum::Router;
use futures_util::StreamExt;
use futures_util::future::join_all;
use narrows::testing::{TestClient, TestServer};
use narrows_core::Taken;
use narrows_redis::Kind;
use rig::Redis;
use tokio::task::JoinSet;
use tokio::time::sleep_until;

use super::Present;
use super::held::scripts;
use super::site::{Member, channels_with};
use crate::nodes::{PATIENCE, fresh_name, on_both_layers, options};

on_both_layers! {
    a_crowd_that_joins_over_three_nodes_is_told_in_few_diffs,
    ten_thousand_cost_redis_a_moment,
}

/// How often the members are told, as in production.
const PERIOD: Duration = Duration::from_secs(1);

async fn a_crowd_that_joins_over_three_nodes_is_told_in_few_diffs(kind: Kind) {
    crowd(kind, 300, Duration::from_secs(4)).await;
}

async fn crowd(kind: Kind, members: usize, time: Duration) {
    let Some(redis) = Redis::start() else { return };
    let nodes = [0; 3].map(|_| {
        let channels = channels_with(kind, options(&redis.url()), Duration::from_secs(30), PERIOD);
        let route = channels.consumer::<Member>().route();
        TestServer::new(Router::new().route("/ws/{key}", route)).receive_timeout(PATIENCE)
    });
    let (before, began) = (commands(&redis), Instant::now());
    let mut told = JoinSet::new();
    for number in 0..members {
        sleep_until((began + time * number as u32 / members as u32).into()).await;
        let client = nodes[number % 3].connect(&format!("/ws/k{number:05}")).await;
        told.spawn(frames_until(client, members as u64));
    }
    let joined = began.elapsed();
    let most = told.join_all().await.into_iter().max().unwrap_or(0);
    let (commands, cpu) = (commands(&redis).0 - before.0, commands(&redis).1 - before.1);
    println!(
        "{members} in {joined:?}: {most} frames each at the most; redis: {commands} commands, {cpu:.2} s"
    );
    // One at once, one for each period, and one for what the last period left.
    let bound = joined.as_secs_f64() / PERIOD.as_secs_f64() + 2.0;
    assert!(most as f64 <= bound.ceil(), "{most} frames in {joined:?}");
}

/// Without sockets: what it costs Redis alone that 10 000 come, as members of three nodes, and that all are told of it.
async fn ten_thousand_cost_redis_a_moment(kind: Kind) {
    let Some(redis) = Redis::start() else { return };
    let (nodes, group) = ([0; 3].map(|_| Present::at(kind, &redis.url())), &fresh_name());
    let (before, calls, began) = (commands(&redis), scripts(&redis), Instant::now());
    let joining = nodes.iter().zip(0..).map(async |(node, first)| {
        // As many at once as come on a busy machine.
        let numbers = futures_util::stream::iter((first..10_000_u128).step_by(3));
        numbers.for_each_concurrent(32, |n| node.track_at(group, n, format!("k{n}"))).await;
    });
    join_all(joining).await;
    let (mut told, mut diffs) = (0, 0);
    while let Taken::Changes(changes) = nodes[0].take(group).await {
        (told, diffs) = (told + changes.joins.len(), diffs + 1);
    }
    assert_eq!((told, diffs), (10_000, 5));
    let (after, calls) = (commands(&redis), scripts(&redis) - calls);
    let (commands, cpu) = (after.0 - before.0, after.1 - before.1);
    println!("in {:?}: {calls} calls, {commands} commands, {cpu:.2} s of redis", began.elapsed());
    assert!(calls < 5_000, "{calls} calls for 10 000 changes");
    assert!(cpu < 3.0, "{cpu} s");
}

/// How many diffs a client is sent until one counts so many.
async fn frames_until(mut client: TestClient, members: u64) -> u64 {
    #[derive(serde::Deserialize)]
    struct Count {
        count: u64,
    }

    let mut frames = 1;
    while client.receive::<Count>().await.count < members {
        frames += 1;
    }
    frames
}

/// How many commands Redis was given so far, and the seconds of CPU that it took.
fn commands(redis: &Redis) -> (u64, f64) {
    let of = |section: &str, name: &str| {
        let info = redis.cli(&["INFO", section]);
        let line = info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        line.and_then(|value| value.trim().parse::<f64>().ok()).unwrap_or(0.0)
    };
    let cpu = of("cpu", "used_cpu_user") + of("cpu", "used_cpu_sys");
    (of("stats", "total_commands_processed") as u64, cpu)
}
