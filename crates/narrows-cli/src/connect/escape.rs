use std::fmt::Write;

/// What came from elsewhere as it may be shown on a terminal: what would move the cursor, change colours or turn the
/// direction of writing is written as `\u001b`. Line ends and tabs stay.
pub(super) fn for_screen(text: &str) -> String {
    escaped(text, |c| matches!(c, '\n' | '\t'))
}

/// The same on one line.
pub(super) fn one_line(text: &str) -> String {
    escaped(text, |_| false)
}

fn escaped(text: &str, stays: impl Fn(char) -> bool) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if is_harmful(c) && !stays(c) {
            // All of them are in the first plane, so that the escape is one of JSON's too.
            write!(shown, "\\u{:04x}", u32::from(c)).expect("a string takes all");
        } else {
            shown.push(c);
        }
    }
    shown
}

/// Control characters (C0, C1), line and paragraph separators, and those that change the direction of writing
/// (Unicode 16, UAX #9, 2).
fn is_harmful(c: char) -> bool {
    let turns =
        matches!(c, '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    c.is_control() || turns || matches!(c, '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_command_a_terminal_is_written_out() {
        assert_eq!(for_screen("a\x1b[2Jb\u{9b}1m\r\nc\td\x7f"), "a\\u001b[2Jb\\u009b1m\\u000d\nc\td\\u007f");
        assert_eq!(one_line("a\nb\u{202e}c"), "a\\u000ab\\u202ec");
        assert_eq!(for_screen("schön, 日本語 🙂"), "schön, 日本語 🙂");
    }
}
