use std::ops::Range;

use bytes::Bytes;
use narrows_core::Skipped;
use rmp::Marker;
use rmp::encode::{write_array_len, write_map_len, write_str};

use super::position::{self, MSGPACK};
use super::{ADDRESS_KEY, Addressed, Opened, To, WriteMap, remove};

/// The longest header of a map, a list or a text.
const MAX_HEADER: usize = 5;

/// A map in MessagePack and what is to be added to it. Nothing of the map but its header is looked at.
pub(super) struct Addressing<'a> {
    payload: &'a [u8],
    /// The map's new number of entries, and where its old header ends; nothing where nothing is added.
    header: Option<(u32, usize)>,
    to: Option<To<'a>>,
    /// Whether a position follows.
    at: bool,
}

impl<'a> Addressing<'a> {
    pub(super) fn new(payload: &'a [u8], to: Option<To<'a>>, at: bool) -> Self {
        let more = u32::from(to.is_some()) + u32::from(at);
        let header = || {
            let mut reader = Reader::new(payload, 0);
            let entries = reader.map_header().ok()?.checked_add(more)?;
            Some((entries, reader.at))
        };
        Self { payload, header: (more > 0).then(header).flatten(), to, at }
    }
}

impl WriteMap for Addressing<'_> {
    fn len_hint(&self) -> usize {
        let address = self.to.iter().flat_map(To::names);
        let names: usize = address.map(|name| MAX_HEADER + name.len()).sum();
        self.payload.len() + 3 * MAX_HEADER + ADDRESS_KEY.len() + names + MSGPACK.len()
    }

    fn write(&self, out: &mut Vec<u8>) {
        const VEC: &str = "writing to a Vec does not fail";
        let Some((entries, body)) = self.header else {
            out.extend_from_slice(self.payload);
            return;
        };
        write_map_len(out, entries).expect(VEC);
        out.extend_from_slice(&self.payload[body..]);
        if let Some(to) = self.to {
            write_str(out, ADDRESS_KEY).expect(VEC);
            if let To::List(names) = to {
                write_array_len(out, u32::try_from(names.len()).expect("no group has 4 billion members"))
                    .expect(VEC);
            }
            for name in to.names() {
                write_str(out, name).expect(VEC);
            }
        }
        if self.at {
            out.extend_from_slice(MSGPACK);
        }
    }
}

/// Whether this begins as a map to which something can be added.
pub(super) fn is_map(payload: &[u8]) -> bool {
    Reader::new(payload, 0).map_header().is_ok_and(|entries| entries < u32::MAX - 1)
}

/// Whether this is one whole map, with nothing behind it.
pub(super) fn check(map: &[u8]) -> Result<(), Skipped> {
    let mut reader = Reader::new(map, 0);
    let entries = reader.map_header()?;
    reader.skip(2 * u64::from(entries))?;
    reader.end()
}

/// The map, without its position.
///
/// What looks like a position can be bytes at the end of a value: it is one where the map before it is whole. So each
/// message is gone through once, whichever it is.
pub(super) fn open(mut bytes: Vec<u8>) -> Result<Opened, Skipped> {
    if let Some((end, at)) = position::at_end(&bytes, MSGPACK, b"")
        && let Some((kept, body)) = before(&bytes[..end])
    {
        bytes.truncate(end);
        let start = shorten(&mut bytes, kept, body);
        return Ok(Opened { payload: Bytes::from(bytes).slice(start..), at: Some(at) });
    }
    check(&bytes)?;
    Ok(Opened { payload: bytes.into(), at: None })
}

/// The number of entries of a map that lacks its last one, and where its header ends.
fn before(map: &[u8]) -> Option<(u32, usize)> {
    let mut reader = Reader::new(map, 0);
    let kept = reader.map_header().ok()?.checked_sub(1)?;
    let body = reader.at;
    reader.skip(2 * u64::from(kept)).and_then(|()| reader.end()).ok()?;
    Some((kept, body))
}

/// Writes the header of a map that has fewer entries now, before `body`; gives where it begins.
fn shorten(bytes: &mut [u8], kept: u32, body: usize) -> usize {
    let mut header = Vec::with_capacity(MAX_HEADER);
    write_map_len(&mut header, kept).expect("writing to a Vec does not fail");
    // The new header is no longer than the old one, which told of more entries.
    let start = body - header.len();
    bytes[start..body].copy_from_slice(&header);
    start
}

/// Takes the address and the position out of the map that begins at `start`, in place.
pub(super) fn split(mut bytes: Vec<u8>, start: usize) -> Result<Addressed, Skipped> {
    let mut reader = Reader::new(&bytes, start);
    let entries = reader.map_header()?;
    let body = reader.at;
    let mut kept = entries;
    let mut gone: Vec<Range<usize>> = Vec::new();
    let (mut address, mut at) = (None, None);
    let last = position::at_end(&bytes[start..], MSGPACK, b"").map(|(end, at)| (start + end, at));
    for _ in 0..entries {
        let key = reader.at;
        if let Some((end, found)) = last
            && end == key
        {
            // What follows is whole, and the end.
            reader.at = bytes.len();
            (kept, at) = (kept - 1, Some(found));
            gone.push(key..bytes.len());
            continue;
        }
        let is_address = reader.text() == Some(ADDRESS_KEY.as_bytes());
        if !is_address {
            reader.at = key;
            reader.skip(2)?;
            continue;
        }
        address = Some(reader.at);
        reader.skip(1)?;
        kept -= 1;
        match gone.last_mut() {
            Some(last) if last.end == key => last.end = reader.at,
            _ => gone.push(key..reader.at),
        }
    }
    reader.end()?;
    if gone.is_empty() {
        return Ok(Addressed { payload: Bytes::from(bytes).slice(start..), to: Vec::new(), at });
    }
    let to = address.map_or(Ok(Vec::new()), |address| Reader::new(&bytes, address).address())?;
    remove(&mut bytes, &gone);
    let start = shorten(&mut bytes, kept, body);
    Ok(Addressed { payload: Bytes::from(bytes).slice(start..), to, at })
}

