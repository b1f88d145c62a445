use std::collections::HashSet;

use narrows_redis::Kind;
use serde_json::json;

use crate::site::{PATIENCE, Site, channel};

/// So many that each host has some, in each of the two ways in which a sender may choose it: channels_redis goes by
/// the whole name, where it listens by the process's.
const CHANNELS: usize = 48;

pub(crate) async fn a_message_for_one_channel_reaches_it_wherever_it_is(site: &Site) {
    to_a_node(site).await;
    to_python(site).await;
}

async fn to_a_node(site: &Site) {
    let (node, django) = (site.node(), site.django().await);
    let mut channels = Vec::new();
    for _ in 0..CHANNELS {
        channels.push(node.own_channel().await);
    }
    let message = |n| json!({"type": "direct", "n": n});
    let sent = channels.iter().enumerate().map(|(n, channel)| django.send(channel.name(), message(n)));
    for sent in sent.collect::<Vec<_>>() {
        sent.await.unwrap();
    }
    for (n, channel) in channels.iter().enumerate() {
        assert_eq!(node.messages(channel, 1).await, [message(n)]);
    }
    // Between two nodes, too.
    let other = site.node();
    for (n, channel) in channels.iter().enumerate() {
        other.publish(channel, &message(CHANNELS + n)).await;
        assert_eq!(node.messages(channel, 2).await[1], message(CHANNELS + n));
    }
}

/// One Python layer after another, until each host has had the channels of some.
async fn to_python(site: &Site) {
    let node = site.node();
    let mut used = HashSet::new();
    for n in 0.. {
        assert!(n < 100, "only the hosts {used:?} were used");
        let django = site.django().await;
        let channels = [site.channel_of(&django).await, site.channel_of(&django).await];
        for name in &channels {
            node.publish(&channel(name), &json!({"type": "direct", "to": name})).await;
        }
        used.insert(host_of(site, &channels[0]));
        for name in &channels {
            let received = django.receive(name, PATIENCE).await.unwrap();
            assert_eq!(received, Some(json!({"type": "direct", "to": name})));
        }
        if used.len() == site.setup.hosts && n >= 2 {
            return;
        }
    }
}

/// Where a channel of Python's is that has a message, or a subscription.
fn host_of(site: &Site, channel: &str) -> usize {
    let process = channel.split_inclusive('!').next().unwrap();
    let mut hosts = site.servers.iter().map(|server| match site.setup.kind {
        Kind::Core => server.cli(&["EXISTS", &format!("asgi{process}")]) == "1",
        Kind::PubSub => server.reply(&["PUBSUB", "NUMSUB", channel]).items()[1].to_string() == "1",
    });
    hosts.position(|is_there| is_there).expect("one of the hosts has it")
}
