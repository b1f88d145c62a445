use narrows_core::Position;

use crate::codec::{Codec, PayloadKind};

/// Where a message stands: `"@":["chat.lobby","9f-13"]`, the first key of an object. Other messages have none.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mark<'a> {
    pub(crate) group: &'a str,
    pub(crate) position: Position,
}

impl Mark<'_> {
    /// Puts it into the message that begins at `start`.
    pub(crate) fn put(&self, codec: Codec, kind: PayloadKind, buffer: &mut Vec<u8>, start: usize) {
        match (codec, kind) {
            (Codec::Json, PayloadKind::Text) => self.put_json(buffer, start),
            (Codec::MsgPack, PayloadKind::Binary) => self.put_msgpack(buffer, start),
            // A raw message of the other kind is nothing that the client reads as the codec's.
            _ => {}
        }
    }

    fn put_json(&self, buffer: &mut Vec<u8>, start: usize) {
        let Some(open) = first_character(buffer, start).filter(|at| buffer[*at] == b'{') else { return };
        let empty = first_character(buffer, open + 1).is_some_and(|at| buffer[at] == b'}');
        // A group's name needs no escape.
        let comma = if empty { "" } else { "," };
        let mark = format!("\"@\":[\"{}\",\"{}\"]{comma}", self.group, self.position);
        buffer.splice(open + 1..open + 1, mark.into_bytes());
    }

    fn put_msgpack(&self, buffer: &mut Vec<u8>, start: usize) {
        // https://github.com/msgpack/msgpack/blob/master/spec.md#map-format-family
        let Some(&first) = buffer.get(start) else { return };
        let number = |bytes: usize| {
            let digits = buffer.get(start + 1..start + 1 + bytes)?;
            Some((digits.iter().fold(0u32, |n, digit| n << 8 | u32::from(*digit)), 1 + bytes))
        };
        let (entries, header) = match first {
            0x80..=0x8f => (u32::from(first & 0x0f), 1),
            0xde | 0xdf => match number(if first == 0xde { 2 } else { 4 }) {
                Some(found) => found,
                None => return,
            },
            _ => return,
        };
        let Some(entries) = entries.checked_add(1) else { return };
        let mut mark = match entries {
            0..=15 => vec![0x80 | entries as u8],
            16..=0xffff => [&[0xde][..], &(entries as u16).to_be_bytes()].concat(),
            _ => [&[0xdf][..], &entries.to_be_bytes()].concat(),
        };
        let place = (self.group, self.position.to_string());
        let written = rmp_serde::encode::write(&mut mark, "@")
            .and_then(|()| rmp_serde::encode::write(&mut mark, &place));
        if written.is_ok() {
            buffer.splice(start..start + header, mark);
        }
    }
}

fn first_character(buffer: &[u8], start: usize) -> Option<usize> {
    let rest = buffer.get(start..)?;
    rest.iter().position(|byte| !byte.is_ascii_whitespace()).map(|at| start + at)
}

#[cfg(all(test, not(narrows_loom)))]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::{Value, json};

    use super::*;

    const MARK: Mark<'_> = Mark { group: "chat.lobby", position: Position { epoch: 0x9f, offset: 13 } };

    #[test]
    fn an_object_gets_its_place_as_the_first_key_and_nothing_else_changes() {
        for (plain, marked) in [
            (r#"{"type":"said","n":1}"#, r#"{"@":["chat.lobby","9f-13"],"type":"said","n":1}"#),
            ("{}", r#"{"@":["chat.lobby","9f-13"]}"#),
            (" { } ", r#" {"@":["chat.lobby","9f-13"] } "#),
            ("[1]", "[1]"),
            ("7", "7"),
            ("", ""),
        ] {
            let mut buffer = [b"header", plain.as_bytes()].concat();
            MARK.put(Codec::Json, PayloadKind::Text, &mut buffer, 6);
            assert_eq!(std::str::from_utf8(&buffer[6..]), Ok(marked));
        }
    }

    #[test]
    fn a_map_of_any_size_in_msgpack_gets_it_too() {
        for size in [0usize, 1, 14, 15, 16, 65_534, 65_535, 65_536] {
            let map: BTreeMap<String, usize> = (0..size).map(|n| (n.to_string(), n)).collect();
            let mut buffer = [vec![0; 10], rmp_serde::to_vec_named(&map).unwrap()].concat();
            MARK.put(Codec::MsgPack, PayloadKind::Binary, &mut buffer, 10);
            let marked: BTreeMap<String, Value> = rmp_serde::from_slice(&buffer[10..]).unwrap();
            assert_eq!((marked.len(), &marked["@"]), (size + 1, &json!(["chat.lobby", "9f-13"])));
            let first = buffer.windows(2).position(|two| two == b"\xa1@").unwrap();
            assert!(first <= 10 + 5, "it is the first key");
        }
        for other in [&[][..], &[0x93, 1, 2, 3], &[0xa1, b'x'], &[0xde, 0], &[0xdf, 0xff, 0xff, 0xff, 0xff]] {
            let mut buffer = other.to_vec();
            MARK.put(Codec::MsgPack, PayloadKind::Binary, &mut buffer, 0);
            assert_eq!(buffer, other);
        }
    }
}