/// Goes through MessagePack (<https://github.com/msgpack/msgpack/blob/master/spec.md>) without building values.
struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn new(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at }
    }

    fn map_header(&mut self) -> Result<u32, Skipped> {
        match self.marker()? {
            Marker::FixMap(entries) => Ok(entries.into()),
            Marker::Map16 => self.number(2),
            Marker::Map32 => self.number(4),
            _ => Err(Skipped::Malformed),
        }
    }

    /// The bytes of a text. `None` when something else stands here, and the place is lost.
    fn text(&mut self) -> Option<&'a [u8]> {
        let len = match self.marker().ok()? {
            Marker::FixStr(len) => len.into(),
            Marker::Str8 => self.number(1).ok()?,
            Marker::Str16 => self.number(2).ok()?,
            Marker::Str32 => self.number(4).ok()?,
            _ => return None,
        };
        self.take(len as usize).ok()
    }

    fn name(&mut self) -> Result<String, Skipped> {
        let text = self.text().and_then(|text| std::str::from_utf8(text).ok());
        Ok(text.ok_or(Skipped::Malformed)?.to_owned())
    }

    /// One name or a list of names.
    fn address(&mut self) -> Result<Vec<String>, Skipped> {
        let start = self.at;
        let len = match self.marker()? {
            Marker::FixArray(len) => len.into(),
            Marker::Array16 => self.number(2)?,
            Marker::Array32 => self.number(4)?,
            _ => {
                self.at = start;
                return Ok(vec![self.name()?]);
            }
        };
        (0..len).map(|_| self.name()).collect()
    }

    /// Goes past a number of values and all that is in them, however deep.
    fn skip(&mut self, values: u64) -> Result<(), Skipped> {
        let mut left = values;
        while left > 0 {
            // A value takes a byte at least, so `left` stays far from overflowing.
            if left > (self.bytes.len() - self.at) as u64 {
                return Err(Skipped::Malformed);
            }
            left -= 1;
            let bytes = match self.marker()? {
                Marker::FixPos(_) | Marker::FixNeg(_) | Marker::Null | Marker::False | Marker::True => 0,
                Marker::U8 | Marker::I8 => 1,
                Marker::U16 | Marker::I16 | Marker::FixExt1 => 2,
                Marker::FixExt2 => 3,
                Marker::U32 | Marker::I32 | Marker::F32 => 4,
                Marker::FixExt4 => 5,
                Marker::U64 | Marker::I64 | Marker::F64 => 8,
                Marker::FixExt8 => 9,
                Marker::FixExt16 => 17,
                Marker::FixStr(len) => len.into(),
                Marker::Str8 | Marker::Bin8 => self.number(1)? as usize,
                Marker::Str16 | Marker::Bin16 => self.number(2)? as usize,
                Marker::Str32 | Marker::Bin32 => self.number(4)? as usize,
                // One byte more, for the type.
                Marker::Ext8 => self.number(1)? as usize + 1,
                Marker::Ext16 => self.number(2)? as usize + 1,
                Marker::Ext32 => (self.number(4)? as usize).saturating_add(1),
                Marker::FixArray(len) => {
                    left += u64::from(len);
                    0
                }
                Marker::Array16 => {
                    left += u64::from(self.number(2)?);
                    0
                }
                Marker::Array32 => {
                    left += u64::from(self.number(4)?);
                    0
                }
                Marker::FixMap(entries) => {
                    left += 2 * u64::from(entries);
                    0
                }
                Marker::Map16 => {
                    left += 2 * u64::from(self.number(2)?);
                    0
                }
                Marker::Map32 => {
                    left += 2 * u64::from(self.number(4)?);
                    0
                }
                Marker::Reserved => return Err(Skipped::Malformed),
            };
            self.take(bytes)?;
        }
        Ok(())
    }

    fn marker(&mut self) -> Result<Marker, Skipped> {
        Ok(Marker::from_u8(self.take(1)?[0]))
    }

    /// A number of one, two or four bytes.
    fn number(&mut self, bytes: usize) -> Result<u32, Skipped> {
        Ok(self.take(bytes)?.iter().fold(0, |number, &byte| number << 8 | u32::from(byte)))
    }

    fn take(&mut self, bytes: usize) -> Result<&'a [u8], Skipped> {
        let taken = self.bytes[self.at..].get(..bytes).ok_or(Skipped::Malformed)?;
        self.at += bytes;
        Ok(taken)
    }

    fn end(&self) -> Result<(), Skipped> {
        if self.at == self.bytes.len() { Ok(()) } else { Err(Skipped::Malformed) }
    }
}
