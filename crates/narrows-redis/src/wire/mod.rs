//! Messages as they stand in Redis: what channels_redis calls its serializers.

mod json;
mod msgpack;
mod position;

use std::ops::Range;
use std::time::Duration;

use bytes::Bytes;
use narrows_core::{PayloadFormat, Position, Skipped};
use rand::Rng;

use crate::keys::Keys;

/// The key under which a message of the core layer says for whom it is, the last one of its map.
const ADDRESS_KEY: &str = "__asgi_channel__";

/// How payloads are written into Redis and read from it. All processes on one Redis must have it alike.
///
/// The pub/sub form of a message is the payload; that of the core layer is a random prefix, which makes members of a
/// sorted set unique, and the payload with one more key for the address. With keys, a Fernet token stands in the
/// place of the payload.
#[derive(Debug)]
pub(crate) struct Wire {
    pub(crate) format: PayloadFormat,
    pub(crate) keys: Option<Keys>,
    /// `random_prefix_length`, 12 bytes in channels_redis unless told otherwise; of the core layer only.
    pub(crate) random_prefix: usize,
    /// Of a message in Redis, with all that is added to its payload.
    pub(crate) max_message_bytes: usize,
}

/// For whom a message of the core layer is: full channel names.
#[derive(Debug, Clone, Copy)]
pub(crate) enum To<'a> {
    /// As `send` writes it.
    One(&'a str),
    /// As `group_send` writes it.
    List(&'a [&'a str]),
}

/// A message that is written but for its position, which a script gives it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unplaced {
    /// What stands before the text of the position.
    pub(crate) head: Vec<u8>,
    pub(crate) ending: Ending,
}

/// How a message ends that has a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ending {
    /// What stands for each of `0123456789abcdef-` in the text of the position; nothing where that stands as it is.
    pub(crate) digits: &'static str,
    /// What stands behind it.
    pub(crate) tail: &'static str,
}

/// A message of the pub/sub layer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Opened {
    pub(crate) payload: Bytes,
    /// Where it stands in the history of its group, if it was given a place there.
    pub(crate) at: Option<Position>,
}

/// A message of the core layer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Addressed {
    pub(crate) payload: Bytes,
    /// Empty for a message without an address.
    pub(crate) to: Vec<String>,
    /// As in [`Opened`].
    pub(crate) at: Option<Position>,
}

impl Wire {
    /// The pub/sub form of a payload. Without keys that is the payload itself.
    pub(crate) fn seal(&self, payload: Bytes) -> Bytes {
        match (&self.keys, self.format) {
            (Some(keys), _) => keys.seal(&payload).into(),
            // Somebody's text that was passed on as it is: it is not to be taken for a message with a position.
            (None, PayloadFormat::Json) if json::position(&payload).is_some() => {
                [&payload[..], b" "].concat().into()
            }
            (None, _) => payload,
        }
    }

    /// The pub/sub form of a payload that is to have a position; only a map can.
    pub(crate) fn seal_unplaced(&self, payload: &[u8]) -> Result<Unplaced, Skipped> {
        let is_map = match self.format {
            PayloadFormat::MsgPack => msgpack::is_map(payload),
            PayloadFormat::Json => json::is_object(payload),
        };
        if is_map { Ok(self.unplaced(payload, None, 0)) } else { Err(Skipped::Malformed) }
    }

    /// The payload of a message in the pub/sub form, however old it is. Without keys it is not copied.
    pub(crate) fn open(&self, mut wire: Vec<u8>) -> Result<Opened, Skipped> {
        self.check_size(&wire)?;
        if let Some(keys) = &self.keys {
            let behind = position::behind_token(&wire);
            if let Some((token, _)) = behind {
                wire.truncate(token);
            }
            let payload = keys.open(&wire, None).map_err(|_| Skipped::Undecryptable)?;
            self.check(&payload)?;
            return Ok(Opened { payload: payload.into(), at: behind.map(|(_, at)| at) });
        }
        match self.format {
            PayloadFormat::MsgPack => msgpack::open(wire),
            PayloadFormat::Json => json::open(wire),
        }
    }

    /// How messages with a position end.
    pub(crate) fn ending(&self) -> Ending {
        match (&self.keys, self.format) {
            (Some(_), _) => Ending { digits: position::BEHIND_TOKEN, tail: "" },
            (None, PayloadFormat::MsgPack) => Ending { digits: position::PLAIN, tail: "" },
            (None, PayloadFormat::Json) => Ending { digits: position::PLAIN, tail: position::JSON_END },
        }
    }

