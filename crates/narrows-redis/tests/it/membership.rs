//! Who is in a group, and for how long. Of the core layer: on pub/sub the subscription is all there is.

use std::time::{Duration, Instant};

use narrows_core::Gap;
use rig::Redis;
use serde_json::json;
use tokio::time::interval;

use crate::site::{Setup, Site, group};

const GROUP_EXPIRY: Duration = Duration::from_secs(3);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_stays_in_its_groups_for_longer_than_a_membership_lasts() {
    let Some(site) = Site::start(Setup { hosts: 3, ..Setup::CORE }) else { return };
    let node = site.node_with(site.options().group_expiry(GROUP_EXPIRY));
    let django = site.django_with(site.django_options().group_expiry(GROUP_EXPIRY.as_secs() as u32)).await;
    let groups: Vec<_> = (0..6).map(|n| group(&format!("room-{n}"))).collect();
    for group in &groups {
        node.subscribe(group).await;
    }
    let (since, mut turn, mut sent) = (Instant::now(), interval(Duration::from_millis(250)), 0);
    while since.elapsed() < GROUP_EXPIRY * 2 + Duration::from_secs(1) {
        turn.tick().await;
        for group in &groups {
            django.group_send(group.name(), json!({"type": "n", "n": sent})).await.unwrap();
            assert_eq!(node.messages(group, sent + 1).await[sent]["n"], sent);
        }
        sent += 1;
    }
    assert_eq!(node.seen().gaps(), []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_membership_ends_with_its_subscription_and_with_its_node() {
    let Some(site) = Site::start(Setup::CORE) else { return };
    let (left, lost) = (group("left"), group("lost"));
    let node = site.node_with(site.options().group_expiry(GROUP_EXPIRY));
    for group in [&left, &lost] {
        node.subscribe(group).await;
        assert_eq!(members(site.redis(), group.name()), 1);
    }
    node.unsubscribe(&left).await;
    assert_eq!(members(site.redis(), left.name()), 0);
    drop(node);
    rig::wait_until("the end of the membership", || members(site.redis(), lost.name()) == 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_was_flushed_out_of_its_groups_comes_back_and_is_told() {
    let Some(site) = Site::start(Setup { hosts: 3, ..Setup::CORE }) else { return };
    let (node, django) = (site.node_with(site.options().group_expiry(GROUP_EXPIRY)), site.django().await);
    let groups: Vec<_> = (0..6).map(|n| group(&format!("room-{n}"))).collect();
    for group in &groups {
        node.subscribe(group).await;
    }
    let all = || -> usize {
        let of = |server| groups.iter().map(|group| members(server, group.name())).sum::<usize>();
        site.servers.iter().map(of).sum()
    };
    assert_eq!(all(), groups.len());
    django.flush().await.unwrap();
    rig::wait_until("the memberships", || all() == groups.len());
    for group in &groups {
        node.wait_until("a gap", |seen| {
            seen.gaps()
                .iter()
                .any(|(of, gap)| of.as_ref().is_none_or(|of| of == group) && *gap == Gap::Reconnected)
        })
        .await;
        django.group_send(group.name(), json!({"type": "n"})).await.unwrap();
        node.messages(group, 1).await;
    }
}

fn members(server: &Redis, group: &str) -> usize {
    server.cli(&["ZCARD", &format!("asgi:group:{group}")]).parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_joins_another_group_after_a_flush_comes_back_to_all() {
    let Some(site) = Site::start(Setup::CORE) else { return };
    let (node, django) = (site.node(), site.django().await);
    let (room, other) = (group("room"), group("other"));
    node.subscribe(&room).await;
    rig::wait_until("that it receives", || site.redis().cli(&["CLIENT", "LIST"]).contains("cmd=bzpopmin"));
    django.flush().await.unwrap();
    node.subscribe(&other).await;
    // When it next says that it lives.
    rig::wait_until("the membership", || members(site.redis(), room.name()) == 1);
    node.wait_until("a gap", |seen| seen.gaps() == [(None, Gap::Reconnected)]).await;
}
