//! Keys change while the site runs: those who read with the old one and the new one understand all.

use narrows_core::Skipped;
use rig::{Layer, LayerOptions};
use serde_json::{Value, json};

use crate::node::Node;
use crate::site::{PATIENCE, Setup, Site, group};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_are_rotated_on_pubsub() {
    keys_are_rotated(Setup::PUBSUB).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_are_rotated_on_core() {
    keys_are_rotated(Setup::CORE).await;
}

async fn keys_are_rotated(setup: Setup) {
    let Some(site) = Site::start(setup) else { return };
    let room = group("room");
    // Before a rotation, in the midst of it, and after it.
    let keys: [&[&str]; 3] = [&["old"], &["new", "old"], &["new"]];
    let mut nodes = Vec::new();
    let mut djangos = Vec::new();
    for keys in keys {
        nodes.push(node(&site, keys).await);
        djangos.push(django(&site, keys).await);
    }
    // One that reads both, as Python dies of what it cannot read.
    let member = site.member(&djangos[1], &room, 4).await;
    let mut sent = Vec::new();
    for (node, (django, keys)) in nodes.iter().zip(djangos.iter().zip(keys)) {
        for from in ["node", "python"] {
            let message = json!({"type": "n", "from": from, "key": keys[0]});
            match from {
                "node" => node.publish(&room, &message).await,
                _ => django.group_send(room.name(), message.clone()).await.unwrap(),
            }
            sent.push(message);
        }
    }
    assert_eq!(nodes[1].messages(&room, sent.len()).await, sent);
    assert_eq!(djangos[1].receive_many(&member, sent.len(), PATIENCE).await.unwrap(), sent);
    let with = |key: &str| sent.iter().filter(|m| m["key"] == key).cloned().collect::<Vec<Value>>();
    for (node, key, unread) in [(&nodes[0], "old", 4), (&nodes[2], "new", 2)] {
        assert_eq!(node.messages(&room, with(key).len()).await, with(key));
        node.wait_for_skipped(Skipped::Undecryptable, unread).await;
    }
    assert_eq!(nodes[1].skipped(Skipped::Undecryptable), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_no_key_opens_is_counted_and_harms_nothing() {
    for setup in [Setup::PUBSUB, Setup::CORE] {
        let Some(site) = Site::start(setup) else { return };
        let (room, node) = (group("room"), node(&site, &["ours", "older"]).await);
        let (stranger, open) = (django(&site, &["another"]).await, django(&site, &[]).await);
        let friend = django(&site, &["older"]).await;
        let mut expected = Vec::new();
        for n in 0..3 {
            stranger.group_send(room.name(), json!({"type": "strange"})).await.unwrap();
            open.group_send(room.name(), json!({"type": "open"})).await.unwrap();
            expected.push(json!({"type": "friendly", "n": n}));
            friend.group_send(room.name(), expected[n].clone()).await.unwrap();
        }
        assert_eq!(node.messages(&room, 3).await, expected, "{setup:?}");
        node.wait_for_skipped(Skipped::Undecryptable, 6).await;
        assert_eq!(node.seen().gaps(), []);
    }
}

/// In the group already.
async fn node(site: &Site, keys: &[&str]) -> Node {
    let node = site.node_with(site.options().symmetric_encryption_keys(keys.iter().copied()));
    node.subscribe(&group("room")).await;
    node
}

async fn django(site: &Site, keys: &[&str]) -> Layer {
    let options: LayerOptions = site.django_options();
    site.django_with(if keys.is_empty() { options } else { options.symmetric_encryption_keys(keys) }).await
}
