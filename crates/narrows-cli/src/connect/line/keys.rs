use std::collections::VecDeque;

/// What a key, or several together, ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::connect) enum Key {
    Char(char),
    /// What was pasted, line ends and all.
    Paste(String),
    /// A paste longer than is allowed, which is left out.
    LongPaste,
    Enter,
    Backspace,
    Delete,
    Left,
    Right,
    Home,
    End,
    WordLeft,
    WordRight,
    Up,
    Down,
    CutToEnd,
    CutToStart,
    CutWordLeft,
    CutWordRight,
    PutBack,
    ClearScreen,
    /// Ctrl-C.
    Interrupt,
    /// Ctrl-D.
    EndOfInput,
    /// Ctrl-Z.
    Suspend,
}

/// Longest escape sequence that is waited for; what is longer is none that is known.
const MAX_SEQUENCE: usize = 32;

const PASTE_END: &[u8] = b"\x1b[201~";

/// Turns what a terminal sends into keys (ECMA-48, and the sequences of xterm).
#[derive(Debug)]
pub(in crate::connect) struct Keys {
    bytes: VecDeque<u8>,
    paste: Option<Vec<u8>>,
    max_paste_bytes: usize,
}

impl Keys {
    pub(in crate::connect) fn new(max_paste_bytes: usize) -> Self {
        Self { bytes: VecDeque::new(), paste: None, max_paste_bytes }
    }

    pub(in crate::connect) fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend(bytes);
    }

    /// The next key that is complete.
    pub(in crate::connect) fn next(&mut self) -> Option<Key> {
        loop {
            if self.paste.is_some() {
                return self.paste();
            }
            let key = match *self.bytes.front()? {
                0x1b => self.sequence()?,
                byte if byte < 0x20 || byte == 0x7f => {
                    self.bytes.pop_front();
                    control(byte)
                }
                _ => Some(Key::Char(self.char()?)),
            };
            if key.is_some() {
                return key;
            }
        }
    }

    fn char(&mut self) -> Option<char> {
        let first = *self.bytes.front()?;
        let length = match first {
            0xc2..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0..=0xf4 => 4,
            _ => 1,
        };
        let bytes: Vec<u8> = self.bytes.iter().copied().take(length).collect();
        match std::str::from_utf8(&bytes) {
            Ok(text) => {
                self.bytes.drain(..length);
                text.chars().next()
            }
            // The rest of it is still to come.
            Err(error) if error.error_len().is_none() && bytes.len() < length => None,
            Err(error) => {
                self.bytes.drain(..error.error_len().unwrap_or(1));
                Some(char::REPLACEMENT_CHARACTER)
            }
        }
    }

    /// An escape sequence: none if it is not complete, an inner none if it means nothing here.
    #[expect(clippy::option_option, reason = "not yet, and nothing")]
    fn sequence(&mut self) -> Option<Option<Key>> {
        let bytes: Vec<u8> = self.bytes.iter().copied().take(MAX_SEQUENCE).collect();
        let (length, key) = match bytes.get(1)? {
            b'[' => {
                let end = bytes[2..].iter().position(|byte| (0x40..=0x7e).contains(byte));
                match end.map(|end| end + 2) {
                    Some(end) => (end + 1, csi(&bytes[2..end], bytes[end])),
                    None if bytes.len() == MAX_SEQUENCE => (MAX_SEQUENCE, None),
                    None => return None,
                }
            }
            b'O' => (3, csi(b"", *bytes.get(2)?)),
            0x1b => (1, None),
            byte => (2, alt(*byte)),
        };
        if bytes[..length] == *b"\x1b[200~" {
            self.paste = Some(Vec::new());
        }
        self.bytes.drain(..length);
        Some(key)
    }

    /// Collects a paste until its end has come.
    fn paste(&mut self) -> Option<Key> {
        let paste = self.paste.as_mut()?;
        // One byte more than is allowed tells that it was too long; the end is looked for all the same.
        let keep = self.max_paste_bytes.saturating_add(1 + PASTE_END.len());
        while let Some(byte) = self.bytes.pop_front() {
            paste.push(byte);
            if paste.ends_with(PASTE_END) {
                let mut paste = self.paste.take()?;
                paste.truncate(paste.len() - PASTE_END.len());
                if paste.len() > self.max_paste_bytes {
                    return Some(Key::LongPaste);
                }
                let text = String::from_utf8_lossy(&paste);
                return Some(Key::Paste(text.replace("\r\n", "\n").replace('\r', "\n")));
            }
            if paste.len() > keep + PASTE_END.len() {
                paste.drain(keep - PASTE_END.len()..keep);
            }
        }
        None
    }
}

