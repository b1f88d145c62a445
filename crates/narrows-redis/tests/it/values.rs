use std::fmt;

use narrows_core::{ChannelLayer, Message, PayloadFormat, Topic};
use rig::Layer;
use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Value, json};

use crate::node::Node;
use crate::site::{PATIENCE, Site, channel};

pub(crate) async fn values_are_the_same_on_the_other_side(site: &Site) {
    let texts =
        json!({"": "", "ключ": "聊天 🎉", "é\u{301}": "\0\u{7f}\n\"\\/\u{2028}", "space in key": " "});
    let nested = json!({"list": [[], [1, [2, [3, {"deep": [null]}]]]], "map": {"a": {"b": {"c": {}}}}});
    let values = [
        json!({}),
        json!({"type": "texts", "texts": texts}),
        json!({"type": "nested", "nested": nested}),
        json!({"type": "simple", "none": null, "yes": true, "no": false}),
        json!({"type": "floats", "floats": [0.0, 0.5, -1.25, 0.1, 1e300, -2.5e-7, 1.0]}),
        json!({"type": "ints", "ints": [0, -1, 127, 128, -128, 65_536, i64::MIN, i64::MAX, u64::MAX]}),
        json!({"type": "wide", "wide": (0..20).map(|n| (n.to_string(), n.into())).collect::<serde_json::Map<_, _>>()}),
    ];
    let ends = Ends::open(site).await;
    for value in values {
        assert_eq!(ends.to_a_node::<Value>(&value).await, value, "to a node");
        assert_eq!(ends.to_python(&value).await, value, "to Python");
    }
    if site.setup.format == PayloadFormat::MsgPack {
        what_only_messagepack_has(&ends).await;
    }
}

async fn what_only_messagepack_has(ends: &Ends) {
    let bytes: Vec<u8> = (0..=255).collect();
    let in_python = json!({"type": "raw", "bytes": rig::bytes(&bytes), "float": {"__float__": "-inf"}});
    let raw = Raw { kind: "raw".into(), bytes: Blob(bytes), float: f64::NEG_INFINITY };
    assert_eq!(ends.to_a_node::<Raw>(&in_python).await, raw);
    assert_eq!(ends.to_python(&raw).await, in_python);
}

/// A node and a Python process, and a channel of each.
struct Ends {
    node: Node,
    channel: Topic,
    django: Layer,
    in_python: Topic,
}

impl Ends {
    async fn open(site: &Site) -> Self {
        let (node, django) = (site.node(), site.django().await);
        let (own, in_python) = (node.own_channel().await, site.channel_of(&django).await);
        Self { node, channel: own, django, in_python: channel(&in_python) }
    }

    async fn to_a_node<M: Message>(&self, message: &Value) -> M {
        let before = self.node.payloads(&self.channel, 0).await.len();
        self.django.send(self.channel.name(), message.clone()).await.unwrap();
        let payloads = self.node.payloads(&self.channel, before + 1).await;
        self.node.layer.format().decode(&payloads[before]).unwrap()
    }

    async fn to_python(&self, message: &impl Message) -> Value {
        self.node.publish(&self.in_python, message).await;
        self.django.receive(self.in_python.name(), PATIENCE).await.unwrap().unwrap()
    }
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Raw {
    #[serde(rename = "type")]
    kind: String,
    bytes: Blob,
    float: f64,
}

/// Bytes that serde writes as such.
#[derive(Debug, PartialEq)]
struct Blob(Vec<u8>);

impl Serialize for Blob {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Blob {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bytes;
        impl Visitor<'_> for Bytes {
            type Value = Blob;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("bytes")
            }
            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Blob, E> {
                Ok(Blob(bytes.to_vec()))
            }
        }
        deserializer.deserialize_bytes(Bytes)
    }
}
