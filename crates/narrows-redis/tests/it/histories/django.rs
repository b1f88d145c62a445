//! Django processes in a group with a history: they get what is kept as any message, and what they send has no position.

use narrows_core::PayloadFormat::{Json, MsgPack};
use narrows_core::{History, HistoryRange};
use narrows_redis::Kind::{Core, PubSub};
use serde_json::json;

use super::{Keeper, LONG};
use crate::site::{PATIENCE, Setup, Site, group};

/// A test for each set-up, with servers and a Python process of its own.
macro_rules! setups {
    ($($name:ident: $kind:ident $format:ident $encrypted:literal $hosts:literal;)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                let setup = Setup { kind: $kind, format: $format, encrypted: $encrypted, hosts: $hosts };
                let Some(site) = Site::start(setup) else { return };
                both_sides_hear_each_other(&site).await;
            }
        )*
    };
}

setups! {
    pubsub_msgpack: PubSub MsgPack false 1;
    pubsub_msgpack_with_keys_on_two_hosts: PubSub MsgPack true 2;
    pubsub_json: PubSub Json false 1;
    pubsub_json_with_keys: PubSub Json true 1;
    core_msgpack_on_two_hosts: Core MsgPack false 2;
    core_msgpack_with_keys: Core MsgPack true 1;
    core_json: Core Json false 1;
    core_json_with_keys: Core Json true 1;
}

async fn both_sides_hear_each_other(site: &Site) {
    let (node, django) = (Keeper::new(site.setup.kind, site.options()), site.django().await);
    for room in ["a", "b", "c"].map(group) {
        let before = node.arrivals(0).await.len();
        node.subscribe(&room).await;
        let channel = site.member(&django, &room, 2).await;
        let mut expected = Vec::new();
        for (text, number) in
            ["", "é聊天🎉\0\n\"\\", &"x".repeat(70_000), "~", "__narrows_at__"].into_iter().zip(1..)
        {
            // Tokens of every length: what stands behind one is passed over by Python, with padding and without.
            let message = json!({"type": "number", "number": number, "text": text, "more": "x".repeat(number as usize * 7)});
            let kept = node.publish_as(&room, &message, History::new(10, LONG), None).await.unwrap();
            let mut received = django.receive(&channel, PATIENCE).await.unwrap().unwrap();
            let at = received.as_object_mut().unwrap().remove("__narrows_at__");
            let plain = site.setup.encrypted || site.setup.kind == Core;
            assert_eq!(at.is_none(), plain, "{at:?}");
            assert_eq!(received, message);
            let from_django = json!({"type": "number", "number": number + 100});
            django.group_send(room.name(), from_django).await.unwrap();
            django.receive(&channel, PATIENCE).await.unwrap().unwrap();
            expected.extend([(number, Some(kept)), (number + 100, None)]);
        }
        assert_eq!(node.arrivals(before + expected.len()).await[before..], expected);
        assert_eq!(node.read(&room, HistoryRange::newest(100)).await.messages.len(), 5);
    }
    assert_eq!(node.skipped(), []);
}
