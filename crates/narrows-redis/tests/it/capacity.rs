//! How many messages may wait, and what becomes of those that are too many. Of the core layer.

use narrows_core::{Gap, LayerError, Skipped, Topic};
use narrows_redis::Capacities;
use serde_json::json;

use crate::named::take;
use crate::node::{Arrival, Node};
use crate::site::{PATIENCE, Setup, Site, channel, group};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_sides_find_the_same_channels_full() {
    let Some(site) = Site::start(Setup::CORE) else { return };
    let capacities = Capacities::new(4).glob("big-*", 6).regex("re[0-9]+$", 2).unwrap().glob("*", 5);
    let node = site.node_with(site.options().capacities(capacities));
    let patterns = [("big-*", 6), ("re:re[0-9]+$", 2), ("*", 5)];
    let django = site.django_with(site.django_options().capacity(4).channel_capacity(&patterns)).await;
    let cases =
        [("big-one", "big-two", 6), ("re17", "re18", 2), ("re17x", "re18x", 5), ("other", "another", 5)];
    for (of_node, of_python, capacity) in cases {
        assert_eq!(room(&node, &channel(of_node)).await, capacity, "{of_node}");
        // What one side filled is full for the other, too.
        assert_eq!(django.send(of_node, json!({"type": "n"})).await.unwrap_err().class, "ChannelFull");

        let sent = django.send_many(of_python, json!({"type": "n"}), capacity + 3).await.unwrap();
        assert_eq!((sent.sent as usize, sent.full), (capacity, 3), "{of_python}");
        let of_python = channel(of_python);
        assert_eq!(room(&node, &of_python).await, 0);
        // Once some are taken there is room again.
        let mut queue = node.open(&of_python);
        for n in 0..2 {
            assert_eq!(take(&node, &mut queue).await, json!({"type": "n", "n": n}));
        }
        django.send(of_python.name(), json!({"type": "n"})).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_channel_of_python_that_is_not_read_is_full_for_a_node() {
    let Some(site) = Site::start(Setup::CORE) else { return };
    let node = site.node_with(site.options().capacities(Capacities::new(5)));
    let django = site.django().await;
    let first = channel(&django.new_channel().await.unwrap());
    let second = channel(&django.new_channel().await.unwrap());
    assert_eq!(room(&node, &first).await, 5);
    // The channels of a process wait in one place.
    assert_eq!(room(&node, &second).await, 0);
    for n in 0..5 {
        assert_eq!(django.receive(first.name(), PATIENCE).await.unwrap().unwrap()["n"], n);
    }
    rig::wait_until("room again", || site.redis().cli(&["EXISTS", &key(first.name())]) == "0");
    assert_eq!(room(&node, &second).await, 5);
}

/// Sends until the channel is full; gives how many it took.
async fn room(node: &Node, channel: &Topic) -> usize {
    for n in 0.. {
        match node.try_publish(channel, &json!({"type": "n", "n": n})).await {
            Ok(()) => assert!(n < 1000, "{channel} takes everything"),
            Err(LayerError::ChannelFull { channel: full }) => {
                assert_eq!(full, channel.name());
                return n;
            }
            Err(error) => panic!("{error}"),
        }
    }
    unreachable!("it ends with a full channel")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_that_is_full_misses_messages_that_the_others_get_and_each_is_counted() {
    let Some(site) = Site::start(Setup::CORE) else { return };
    let (group, node, reader) =
        (group("room"), site.node_with(site.options().capacities(Capacities::new(5))), site.node());
    let django = site.django().await;
    let member = site.member(&django, &group, 1).await;
    reader.subscribe(&group).await;
    for n in 0..8 {
        node.publish(&group, &json!({"type": "n", "n": n})).await;
    }
    assert_eq!(reader.messages(&group, 8).await.len(), 8);
    assert_eq!(node.skipped(Skipped::Full), 3);
    let received = django.receive_many(&member, 5, PATIENCE).await.unwrap();
    assert!(received.iter().map(|message| message["n"].as_u64().unwrap()).eq(0..5), "{received:?}");
    rig::wait_until("room again", || site.redis().cli(&["EXISTS", &key(&member)]) == "0");
    node.publish(&group, &json!({"type": "n", "n": 8})).await;
    assert_eq!(django.receive(&member, PATIENCE).await.unwrap().unwrap()["n"], 8);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_was_full_is_told_where_messages_are_missing() {
    let Some(site) = Site::start(Setup::CORE) else { return };
    let group = group("room");
    let (slow, sender) = (site.node(), site.node_with(site.options().node_capacity(5)));
    slow.subscribe(&group).await;
    slow.hold();
    sender.publish(&group, &json!({"type": "n", "n": "held"})).await;
    slow.wait_until_held();
    for n in 0..8 {
        sender.publish(&group, &json!({"type": "n", "n": n})).await;
    }
    assert_eq!(sender.skipped(Skipped::Full), 3);
    // One that is for it alone is refused as by any channel that is full.
    let own = channel(&slow.new_channel());
    let refused = sender.try_publish(&own, &json!({"type": "n"})).await;
    assert!(matches!(refused, Err(LayerError::ChannelFull { .. })), "{refused:?}");
    slow.go_on();
    slow.messages(&group, 6).await;
    slow.wait_until("the gap", |seen| !seen.gaps().is_empty()).await;
    sender.publish(&group, &json!({"type": "n", "n": "after"})).await;
    slow.messages(&group, 7).await;

    let shown = |arrival: &Arrival| match arrival {
        Arrival::Message(_, payload) => slow.read(payload)["n"].to_string(),
        Arrival::Gap(None, Gap::Overflow) => "gap".into(),
        other => panic!("{other:?}"),
    };
    let arrivals: Vec<String> = slow.seen().arrivals.iter().map(shown).collect();
    assert_eq!(arrivals, ["\"held\"", "0", "1", "2", "3", "4", "gap", "\"after\""]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_whose_process_has_died_is_taken_out_of_its_group_when_it_is_full() {
    let Some(site) = Site::start(Setup::CORE) else { return };
    let (group, sender, dead) = (group("room"), site.node(), site.node());
    dead.subscribe(&group).await;
    let process = dead.process();
    let receives = || site.redis().cli(&["CLIENT", "LIST"]).contains("cmd=bzpopmin");
    rig::wait_until("that it receives", receives);
    drop(dead);
    rig::wait_until("the end of its connections", || !receives());
    // As if the minute were over for which its last word counts.
    site.redis().cli(&["DEL", &format!("asgi{process}$alive")]);

    let members = || site.redis().cli(&["ZCARD", "asgi:group:room"]);
    for n in 0..100 {
        sender.publish(&group, &json!({"type": "n", "n": n})).await;
    }
    assert_eq!(members(), "1", "it may be back, with room for more");
    sender.publish(&group, &json!({"type": "n"})).await;
    assert_eq!(members(), "0");
    assert_eq!(sender.skipped(Skipped::Full), 0, "nobody is there who could miss it");
}

/// The key under which a process's messages wait.
pub(crate) fn key(channel: &str) -> String {
    format!("asgi{}", channel.split_inclusive('!').next().unwrap())
}
