use super::ProtocolError;

/// Text that arrives in pieces, checked as it comes.
///
/// What is complete goes into a `String` at once, so no byte is checked twice; a character cut by the end of
/// a piece waits aside, after a check that it can still become one.
#[derive(Debug, Default)]
pub(super) struct TextBuffer {
    text: String,
    /// The beginning of a character, of at most three bytes between calls.
    tail: [u8; 4],
    tail_len: u8,
}

impl TextBuffer {
    pub(super) fn push(&mut self, mut bytes: &[u8]) -> Result<(), ProtocolError> {
        while self.tail_len > 0 {
            let Some((&byte, rest)) = bytes.split_first() else { return Ok(()) };
            self.push_to_tail(byte)?;
            bytes = rest;
        }
        let (whole, cut) = bytes.split_at(bytes.len() - cut_character(bytes));
        self.text.push_str(str::from_utf8(whole).map_err(|_| ProtocolError::InvalidUtf8)?);
        cut.iter().try_for_each(|&byte| self.push_to_tail(byte))
    }

    /// All the text, or an error if a character at its end is not whole.
    pub(super) fn finish(&self) -> Result<&str, ProtocolError> {
        if self.tail_len == 0 { Ok(&self.text) } else { Err(ProtocolError::InvalidUtf8) }
    }

    /// The bytes that came, those of a character not yet whole among them.
    pub(super) fn len(&self) -> usize {
        self.text.len() + usize::from(self.tail_len)
    }

    pub(super) fn capacity(&self) -> usize {
        self.text.capacity()
    }

    /// Room for this many bytes beyond [`len`](Self::len).
    pub(super) fn reserve_exact(&mut self, bytes: usize) {
        self.text.reserve_exact(usize::from(self.tail_len) + bytes);
    }

    fn push_to_tail(&mut self, byte: u8) -> Result<(), ProtocolError> {
        let len = usize::from(self.tail_len);
        self.tail[len] = byte;
        match str::from_utf8(&self.tail[..=len]) {
            Ok(character) => {
                self.text.push_str(character);
                self.tail_len = 0;
            }
            // No error length: valid so far, and more may follow. Four bytes are never in this state.
            Err(error) if error.error_len().is_none() => self.tail_len += 1,
            Err(_) => return Err(ProtocolError::InvalidUtf8),
        }
        Ok(())
    }
}

/// How many bytes at the end look like a character whose rest is still to come.
fn cut_character(bytes: &[u8]) -> usize {
    for (have, &byte) in (1..=3).zip(bytes.iter().rev()) {
        let needs = match byte {
            0x80..=0xbf => continue,
            0xc0..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0..=0xff => 4,
            _ => 1,
        };
        return if needs > have { have } else { 0 };
    }
    0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// How many bytes go in before the check fails; `Err` holds for text cut short, too.
    fn accepted(bytes: &[u8], piece: usize) -> Result<String, usize> {
        let mut buffer = TextBuffer::default();
        for (index, bytes) in bytes.chunks(piece).enumerate() {
            buffer.push(bytes).map_err(|_| index * piece)?;
        }
        buffer.finish().map(str::to_owned).map_err(|_| bytes.len())
    }

    #[test]
    fn text_fails_at_the_first_byte_that_cannot_belong() {
        let cases: &[(&[u8], usize)] = &[
            (b"ab\xff", 2),
            (b"a\x80", 1),
            (b"\xc0\x80", 0),          // overlong, from its first byte
            (b"\xe0\x80\x80", 1),      // overlong
            (b"\xed\xa0\x80", 1),      // a surrogate
            (b"\xf4\x90\x80\x80", 1),  // beyond U+10FFFF
            (b"\xf5\x80\x80\x80", 0),  // likewise
            (b"\xce\xba\xe1\xbdx", 4), // cut by an ASCII letter
            (b"\xf0\x9f\x98", 3),      // cut by the end
            ("κόσμε\u{10ffff}".as_bytes(), usize::MAX),
        ];
        for &(bytes, fails_at) in cases {
            let result = accepted(bytes, 1);
            assert_eq!(result.err().unwrap_or(usize::MAX), fails_at, "{bytes:x?}");
        }
    }

    proptest! {
        #[test]
        fn pieces_of_any_length_are_judged_like_the_whole(
            bytes in prop_oneof![
                any::<String>().prop_map(String::into_bytes),
                prop::collection::vec(prop::sample::select(b"a\x80\xbf\xc3\xe0\xed\xef\xf0\xf4".to_vec()), 0..12),
            ],
            piece in 1_usize..9,
        ) {
            prop_assert_eq!(accepted(&bytes, piece).ok(), String::from_utf8(bytes).ok());
        }
    }
}