    fn unplaced(&self, payload: &[u8], to: Option<To<'_>>, random_prefix: usize) -> Unplaced {
        // With keys the position stands outside of the token: whoever gives it cannot open that.
        let at = self.keys.is_none();
        let mut head = match self.format {
            PayloadFormat::MsgPack => self.write(&msgpack::Addressing::new(payload, to, at), random_prefix),
            PayloadFormat::Json => self.write(&json::Addressing::new(payload, to, at), random_prefix),
        };
        if !at {
            head.push(position::TOKEN);
        }
        Unplaced { head, ending: self.ending() }
    }

    fn check(&self, payload: &[u8]) -> Result<(), Skipped> {
        match self.format {
            PayloadFormat::MsgPack => msgpack::check(payload),
            PayloadFormat::Json => json::check(payload),
        }
    }

    /// The core layer's form of a payload: one member of a sorted set.
    ///
    /// A payload that is no map gets no address; its receiver finds it malformed.
    pub(crate) fn seal_for(&self, payload: &[u8], to: Option<To<'_>>) -> Vec<u8> {
        match self.format {
            PayloadFormat::MsgPack => {
                self.write(&msgpack::Addressing::new(payload, to, false), self.random_prefix)
            }
            PayloadFormat::Json => self.write(&json::Addressing::new(payload, to, false), self.random_prefix),
        }
    }

    /// The same of a payload that is to have a position.
    pub(crate) fn seal_unplaced_for(&self, payload: &[u8], to: To<'_>) -> Unplaced {
        self.unplaced(payload, Some(to), self.random_prefix)
    }

    /// The payload and the address of a message in the core layer's form. Where there are keys, one that was sealed
    /// more than `max_age` ago is not opened.
    pub(crate) fn open_addressed(&self, mut wire: Vec<u8>, max_age: Duration) -> Result<Addressed, Skipped> {
        self.check_size(&wire)?;
        if wire.len() < self.random_prefix {
            return Err(Skipped::Malformed);
        }
        let split = match self.format {
            PayloadFormat::MsgPack => msgpack::split,
            PayloadFormat::Json => json::split,
        };
        let Some(keys) = &self.keys else { return split(wire, self.random_prefix) };
        let behind = position::behind_token(&wire[self.random_prefix..]);
        if let Some((token, _)) = behind {
            wire.truncate(self.random_prefix + token);
        }
        let map =
            keys.open(&wire[self.random_prefix..], Some(max_age)).map_err(|_| Skipped::Undecryptable)?;
        Ok(Addressed { at: behind.map(|(_, at)| at), ..split(map, 0)? })
    }

    fn check_size(&self, wire: &[u8]) -> Result<(), Skipped> {
        if wire.len() > self.max_message_bytes { Err(Skipped::Oversized) } else { Ok(()) }
    }

    fn write(&self, message: &impl WriteMap, random_prefix: usize) -> Vec<u8> {
        let len = message.len_hint();
        let body = if self.keys.is_some() { Keys::token_len(len) + 1 } else { len };
        let mut wire = Vec::with_capacity(random_prefix + body);
        wire.resize(random_prefix, 0);
        rand::rng().fill_bytes(&mut wire);
        match &self.keys {
            Some(keys) => keys.seal_onto(&mut wire, len, |raw| message.write(raw)),
            None => message.write(&mut wire),
        }
        wire
    }
}

impl Unplaced {
    /// The length of the message once it has its position.
    pub(crate) fn len(&self) -> usize {
        self.head.len() + position::TEXT_LEN + self.ending.tail.len()
    }
}

/// A payload and the address that goes into its map.
trait WriteMap {
    /// Room for what [`write`](Self::write) appends.
    fn len_hint(&self) -> usize;
    fn write(&self, out: &mut Vec<u8>);
}

impl To<'_> {
    fn names(&self) -> &[&str] {
        match self {
            Self::One(name) => std::slice::from_ref(name),
            Self::List(names) => names,
        }
    }
}

/// Takes ascending ranges out, in one pass.
fn remove(bytes: &mut Vec<u8>, gone: &[Range<usize>]) {
    let Some(first) = gone.first() else { return };
    let mut end = first.start;
    for (at, range) in gone.iter().enumerate() {
        let next = gone.get(at + 1).map_or(bytes.len(), |next| next.start);
        bytes.copy_within(range.end..next, end);
        end += next - range.end;
    }
    bytes.truncate(end);
}

#[cfg(test)]
mod position_tests;
#[cfg(test)]
mod tests;