/// Keys with Ctrl, as in Emacs and shells.
fn control(byte: u8) -> Option<Key> {
    Some(match byte {
        0x01 => Key::Home,
        0x02 => Key::Left,
        0x03 => Key::Interrupt,
        0x04 => Key::EndOfInput,
        0x05 => Key::End,
        0x06 => Key::Right,
        0x08 | 0x7f => Key::Backspace,
        0x09 => Key::Char('\t'),
        0x0a | 0x0d => Key::Enter,
        0x0b => Key::CutToEnd,
        0x0c => Key::ClearScreen,
        0x0e => Key::Down,
        0x10 => Key::Up,
        0x15 => Key::CutToStart,
        0x17 => Key::CutWordLeft,
        0x19 => Key::PutBack,
        0x1a => Key::Suspend,
        _ => return None,
    })
}

fn alt(byte: u8) -> Option<Key> {
    Some(match byte {
        b'b' | b'B' => Key::WordLeft,
        b'f' | b'F' => Key::WordRight,
        b'd' | b'D' => Key::CutWordRight,
        0x08 | 0x7f => Key::CutWordLeft,
        _ => return None,
    })
}

fn csi(parameters: &[u8], end: u8) -> Option<Key> {
    // 3, 5 and 7 are Alt, Ctrl and both.
    let by_word = matches!(parameters, b"1;3" | b"1;5" | b"1;7" | b"5" | b"3");
    Some(match (parameters, end) {
        (_, b'A') => Key::Up,
        (_, b'B') => Key::Down,
        (_, b'C') if by_word => Key::WordRight,
        (_, b'D') if by_word => Key::WordLeft,
        (_, b'C') => Key::Right,
        (_, b'D') => Key::Left,
        (_, b'H') | (b"1" | b"7", b'~') => Key::Home,
        (_, b'F') | (b"4" | b"8", b'~') => Key::End,
        (b"3", b'~') => Key::Delete,
        (b"3;5" | b"3;3", b'~') => Key::CutWordRight,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(bytes: &[u8]) -> Vec<Key> {
        let mut keys = Keys::new(16);
        let mut found = Vec::new();
        // As slow as a line can be: each byte comes alone.
        for byte in bytes {
            keys.push(&[*byte]);
            found.extend(std::iter::from_fn(|| keys.next()));
        }
        found
    }

    #[test]
    fn characters_and_sequences_may_come_in_pieces() {
        let typed = "aß🙂\x1b[A\x1bOC\x1b[1;5D\x1b[3~\x1bb\r\x03".as_bytes();
        let expected = [
            Key::Char('a'),
            Key::Char('ß'),
            Key::Char('🙂'),
            Key::Up,
            Key::Right,
            Key::WordLeft,
            Key::Delete,
            Key::WordLeft,
            Key::Enter,
            Key::Interrupt,
        ];
        assert_eq!(keys(typed), expected);
    }

    #[test]
    fn what_is_not_known_is_left_out() {
        assert_eq!(keys(b"\x1b[38;5;1ma\x1b[24~\x1bqb"), [Key::Char('a'), Key::Char('b')]);
        assert_eq!(
            keys(b"\xffa\xe2\x28"),
            [Key::Char('\u{fffd}'), Key::Char('a'), Key::Char('\u{fffd}'), Key::Char('(')]
        );
        let endless = [b"\x1b[".as_slice(), &[b'1'; 100]].concat();
        assert_eq!(keys(&endless).len(), 70);
    }

    #[test]
    fn a_paste_is_one_key_and_is_bounded() {
        assert_eq!(
            keys(b"\x1b[200~a\r\nb\x1b[A\x1b[201~c"),
            [Key::Paste("a\nb\x1b[A".into()), Key::Char('c')]
        );
        let long = [b"\x1b[200~".as_slice(), &[b'x'; 10_000], b"\x1b[201~c"].concat();
        assert_eq!(keys(&long), [Key::LongPaste, Key::Char('c')]);
        let exact = [b"\x1b[200~".as_slice(), &[b'x'; 16], b"\x1b[201~"].concat();
        assert_eq!(keys(&exact), [Key::Paste("x".repeat(16))]);
    }
}
