use unicode_segmentation::UnicodeSegmentation;

/// The text that is being typed, and where.
#[derive(Debug, Default)]
pub(super) struct Buffer {
    text: String,
    /// In bytes, between two characters as they are seen (grapheme clusters).
    cursor: usize,
    /// What was cut last.
    cut: String,
}

impl Buffer {
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn cursor(&self) -> usize {
        self.cursor
    }

    pub(super) fn take(&mut self) -> String {
        self.cursor = 0;
        std::mem::take(&mut self.text)
    }

    pub(super) fn set(&mut self, text: String) {
        self.cursor = text.len();
        self.text = text;
    }

    pub(super) fn insert(&mut self, text: &str) {
        self.text.insert_str(self.cursor, text);
        self.cursor += text.len();
        // A mark may have joined the character before it, or the one after it.
        let boundary = self.text.grapheme_indices(true).map(|(at, _)| at).find(|at| *at >= self.cursor);
        self.cursor = boundary.unwrap_or(self.text.len());
    }

    pub(super) fn left(&mut self) {
        self.cursor = self.before();
    }

    pub(super) fn right(&mut self) {
        self.cursor = self.after();
    }

    pub(super) fn home(&mut self) {
        self.cursor = 0;
    }

    pub(super) fn end(&mut self) {
        self.cursor = self.text.len();
    }

    pub(super) fn word_left(&mut self) {
        self.cursor = self.word_start();
    }

    pub(super) fn word_right(&mut self) {
        self.cursor = self.word_end();
    }

    pub(super) fn backspace(&mut self) {
        let start = self.before();
        self.text.drain(start..self.cursor);
        self.cursor = start;
    }

    pub(super) fn delete(&mut self) {
        let end = self.after();
        self.text.drain(self.cursor..end);
    }

    pub(super) fn cut_to_end(&mut self) {
        self.cut(self.cursor, self.text.len());
    }

    pub(super) fn cut_to_start(&mut self) {
        self.cut(0, self.cursor);
    }

    pub(super) fn cut_word_left(&mut self) {
        self.cut(self.word_start(), self.cursor);
    }

    pub(super) fn cut_word_right(&mut self) {
        self.cut(self.cursor, self.word_end());
    }

    pub(super) fn put_back(&mut self) {
        let cut = std::mem::take(&mut self.cut);
        self.insert(&cut);
        self.cut = cut;
    }

    fn cut(&mut self, start: usize, end: usize) {
        if start < end {
            self.cut = self.text.drain(start..end).collect();
            self.cursor = start;
        }
    }

    fn before(&self) -> usize {
        self.text[..self.cursor].grapheme_indices(true).next_back().map_or(0, |(at, _)| at)
    }

    fn after(&self) -> usize {
        self.cursor + self.text[self.cursor..].graphemes(true).next().map_or(0, str::len)
    }

    fn word_start(&self) -> usize {
        let before = &self.text[..self.cursor];
        let word = before.trim_end_matches(|c: char| !c.is_alphanumeric());
        word.trim_end_matches(char::is_alphanumeric).len()
    }

    fn word_end(&self) -> usize {
        let after = &self.text[self.cursor..];
        let word = after.trim_start_matches(|c: char| !c.is_alphanumeric());
        self.text.len() - word.trim_start_matches(char::is_alphanumeric).len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(text: &str) -> Buffer {
        let mut buffer = Buffer::default();
        for c in text.chars() {
            buffer.insert(c.encode_utf8(&mut [0; 4]));
        }
        buffer
    }

    #[test]
    fn the_cursor_moves_by_what_is_seen() {
        let mut buffer = typed("ae\u{301}👩‍👧x");
        assert_eq!(buffer.cursor(), buffer.text().len());
        buffer.left();
        buffer.backspace();
        assert_eq!(buffer.text(), "ae\u{301}x");
        buffer.left();
        buffer.delete();
        assert_eq!(buffer.text(), "ax");
        buffer.insert("\u{301}");
        assert_eq!((buffer.text(), buffer.cursor()), ("a\u{301}x", 3));
        for _ in 0..5 {
            buffer.left();
        }
        buffer.backspace();
        buffer.right();
        assert_eq!(buffer.cursor(), 3);
    }

    #[test]
    fn words_are_cut_and_put_back() {
        let mut buffer = typed("say {\"größe\": 12}");
        buffer.cut_word_left();
        assert_eq!(buffer.text(), "say {\"größe\": ");
        buffer.word_left();
        buffer.cut_word_right();
        assert_eq!(buffer.text(), "say {\"\": ");
        buffer.put_back();
        buffer.put_back();
        assert_eq!(buffer.text(), "say {\"größegröße\": ");
        buffer.home();
        buffer.word_right();
        buffer.cut_to_end();
        assert_eq!(buffer.text(), "say");
        buffer.cut_to_start();
        assert_eq!(buffer.text(), "");
        buffer.cut_word_left();
        buffer.put_back();
        assert_eq!(buffer.text(), "say");
    }
}
