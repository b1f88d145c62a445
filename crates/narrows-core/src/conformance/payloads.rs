use std::collections::BTreeMap;
use std::fmt;

use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::suite::{Failure, Suite, ensure, fresh_group};
use crate::ChannelLayer;

impl<L: ChannelLayer, F: AsyncFn(usize) -> Vec<L>> Suite<F> {
    /// The bytes that arrive are those that were published: an empty map, each value a byte can have, the
    /// largest payload.
    ///
    /// # Errors
    /// When they are not.
    pub async fn payloads_arrive_byte_for_byte(&self) -> Result<(), Failure> {
        let (nodes, topic) = (self.start().await, fresh_group());
        let format = nodes[0].format();
        let bytes = Blob((0..=u8::MAX).collect());
        // Room for the field's name and the markers around it.
        let large = "x".repeat(self.max_payload_bytes.saturating_sub(16));
        let sent = [
            format.encode(&BTreeMap::<String, u8>::new()),
            format.encode(&BTreeMap::from([("bytes".to_owned(), bytes)])),
            format.encode(&BTreeMap::from([("text".to_owned(), "\0\u{7f}\n\"\\é聊🎉".to_owned())])),
            format.encode(&BTreeMap::from([("large".to_owned(), large)])),
        ]
        .map(|payload| payload.expect("the suite's payloads are maps"));
        for node in &nodes {
            node.subscribe(&topic).await?;
        }
        for payload in &sent {
            nodes[0].publish(&topic, payload.clone()).await?;
        }
        for (node, n) in nodes.iter().zip(0..) {
            node.wait_for(&topic, sent.len()).await?;
            for (payload, arrived) in sent.iter().zip(node.payloads(&topic)) {
                let (was, is) = (payload.len(), arrived.len());
                ensure(*payload == arrived, || {
                    format!("a payload of {was} bytes reached node {n} changed, with {is} bytes")
                })?;
            }
        }
        Ok(())
    }
}

/// Bytes that serde writes as such where a format has them.
struct Blob(Vec<u8>);

impl Serialize for Blob {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Blob {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bytes;
        impl<'de> Visitor<'de> for Bytes {
            type Value = Blob;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("bytes")
            }
            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Blob, E> {
                Ok(Blob(bytes.to_vec()))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Blob, A::Error> {
                let mut bytes = Vec::new();
                while let Some(byte) = list.next_element()? {
                    bytes.push(byte);
                }
                Ok(Blob(bytes))
            }
        }
        deserializer.deserialize_bytes(Bytes)
    }
}
