//! Texts as they stand in the database.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization;

use crate::rooms::protocol::MAX_TEXT;

/// Stands before what is written otherwise: a noncharacter, which Unicode gives to a program's own use.
const ESCAPE: char = '\u{10fffe}';

/// Bytes of a folded text: what the longest text has. Characters that stand for many others make no more of it, as each
/// search reads all that is there.
const MOST: usize = 4 * MAX_TEXT;

/// A text that any database takes: PostgreSQL has no NUL.
pub(in crate::rooms) fn written(text: &str) -> Cow<'_, str> {
    if !text.contains(['\0', ESCAPE]) {
        return Cow::Borrowed(text);
    }
    let written = text.chars().flat_map(|c| match c {
        '\0' => [Some(ESCAPE), Some('0')],
        ESCAPE => [Some(ESCAPE), Some('1')],
        c => [Some(c), None],
    });
    Cow::Owned(written.flatten().collect())
}

/// What [`written`] was given.
pub(in crate::rooms) fn read(text: String) -> String {
    if !text.contains(ESCAPE) {
        return text;
    }
    let mut chars = text.chars();
    let mut read = String::with_capacity(text.len());
    while let Some(c) = chars.next() {
        match c {
            ESCAPE => match chars.next() {
                Some('0') => read.push('\0'),
                _ => read.push(ESCAPE),
            },
            c => read.push(c),
        }
    }
    read
}

/// A text as searches compare it: without case, and without the differences of width and composition that only a
/// keyboard makes. What is beyond [`MOST`] is cut off.
pub(in crate::rooms) fn folded(text: &str) -> String {
    // A sigma is written otherwise at the end of a word, which a part of one need not have.
    let lower = text.nfkc().collect::<String>().to_lowercase().replace('ς', "σ");
    let mut folded = written(&lower).into_owned();
    folded.truncate(folded.floor_char_boundary(MOST));
    folded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_comes_back_as_it_was() {
        for text in ["", "hello", "a\0b", "\0\0", "\u{10fffe}0", "0\u{10fffe}\0", "😀\u{10fffe}"] {
            let kept = written(text);
            assert!(!kept.contains('\0'), "{text:?}");
            assert_eq!(read(kept.into_owned()), text);
        }
    }

    #[test]
    fn case_and_width_make_no_difference_in_any_script() {
        for (one, other) in
            [("Straße", "STRAßE"), ("ÄÖ", "äö"), ("ПРИВЕТ", "привет"), ("ＡＢＣ", "abc"), ("Σ", "σ")]
        {
            assert_eq!(folded(one), folded(other));
        }
        assert_ne!(folded("a%"), folded("ab"));
    }

    #[test]
    fn a_sigma_is_the_same_at_the_end_of_a_word_and_within() {
        assert_eq!(folded("ΟΔΟΣ"), folded("οδος"));
        for part in ["ΟΔΟΣ", "οδος", "οδοσ", "Σ"] {
            assert!(folded("ΟΔΟΣΑ οδος").contains(&folded(part)), "{part}");
            assert!(folded("οδοσα").contains(&folded(part)), "{part}");
        }
    }

    #[test]
    fn what_is_folded_is_no_longer_than_the_longest_text() {
        // One character that stands for eighteen.
        let folded_text = folded(&"\u{fdfa}".repeat(2000));
        assert!(folded("\u{fdfa}").len() > 30 && folded_text.starts_with(&folded("\u{fdfa}")));
        assert!((MOST - 4..=MOST).contains(&folded_text.len()), "{}", folded_text.len());
        let longest = "\u{1f600}".repeat(2000);
        assert_eq!(folded(&longest), longest);
    }
}
