//! The line at the prompt: editing, history, and messages that come in between.
//!
//! The line editors that there are own the terminal while they wait for a line, and take what others print through a
//! queue of their own: at the end of a line or of the session it comes late, out of order, or not at all. Here one
//! task does both, so that what is printed is printed.

mod buffer;
mod keys;
mod paint;

use self::buffer::Buffer;
pub(super) use self::keys::{Key, Keys};
use self::paint::Paint;
use super::history::History;

pub(super) const PROMPT: &str = "> ";

/// An editor of one line; it says what to write to the terminal.
#[derive(Debug)]
pub(super) struct Editor {
    buffer: Buffer,
    paint: Paint,
    pub(super) history: History,
    /// Columns and rows.
    size: (usize, usize),
    max_bytes: usize,
}

/// What a key led to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Done {
    /// The line has changed, or not.
    Edited,
    /// A line is complete; it stays on the screen.
    Line(String),
    /// The line was given up; it stays on the screen.
    GivenUp,
    /// The key can do nothing here.
    Useless,
    ClearScreen,
    Suspend,
    Leave,
}

impl Editor {
    pub(super) fn new(history: History, size: (usize, usize), max_bytes: usize) -> Self {
        Self { buffer: Buffer::default(), paint: Paint::default(), history, size, max_bytes }
    }

    pub(super) fn resize(&mut self, size: (usize, usize)) {
        self.size = size;
    }

    /// What takes the line off the screen.
    pub(super) fn clear(&mut self) -> String {
        self.paint.clear()
    }

    /// What puts it there again.
    pub(super) fn draw(&mut self) -> String {
        self.paint.draw(PROMPT, self.buffer.text(), self.buffer.cursor(), self.size)
    }

    /// What prints lines above it; `text` ends with a line end.
    pub(super) fn above(&mut self, text: &str) -> String {
        format!("{}{}{}", self.clear(), text.replace('\n', "\r\n"), self.draw())
    }

    /// What leaves the line where it is, with the cursor below it.
    pub(super) fn leave_line(&mut self, text: &str) -> String {
        let clear = self.paint.clear();
        let line = self.paint.draw(PROMPT, text, text.len(), (self.size.0, usize::MAX));
        self.paint.forget();
        format!("{clear}{line}\r\n")
    }

    /// Does what a key asks for.
    pub(super) fn press(&mut self, key: Key) -> Done {
        let buffer = &mut self.buffer;
        match key {
            Key::Char(c) => return self.insert(c.encode_utf8(&mut [0; 4])),
            Key::Paste(text) => return self.insert(&text),
            Key::LongPaste => return Done::Useless,
            Key::Enter => return Done::Line(buffer.take()),
            Key::Interrupt if buffer.text().is_empty() => return Done::Leave,
            Key::Interrupt => return Done::GivenUp,
            Key::EndOfInput if buffer.text().is_empty() => return Done::Leave,
            Key::EndOfInput | Key::Delete => buffer.delete(),
            Key::ClearScreen => return Done::ClearScreen,
            Key::Suspend => return Done::Suspend,
            Key::Backspace => buffer.backspace(),
            Key::Left => buffer.left(),
            Key::Right => buffer.right(),
            Key::Home => buffer.home(),
            Key::End => buffer.end(),
            Key::WordLeft => buffer.word_left(),
            Key::WordRight => buffer.word_right(),
            Key::CutToEnd => buffer.cut_to_end(),
            Key::CutToStart => buffer.cut_to_start(),
            Key::CutWordLeft => buffer.cut_word_left(),
            Key::CutWordRight => buffer.cut_word_right(),
            Key::PutBack => buffer.put_back(),
            Key::Up => match self.history.up(buffer.text()) {
                Some(line) => buffer.set(line.to_owned()),
                None => return Done::Useless,
            },
            Key::Down => match self.history.down() {
                Some(line) => buffer.set(line),
                None => return Done::Useless,
            },
        }
        Done::Edited
    }

    /// Gives the line up.
    pub(super) fn give_up(&mut self) -> String {
        self.history.rest();
        self.buffer.take()
    }

    fn insert(&mut self, text: &str) -> Done {
        if self.buffer.text().len() + text.len() > self.max_bytes {
            return Done::Useless;
        }
        self.buffer.insert(text);
        Done::Edited
    }
}
