//! Whatever stands in Redis: what is no message is counted once, and harms nothing else.

use std::time::{SystemTime, UNIX_EPOCH};

use narrows_core::{PayloadFormat, Skipped};
use serde_json::json;

use crate::named::take;
use crate::node::Node;
use crate::site::{PATIENCE, Setup, Site, channel, group};

const LIMIT: usize = 10_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn junk_on_pubsub_is_counted() {
    let Some(site) = Site::start(Setup::PUBSUB) else { return };
    let (room, node, django) = (group("room"), small(&site), site.django().await);
    node.subscribe(&room).await;
    let own = node.own_channel().await;
    let large = packed(&json!({"large": "x".repeat(LIMIT)}));
    let junk: [(&[u8], Skipped); 6] = [
        (b"", Skipped::Malformed),
        (b"\xc1", Skipped::Malformed),
        (b"\x81\xa1", Skipped::Malformed),
        (b"\xdf\xff\xff\xff\xff", Skipped::Malformed),
        (b"\x80 and more", Skipped::Malformed),
        (&large, Skipped::Oversized),
    ];
    let mut expected = Expected::default();
    for (n, (bytes, why)) in junk.into_iter().enumerate() {
        for name in ["asgi__group__room", own.name()] {
            assert_eq!(site.redis().cli(&[b"PUBLISH", name.as_bytes(), bytes]), "1");
            expected.add(why);
        }
        django.group_send(room.name(), json!({"type": "n", "n": n})).await.unwrap();
        django.send(own.name(), json!({"type": "n", "n": n})).await.unwrap();
        for topic in [&room, &own] {
            assert_eq!(node.messages(topic, n + 1).await[n]["n"], n);
        }
        expected.compare(&node).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn junk_for_a_process_on_core_is_counted() {
    let Some(site) = Site::start(Setup::CORE) else { return };
    let (room, node, django) = (group("room"), small(&site), site.django().await);
    node.subscribe(&room).await;
    let (own, process) = (node.own_channel().await, node.process());
    let to = |address| framed(&json!({"type": "n", "__asgi_channel__": address}));
    let junk = [
        (b"".to_vec(), Skipped::Malformed),
        (b"short".to_vec(), Skipped::Malformed),
        (b"twelve bytes\xc1".to_vec(), Skipped::Malformed),
        (b"twelve bytes".to_vec(), Skipped::Malformed),
        (to(json!(7)), Skipped::Malformed),
        (to(json!([own.name(), 7])), Skipped::Malformed),
        ([to(json!([own.name()])), b"more".to_vec()].concat(), Skipped::Malformed),
        (framed(&json!({"type": "to nobody"})), Skipped::Foreign),
        (to(json!([])), Skipped::Foreign),
        (to(json!(process)), Skipped::Foreign),
        (to(json!(format!("{process}unknown"))), Skipped::Foreign),
        (to(json!("specific.0123!4567")), Skipped::Foreign),
        (framed(&json!({"large": "x".repeat(LIMIT), "__asgi_channel__": own.name()})), Skipped::Oversized),
    ];
    let mut expected = Expected::default();
    for (n, (member, why)) in junk.into_iter().enumerate() {
        add(&site, &format!("asgi{process}"), &member);
        expected.add(why);
        django.group_send(room.name(), json!({"type": "n", "n": n})).await.unwrap();
        django.send(own.name(), json!({"type": "n", "n": n})).await.unwrap();
        for topic in [&room, &own] {
            assert_eq!(node.messages(topic, n + 1).await[n]["n"], n);
        }
        expected.compare(&node).await;
    }
    // Of two names one may be foreign: the other has its message.
    add(&site, &format!("asgi{process}"), &to(json!([format!("{process}unknown"), own.name()])));
    expected.add(Skipped::Foreign);
    node.messages(&own, 14).await;
    expected.compare(&node).await;
    assert_eq!(node.seen().gaps(), []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn junk_among_a_groups_members_harms_no_other_member() {
    let Some(site) = Site::start(Setup::CORE) else { return };
    let (room, node, sender, django) = (group("room"), site.node(), site.node(), site.django().await);
    node.subscribe(&room).await;
    let member = site.member(&django, &room, 1).await;
    // These are no names: nothing may be written for them, least of all into the group itself.
    let illegal: [&[u8]; 7] =
        [b"", b"\xff\xfe", b"a name", b":group:room", b"!", b"no\0ne!x", b"caf\xc3\xa9"];
    for member in illegal {
        add(&site, "asgi:group:room", member);
    }
    // A name that nobody listens to, and one in whose place something else stands.
    add(&site, "asgi:group:room", b"nobody");
    add(&site, "asgi:group:room", b"taken");
    site.redis().cli(&["SET", "asgitaken", "a text"]);
    for n in 0..3 {
        let message = json!({"type": "n", "n": n});
        sender.publish(&room, &message).await;
        assert_eq!(node.messages(&room, n + 1).await[n], message);
        assert_eq!(django.receive(&member, PATIENCE).await.unwrap(), Some(message));
        sender.wait_for_skipped(Skipped::Foreign, (n + 1) * (illegal.len() + 1)).await;
        assert_eq!(site.redis().cli(&["ZCARD", "asgi:group:room"]), "11");
        assert_eq!(site.redis().cli(&["ZCARD", "asginobody"]), (n + 1).to_string());
    }
    assert_eq!(site.redis().cli(&["EXISTS", "asgi", "asgia name", "asgi!"]), "0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn junk_in_a_named_channel_is_counted_and_passed_over() {
    let Some(site) = Site::start(Setup::CORE) else { return };
    let (jobs, node, django) = (channel("jobs"), small(&site), site.django().await);
    add(&site, "asgijobs", b"junk");
    add(&site, "asgijobs", b"twelve bytes\xc1");
    add(&site, "asgijobs", &framed(&json!({"large": "x".repeat(LIMIT)})));
    django.send(jobs.name(), json!({"type": "job"})).await.unwrap();
    assert_eq!(take(&node, &mut node.open(&jobs)).await, json!({"type": "job"}));
    assert_eq!((node.skipped(Skipped::Malformed), node.skipped(Skipped::Oversized)), (2, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_number_that_json_does_not_have_is_malformed() {
    for setup in [Setup::PUBSUB, Setup::CORE] {
        let Some(site) = Site::start(Setup { format: PayloadFormat::Json, ..setup }) else { return };
        let (room, node, django) = (group("room"), site.node(), site.django().await);
        node.subscribe(&room).await;
        // Python writes it as NaN.
        django.group_send(room.name(), json!({"type": "n", "n": {"__float__": "nan"}})).await.unwrap();
        django.group_send(room.name(), json!({"type": "n", "n": 1})).await.unwrap();
        assert_eq!(node.messages(&room, 1).await, [json!({"type": "n", "n": 1})]);
        node.wait_for_skipped(Skipped::Malformed, 1).await;
    }
}

/// A node that takes no large messages.
fn small(site: &Site) -> Node {
    site.node_with(site.options().max_message_bytes(LIMIT))
}

fn packed(message: &serde_json::Value) -> Vec<u8> {
    PayloadFormat::MsgPack.encode(message).unwrap().to_vec()
}

fn framed(message: &serde_json::Value) -> Vec<u8> {
    [b"twelve bytes".to_vec(), packed(message)].concat()
}

/// Adds a member to a sorted set, with the time of now.
fn add(site: &Site, key: &str, member: &[u8]) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64().to_string();
    assert_eq!(site.redis().cli(&[b"ZADD", key.as_bytes(), now.as_bytes(), member]), "1");
}

/// How often what is to be skipped.
#[derive(Default)]
struct Expected(Vec<Skipped>);

impl Expected {
    fn add(&mut self, why: Skipped) {
        self.0.push(why);
    }

    async fn compare(&self, node: &Node) {
        for why in Skipped::ALL {
            node.wait_for_skipped(why, self.0.iter().filter(|expected| **expected == why).count()).await;
        }
    }
}
