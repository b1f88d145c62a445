//! The outermost members of a JSON object, found without reading what is in them.
//!
//! What is no JSON gives some answer or none; reading the message itself says what is wrong with it.

use std::ops::Range;

use super::envelope::{Members, OURS, REF, TYPE};

/// Finds `ref`, where it is a whole number without a sign, and whether `type` is one of ours. Keys that are written
/// with escapes are not looked at; of keys that come twice the first counts.
pub(super) fn members(text: &[u8]) -> Option<Members> {
    let mut at = Cursor { text, at: 0 };
    at.expect(b'{')?;
    let (mut found, mut typed, mut comma) = (Members::default(), false, None);
    loop {
        at.space();
        let start = at.at;
        let key = at.string()?;
        at.expect(b':')?;
        at.space();
        let value = at.value()?;
        let next = at.next()?;
        if next != b',' && next != b'}' {
            return None;
        }
        if key == REF && found.reference.is_none() {
            // With the comma before it, where it is the last.
            let span = match (next, comma) {
                (b',', _) => start..at.at,
                (_, Some(before)) => before..at.at - 1,
                (_, None) => start..at.at - 1,
            };
            found.reference = number(value).map(|number| (number, span));
        } else if key == TYPE && !typed {
            typed = true;
            found.ours = value.strip_prefix(b"\"").is_some_and(|value| value.starts_with(OURS));
        }
        if next == b'}' || (typed && found.reference.is_some()) {
            return Some(found);
        }
        comma = Some(at.at - 1);
    }
}

/// The text without a span of it.
pub(super) fn without(text: &[u8], span: Range<usize>) -> Vec<u8> {
    [&text[..span.start], &text[span.end..]].concat()
}

fn number(digits: &[u8]) -> Option<u64> {
    let plain = digits.iter().all(u8::is_ascii_digit) && digits.first() != Some(&b'0');
    std::str::from_utf8(digits).ok().filter(|_| plain)?.parse().ok()
}

struct Cursor<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    fn space(&mut self) {
        while matches!(self.text.get(self.at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    /// The next byte that is not space; the cursor is behind it.
    fn next(&mut self) -> Option<u8> {
        self.space();
        let byte = *self.text.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        (self.next()? == byte).then_some(())
    }

    /// What is between the quotes of a string.
    fn string(&mut self) -> Option<&'a [u8]> {
        self.expect(b'"')?;
        let start = self.at;
        loop {
            match self.text.get(self.at)? {
                b'"' => break,
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
        self.at += 1;
        Some(&self.text[start..self.at - 1])
    }

    /// A value, however deep it goes.
    fn value(&mut self) -> Option<&'a [u8]> {
        let start = self.at;
        let mut depth = 0_usize;
        loop {
            match self.text.get(self.at)? {
                b'"' => {
                    self.string()?;
                }
                b'{' | b'[' => {
                    depth += 1;
                    self.at += 1;
                }
                b'}' | b']' if depth > 0 => {
                    depth -= 1;
                    self.at += 1;
                }
                b',' | b'}' | b']' | b' ' | b'\t' | b'\n' | b'\r' if depth == 0 => break,
                _ => {
                    self.at += 1;
                    continue;
                }
            }
            if depth == 0 {
                break;
            }
        }
        Some(&self.text[start..self.at])
    }
}
