//! How long a message waits for who is away. Of the core layer: on pub/sub none waits.

use std::time::{Duration, Instant};

use narrows_core::{Gap, Skipped};
use serde_json::json;

use crate::named::take;
use crate::site::{PATIENCE, Setup, Site, channel, group};

/// Long enough that what is not to expire does not, on a machine with much else to do.
const EXPIRY: Duration = Duration::from_secs(3);

/// Waits until what was sent before this call has expired: for nothing but time.
async fn expire() {
    let (since, time) = (Instant::now(), EXPIRY + Duration::from_millis(100));
    while since.elapsed() < time {
        tokio::time::sleep(time.saturating_sub(since.elapsed())).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_does_not_get_what_has_expired() {
    let Some(site) = Site::start(Setup::CORE) else { return };
    let (jobs, node, django) =
        (channel("jobs"), site.node_with(site.options().expiry(EXPIRY)), site.django().await);
    for n in 0..3 {
        django.send(jobs.name(), json!({"type": "old", "n": n})).await.unwrap();
    }
    expire().await;
    django.send(jobs.name(), json!({"type": "new"})).await.unwrap();
    assert_eq!(take(&node, &mut node.open(&jobs)).await, json!({"type": "new"}));
    assert_eq!(node.skipped(Skipped::Expired), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_was_busy_for_too_long_is_told_what_expired_meanwhile() {
    let Some(site) = Site::start(Setup::CORE) else { return };
    let (room, node, django) =
        (group("room"), site.node_with(site.options().expiry(EXPIRY)), site.django().await);
    node.subscribe(&room).await;
    node.hold();
    django.group_send(room.name(), json!({"type": "first"})).await.unwrap();
    node.wait_until_held();
    for n in 0..3 {
        django.group_send(room.name(), json!({"type": "old", "n": n})).await.unwrap();
    }
    expire().await;
    node.go_on();
    node.wait_for_skipped(Skipped::Expired, 3).await;
    node.wait_until("a gap", |seen| seen.gaps() == [(None, Gap::Reconnected)]).await;
    django.group_send(room.name(), json!({"type": "new"})).await.unwrap();
    assert_eq!(node.messages(&room, 2).await, [json!({"type": "first"}), json!({"type": "new"})]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn python_does_not_get_what_a_node_sent_too_long_ago() {
    let Some(site) = Site::start(Setup::CORE) else { return };
    let (node, django) = (site.node_with(site.options().expiry(EXPIRY)), site.django().await);
    let own = django.new_channel().await.unwrap();
    let alone = [channel("jobs"), channel(&own)];
    let pruned = channel("kept-by-others");
    for channel in alone.iter().chain([&pruned]) {
        node.publish(channel, &json!({"type": "old"})).await;
    }
    // Python keeps messages for a minute, and so the set that holds those of both.
    django.send(pruned.name(), json!({"type": "python's"})).await.unwrap();
    for channel in &alone {
        let key = crate::capacity::key(channel.name());
        rig::wait_until("the end of a message", || site.redis().cli(&["EXISTS", &key]) == "0");
    }
    expire().await;
    node.publish(&channel(&own), &json!({"type": "new"})).await;
    assert_eq!(django.receive(&own, PATIENCE).await.unwrap(), Some(json!({"type": "new"})));
    // Who sends takes out what is older than its own messages may get, as in channels_redis.
    node.publish(&pruned, &json!({"type": "new"})).await;
    assert_eq!(site.redis().cli(&["ZCARD", "asgikept-by-others"]), "1");
    assert_eq!(django.receive(pruned.name(), PATIENCE).await.unwrap(), Some(json!({"type": "new"})));
}
