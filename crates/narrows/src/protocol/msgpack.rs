//! The outermost members of a map in MessagePack, found without reading what is in them.
//!
//! The format: <https://github.com/msgpack/msgpack/blob/master/spec.md>.

use std::ops::Range;

use super::envelope::{Members, OURS, REF, TYPE};

/// Finds `ref`, where it is a whole number, and whether `type` is one of ours. Of keys that come twice the first counts.
pub(super) fn members(bytes: &[u8]) -> Option<Members> {
    let mut at = Cursor { bytes, at: 0 };
    let (mut found, mut typed) = (Members::default(), false);
    for _ in 0..at.map()? {
        let start = at.at;
        let key = at.string_or_skip()?;
        if key == Some(REF) && found.reference.is_none() {
            if let Some(number) = at.number_or_skip()? {
                found.reference = Some((number, start..at.at));
            }
        } else if key == Some(TYPE) && !typed {
            typed = true;
            found.ours = at.string_or_skip()?.is_some_and(|value| value.starts_with(OURS));
        } else {
            at.skip()?;
        }
        if typed && found.reference.is_some() {
            break;
        }
    }
    Some(found)
}

/// The map without the member in this span.
pub(super) fn without(bytes: &[u8], span: Range<usize>) -> Vec<u8> {
    let mut at = Cursor { bytes, at: 0 };
    let members = at.map().map_or(0, |members| members.saturating_sub(1));
    let width = at.at;
    let mut header = bytes[..width].to_vec();
    match width {
        1 => header[0] = 0x80 | members as u8,
        _ => header[1..].copy_from_slice(&members.to_be_bytes()[9 - width..]),
    }
    [&header, &bytes[width..span.start], &bytes[span.end..]].concat()
}

struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let taken = self.bytes.get(self.at..self.at.checked_add(count)?)?;
        self.at += count;
        Some(taken)
    }

    fn byte(&mut self) -> Option<u8> {
        Some(self.take(1)?[0])
    }

    /// A big-endian number of so many bytes.
    fn be(&mut self, width: usize) -> Option<u64> {
        Some(self.take(width)?.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    /// How many members the map has that begins here.
    fn map(&mut self) -> Option<u64> {
        match self.byte()? {
            head @ 0x80..=0x8f => Some(u64::from(head & 0x0f)),
            0xde => self.be(2),
            0xdf => self.be(4),
            _ => None,
        }
    }

    fn string_or_skip(&mut self) -> Option<Option<&'a [u8]>> {
        let start = self.at;
        let length = match self.byte()? {
            head @ 0xa0..=0xbf => u64::from(head & 0x1f),
            0xd9 => self.be(1)?,
            0xda => self.be(2)?,
            0xdb => self.be(4)?,
            _ => {
                self.at = start;
                self.skip()?;
                return Some(None);
            }
        };
        self.take(usize::try_from(length).ok()?).map(Some)
    }

    fn number_or_skip(&mut self) -> Option<Option<u64>> {
        let start = self.at;
        let number = match self.byte()? {
            head @ 0..=0x7f => u64::from(head),
            head @ 0xcc..=0xd3 => {
                let width = 1_usize << (head & 3);
                let number = self.be(width)?;
                let negative = head >= 0xd0 && number >> (8 * width - 1) == 1;
                return Some((!negative).then_some(number));
            }
            _ => {
                self.at = start;
                self.skip()?;
                return Some(None);
            }
        };
        Some(Some(number))
    }

    /// Passes over one value, however deep it goes.
    fn skip(&mut self) -> Option<()> {
        let mut left = 1_u64;
        while left > 0 {
            left -= 1;
            let (bytes, values) = match self.byte()? {
                0..=0x7f | 0xc0..=0xc3 | 0xe0..=0xff => (0, 0),
                head @ 0x80..=0x8f => (0, 2 * u64::from(head & 0x0f)),
                head @ 0x90..=0x9f => (0, u64::from(head & 0x0f)),
                head @ 0xa0..=0xbf => (u64::from(head & 0x1f), 0),
                0xc4 | 0xd9 => (self.be(1)?, 0),
                0xc5 | 0xda => (self.be(2)?, 0),
                0xc6 | 0xdb => (self.be(4)?, 0),
                // Extensions: a byte of type more than they say.
                0xc7 => (self.be(1)? + 1, 0),
                0xc8 => (self.be(2)? + 1, 0),
                0xc9 => (self.be(4)? + 1, 0),
                0xca => (4, 0),
                0xcb => (8, 0),
                head @ 0xcc..=0xd3 => (1 << (head & 3), 0),
                head @ 0xd4..=0xd8 => ((1 << (head - 0xd4)) + 1, 0),
                0xdc => (0, self.be(2)?),
                0xdd => (0, self.be(4)?),
                0xde => (0, 2 * self.be(2)?),
                0xdf => (0, 2 * self.be(4)?),
            };
            self.take(usize::try_from(bytes).ok()?)?;
            // Each has a byte at least: more than there are is no MessagePack.
            left = left.checked_add(values).filter(|left| *left <= self.bytes.len() as u64)?;
        }
        Some(())
    }
}
