use std::fmt;
use std::ops::Range;

use bytes::Bytes;
use narrows_core::{Position, Skipped};
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::position::{self, JSON, JSON_END};
use super::{ADDRESS_KEY, Addressed, Opened, To, WriteMap, remove};

/// An object in JSON and what is to be added to it. Nothing of the object but its end is looked at.
pub(super) struct Addressing<'a> {
    payload: &'a [u8],
    /// The object up to where its last entry ends; nothing where nothing is added.
    open: Option<&'a [u8]>,
    to: Option<To<'a>>,
    /// Whether a position follows.
    at: bool,
}

impl<'a> Addressing<'a> {
    pub(super) fn new(payload: &'a [u8], to: Option<To<'a>>, at: bool) -> Self {
        Self { payload, open: open_part(payload).filter(|_| to.is_some() || at), to, at }
    }
}

/// An object up to where its last entry ends.
fn open_part(payload: &[u8]) -> Option<&[u8]> {
    let object = payload.trim_ascii().strip_suffix(b"}").filter(|open| open.starts_with(b"{"));
    object.map(<[u8]>::trim_ascii_end)
}

/// Whether this begins and ends as an object, to which something can be added.
pub(super) fn is_object(payload: &[u8]) -> bool {
    open_part(payload).is_some()
}

impl WriteMap for Addressing<'_> {
    fn len_hint(&self) -> usize {
        let address = self.to.iter().flat_map(To::names);
        // Channel names hold nothing that needs an escape: a quote on each side, a comma and a space.
        let names: usize = address.map(|name| name.len() + 4).sum();
        self.payload.len() + ADDRESS_KEY.len() + 9 + names + JSON.len() + 1
    }

    fn write(&self, out: &mut Vec<u8>) {
        let Some(open) = self.open else {
            out.extend_from_slice(self.payload);
            return;
        };
        out.extend_from_slice(open);
        let mut is_empty = open.len() == 1;
        if let Some(to) = self.to {
            if !is_empty {
                out.extend_from_slice(b", ");
            }
            write_address(out, to);
            is_empty = false;
        }
        if !self.at {
            return out.push(b'}');
        }
        if !is_empty {
            out.push(b',');
        }
        out.extend_from_slice(JSON);
    }
}

fn write_address(out: &mut Vec<u8>, to: To<'_>) {
    out.push(b'"');
    out.extend_from_slice(ADDRESS_KEY.as_bytes());
    out.extend_from_slice(b"\": ");
    match to {
        To::One(name) => write_text(out, name),
        To::List(names) => {
            out.push(b'[');
            for (at, name) in names.iter().enumerate() {
                if at > 0 {
                    out.extend_from_slice(b", ");
                }
                write_text(out, name);
            }
            out.push(b']');
        }
    }
}

fn write_text(out: &mut Vec<u8>, text: &str) {
    serde_json::to_writer(out, text).expect("writing a text to a Vec does not fail");
}

/// Whether this is one whole object, with nothing behind it.
pub(super) fn check(object: &[u8]) -> Result<(), Skipped> {
    struct Object;
    impl<'de> Visitor<'de> for Object {
        type Value = ();
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }
        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
            IgnoredAny.visit_map(map).map(drop)
        }
    }
    let text = text(object)?;
    let mut json = serde_json::Deserializer::from_str(text);
    (&mut json).deserialize_map(Object).and_then(|()| json.end()).map_err(|_| Skipped::Malformed)
}

/// The position at the end of an object, and where what is left of that ends: at a comma or the opening brace.
pub(super) fn position(object: &[u8]) -> Option<(usize, Position)> {
    let (start, at) = position::at_end(object, JSON, JSON_END.as_bytes())?;
    match object[..start].last() {
        Some(b',') => Some((start - 1, at)),
        Some(b'{') => Some((start, at)),
        _ => None,
    }
}

/// The object, without its position.
pub(super) fn open(mut bytes: Vec<u8>) -> Result<Opened, Skipped> {
    let found = position(&bytes);
    if let Some((end, _)) = found {
        // In the place of a comma or a tab.
        bytes.truncate(end);
        bytes.push(b'}');
    }
    check(&bytes)?;
    Ok(Opened { payload: bytes.into(), at: found.map(|(_, at)| at) })
}

/// Takes the address and the position out of the object that begins at `start`, in place. The other entries keep their
/// text.
pub(super) fn split(mut bytes: Vec<u8>, start: usize) -> Result<Addressed, Skipped> {
    let found = position(&bytes[start..]);
    if let Some((end, _)) = found {
        bytes.truncate(start + end);
        bytes.push(b'}');
    }
    let text = text(&bytes[start..])?;
    let Entries(entries) = serde_json::from_str(text).map_err(|_| Skipped::Malformed)?;
    let mut address = None;
    let mut kept_end = None;
    let mut gone: Vec<Range<usize>> = Vec::new();
    for (at, (key, value)) in entries.iter().enumerate() {
        let end = start + offset(text, value) + value.get().len();
        if !is_address(key) {
            kept_end = Some(end);
            continue;
        }
        address = Some(value);
        // With the comma in front of it; where nothing stands in front, with the one behind.
        let range = match kept_end {
            Some(kept_end) => kept_end..end,
            None => {
                let next = entries.get(at + 1).map_or(end, |(next, _)| start + offset(text, next));
                start + offset(text, key)..next
            }
        };
        match gone.last_mut() {
            Some(last) if last.start == range.start => *last = range,
            _ => gone.push(range),
        }
    }
    let to = address.map_or(Ok(Vec::new()), |address| names(address))?;
    remove(&mut bytes, &gone);
    let at = found.map(|(_, at)| at);
    Ok(Addressed { payload: Bytes::from(bytes).slice(start..), to, at })
}

/// Where in the text a part of it stands.
fn offset(text: &str, part: &RawValue) -> usize {
    part.get().as_ptr().addr() - text.as_ptr().addr()
}

/// One name or a list of names.
fn names(address: &RawValue) -> Result<Vec<String>, Skipped> {
    let text = address.get();
    let names = if text.starts_with('[') {
        serde_json::from_str(text)
    } else {
        serde_json::from_str(text).map(|name| vec![name])
    };
    names.map_err(|_| Skipped::Malformed)
}

fn text(bytes: &[u8]) -> Result<&str, Skipped> {
    std::str::from_utf8(bytes).map_err(|_| Skipped::Malformed)
}

fn is_address(key: &RawValue) -> bool {
    let quoted = key.get();
    // A key written with escapes is the same key.
    quoted.get(1..quoted.len() - 1) == Some(ADDRESS_KEY)
        || quoted.contains('\\') && serde_json::from_str::<String>(quoted).is_ok_and(|key| key == ADDRESS_KEY)
}

/// The texts of an object's keys, with their quotes, and of its values.
struct Entries<'a>(Vec<(&'a RawValue, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Entries<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Entries<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }
        }
        deserializer.deserialize_map(Object)
    }
}
