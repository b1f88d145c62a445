use std::fmt::Write;

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// The line being typed as it is on the screen, from its prompt on.
///
/// It breaks rows itself, as terminals differ in what they do at the last column.
#[derive(Debug, Default)]
pub(super) struct Paint {
    /// How many rows of it are above the cursor.
    rows_above: usize,
}

impl Paint {
    /// What takes the line off the screen, with the cursor where its prompt was.
    pub(super) fn clear(&mut self) -> String {
        let mut out = String::from("\r");
        if self.rows_above > 0 {
            write!(out, "\x1b[{}A", self.rows_above).expect("a string takes all");
        }
        out.push_str("\x1b[J");
        self.rows_above = 0;
        out
    }

    /// What puts it there, when nothing of it is on the screen.
    pub(super) fn draw(&mut self, prompt: &str, text: &str, cursor: usize, size: (usize, usize)) -> String {
        let (columns, height) = size;
        let rows = Rows::new(prompt, text, cursor, columns);
        // A line longer than the screen shows the part where the cursor is.
        let first = rows.cursor.0.saturating_sub(height.max(1) - 1);
        let shown = &rows.rows[first..rows.rows.len().min(first + height.max(1))];
        let mut out = shown.join("\r\n");
        let up = shown.len() - 1 - (rows.cursor.0 - first);
        if up > 0 {
            write!(out, "\x1b[{up}A").expect("a string takes all");
        }
        out.push('\r');
        if rows.cursor.1 > 0 {
            write!(out, "\x1b[{}C", rows.cursor.1).expect("a string takes all");
        }
        self.rows_above = rows.cursor.0 - first;
        out
    }

    /// Nothing of it is on the screen any more.
    pub(super) fn forget(&mut self) {
        self.rows_above = 0;
    }
}

#[derive(Debug, PartialEq, Eq)]
struct Rows {
    rows: Vec<String>,
    /// Row and column.
    cursor: (usize, usize),
}

impl Rows {
    fn new(prompt: &str, text: &str, cursor: usize, columns: usize) -> Self {
        let mut rows = vec![String::new()];
        let mut column = 0;
        let mut at_cursor = None;
        let prompt = prompt.graphemes(true).map(|part| (None, part));
        let text = text.grapheme_indices(true).map(|(at, part)| (Some(at), part));
        for (at, part) in prompt.chain(text) {
            let part = visible(part);
            let width = part.width();
            if column + width > columns && column > 0 {
                rows.push(String::new());
                column = 0;
            }
            if at == Some(cursor) {
                at_cursor = Some((rows.len() - 1, column));
            }
            rows.last_mut().expect("there is one row at least").push_str(&part);
            column += width;
        }
        if column >= columns {
            rows.push(String::new());
            column = 0;
        }
        let cursor = at_cursor.unwrap_or((rows.len() - 1, column));
        Self { rows, cursor }
    }
}

/// What is typed must not command the terminal either.
fn visible(part: &str) -> String {
    match part {
        "\n" | "\r\n" => "⏎".to_owned(),
        "\t" => "    ".to_owned(),
        part if part.chars().any(char::is_control) => {
            let caret = |c: char| if c.is_control() { format!("^{}", caret(c)) } else { c.to_string() };
            part.chars().map(caret).collect()
        }
        part => part.to_owned(),
    }
}

fn caret(c: char) -> char {
    u8::try_from(c).ok().filter(u8::is_ascii).map_or('?', |byte| char::from(byte ^ 0x40))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str, cursor: usize, columns: usize) -> (Vec<String>, (usize, usize)) {
        let rows = Rows::new("> ", text, cursor, columns);
        (rows.rows, rows.cursor)
    }

    fn strings(rows: &[&str]) -> Vec<String> {
        rows.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn long_lines_have_rows() {
        assert_eq!(rows("abc", 3, 10), (strings(&["> abc"]), (0, 5)));
        assert_eq!(rows("abcdef", 1, 5), (strings(&["> abc", "def"]), (0, 3)));
        assert_eq!(rows("abcdef", 3, 5), (strings(&["> abc", "def"]), (1, 0)));
        assert_eq!(rows("abc", 3, 5), (strings(&["> abc", ""]), (1, 0)));
        assert_eq!(rows("日本語", 9, 5), (strings(&["> 日", "本語"]), (1, 4)));
        assert_eq!(rows("日", 0, 1).0.len(), 4);
    }

    #[test]
    fn control_characters_are_shown_as_such() {
        assert_eq!(rows("a\nb\x1bc\td", 0, 80).0, ["> a⏎b^[c    d"]);
    }

    #[test]
    fn a_line_higher_than_the_screen_shows_where_the_cursor_is() {
        let mut paint = Paint::default();
        let text = "abcdefghij";
        assert_eq!(paint.draw("", text, 9, (2, 3)), "ef\r\ngh\r\nij\r\x1b[1C");
        assert_eq!(paint.clear(), "\r\x1b[2A\x1b[J");
        assert_eq!(paint.draw("", text, 0, (2, 3)), "ab\r\ncd\r\nef\x1b[2A\r");
        assert_eq!(paint.clear(), "\r\x1b[J");
    }
}
