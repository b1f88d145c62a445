use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::shard::SlotKey;

/// Names one open connection, on whichever node, as [`Live`](super::Live) gives it.
///
/// Its text is 24 characters of `A–Z a–z 0–9 - _`. It is good for as long as the connection is open and never names another
/// one, neither later nor on a node that was started anew. It opens nothing: it may be shown, and stand in an address.
///
/// ```
/// use narrows::live::ConnectionId;
///
/// assert!("q83vASNFZ4kAAQAAAAcAAAAD".parse::<ConnectionId>().is_ok());
/// assert!("room.lobby".parse::<ConnectionId>().is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId {
    pub(super) node: u64,
    pub(super) shard: u16,
    pub(super) index: u32,
    pub(super) generation: u32,
}

impl ConnectionId {
    pub(super) fn new(node: u64, shard: u16, key: SlotKey) -> Self {
        Self { node, shard, index: key.index, generation: key.generation }
    }

    pub(super) fn key(self) -> SlotKey {
        SlotKey { index: self.index, generation: self.generation }
    }
}

impl fmt::Display for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = [0; 18];
        bytes[..8].copy_from_slice(&self.node.to_be_bytes());
        bytes[8..10].copy_from_slice(&self.shard.to_be_bytes());
        bytes[10..14].copy_from_slice(&self.index.to_be_bytes());
        bytes[14..].copy_from_slice(&self.generation.to_be_bytes());
        f.write_str(&URL_SAFE_NO_PAD.encode(bytes))
    }
}

/// A text that names no connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is not the id of a connection")]
#[non_exhaustive]
pub struct ParseConnectionIdError;

impl FromStr for ConnectionId {
    type Err = ParseConnectionIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| ParseConnectionIdError)?;
        let bytes: [u8; 18] = bytes.try_into().map_err(|_| ParseConnectionIdError)?;
        let [n0, n1, n2, n3, n4, n5, n6, n7, s0, s1, i0, i1, i2, i3, g0, g1, g2, g3] = bytes;
        Ok(Self {
            node: u64::from_be_bytes([n0, n1, n2, n3, n4, n5, n6, n7]),
            shard: u16::from_be_bytes([s0, s1]),
            index: u32::from_be_bytes([i0, i1, i2, i3]),
            generation: u32::from_be_bytes([g0, g1, g2, g3]),
        })
    }
}

impl Serialize for ConnectionId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ConnectionId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_as_it_was_written_and_no_other_text_is_one() {
        let id = ConnectionId { node: 0xABCD_EF01_2345_6789, shard: 1, index: 7, generation: u32::MAX };
        let text = id.to_string();
        assert_eq!((text.len(), text.parse()), (24, Ok(id)));
        for bad in ["", &text[1..], &format!("{text}A"), "????????????????????????", &"A".repeat(10_000)] {
            assert!(bad.parse::<ConnectionId>().is_err(), "{bad}");
        }
    }
}
