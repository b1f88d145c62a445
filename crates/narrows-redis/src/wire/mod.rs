//! Messages as they stand in Redis: what channels_redis calls its serializers.

mod json;
mod msgpack;

use std::ops::Range;
use std::time::Duration;

use bytes::Bytes;
use narrows_core::{PayloadFormat, Skipped};
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

/// A message of the core layer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Addressed {
    pub(crate) payload: Bytes,
    /// Empty for a message without an address.
    pub(crate) to: Vec<String>,
}

impl Wire {
    /// The pub/sub form of a payload. Without keys that is the payload itself.
    pub(crate) fn seal(&self, payload: Bytes) -> Bytes {
        match &self.keys {
            Some(keys) => keys.seal(&payload).into(),
            None => payload,
        }
    }

    /// The payload of a message in the pub/sub form, however old it is. Without keys it is not copied.
    pub(crate) fn open(&self, wire: Vec<u8>) -> Result<Bytes, Skipped> {
        self.check_size(&wire)?;
        let payload = self.decrypt(wire, 0, None)?;
        match self.format {
            PayloadFormat::MsgPack => msgpack::check(&payload)?,
            PayloadFormat::Json => json::check(&payload)?,
        }
        Ok(payload.into())
    }

    /// The core layer's form of a payload: one member of a sorted set.
    ///
    /// A payload that is no map gets no address; its receiver finds it malformed.
    pub(crate) fn seal_for(&self, payload: &[u8], to: Option<To<'_>>) -> Vec<u8> {
        match self.format {
            PayloadFormat::MsgPack => self.write(&msgpack::Addressing::new(payload, to)),
            PayloadFormat::Json => self.write(&json::Addressing::new(payload, to)),
        }
    }

    /// The payload and the address of a message in the core layer's form. Where there are keys, one that was sealed
    /// more than `max_age` ago is not opened.
    pub(crate) fn open_addressed(&self, wire: Vec<u8>, max_age: Duration) -> Result<Addressed, Skipped> {
        self.check_size(&wire)?;
        if wire.len() < self.random_prefix {
            return Err(Skipped::Malformed);
        }
        let start = if self.keys.is_some() { 0 } else { self.random_prefix };
        let map = self.decrypt(wire, self.random_prefix, Some(max_age))?;
        match self.format {
            PayloadFormat::MsgPack => msgpack::split(map, start),
            PayloadFormat::Json => json::split(map, start),
        }
    }

    fn check_size(&self, wire: &[u8]) -> Result<(), Skipped> {
        if wire.len() > self.max_message_bytes { Err(Skipped::Oversized) } else { Ok(()) }
    }

    /// What the token behind the prefix holds; without keys, `wire` as it is.
    fn decrypt(&self, wire: Vec<u8>, prefix: usize, max_age: Option<Duration>) -> Result<Vec<u8>, Skipped> {
        match &self.keys {
            Some(keys) => keys.open(&wire[prefix..], max_age).map_err(|_| Skipped::Undecryptable),
            None => Ok(wire),
        }
    }

    fn write(&self, message: &impl WriteMap) -> Vec<u8> {
        let len = message.len_hint();
        let body = if self.keys.is_some() { Keys::token_len(len) } else { len };
        let mut wire = Vec::with_capacity(self.random_prefix + body);
        wire.resize(self.random_prefix, 0);
        rand::rng().fill_bytes(&mut wire);
        match &self.keys {
            Some(keys) => keys.seal_onto(&mut wire, len, |raw| message.write(raw)),
            None => message.write(&mut wire),
        }
        wire
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
mod tests;
