/// A pattern of Python's `fnmatch`, matched against whole names and with case.
#[derive(Debug, Clone)]
pub(crate) struct Glob(Vec<Part>);

#[derive(Debug, Clone)]
enum Part {
    /// `*`
    AnyText,
    /// `?`
    AnyChar,
    /// `[…]` and `[!…]`: ranges with both ends inside. A range the wrong way round holds nothing.
    Set {
        negated: bool,
        ranges: Vec<(char, char)>,
    },
    Char(char),
}

impl Glob {
    /// Every text is a pattern: a `[` that nothing closes stands for itself.
    pub(crate) fn new(pattern: &str) -> Self {
        let pattern: Vec<char> = pattern.chars().collect();
        let mut parts = Vec::new();
        let mut rest = &pattern[..];
        while let Some((&first, after)) = rest.split_first() {
            rest = after;
            parts.push(match first {
                '*' if matches!(parts.last(), Some(Part::AnyText)) => continue,
                '*' => Part::AnyText,
                '?' => Part::AnyChar,
                '[' => match set(after) {
                    Some((set, after)) => {
                        rest = after;
                        set
                    }
                    None => Part::Char('['),
                },
                other => Part::Char(other),
            });
        }
        Self(parts)
    }

    /// Takes time in proportion to the product of both lengths at most.
    pub(crate) fn matches(&self, name: &str) -> bool {
        let parts = &self.0[..];
        let (mut part, mut left) = (0, name.chars());
        // The last `*`, and the text that it has not swallowed yet.
        let mut star: Option<(usize, std::str::Chars<'_>)> = None;
        loop {
            let before = left.clone();
            match (parts.get(part), left.next()) {
                (Some(Part::AnyText), _) => {
                    star = Some((part, before.clone()));
                    left = before;
                    part += 1;
                    continue;
                }
                (Some(one), Some(c)) if one.takes(c) => {
                    part += 1;
                    continue;
                }
                (None, None) => return true,
                _ => {}
            }
            // A mismatch: the last `*` takes one character more.
            let Some((at, swallowed)) = &mut star else { return false };
            if swallowed.next().is_none() {
                return false;
            }
            part = *at + 1;
            left = swallowed.clone();
        }
    }
}

/// The set behind a `[`, and what follows its `]`. A `]` in the first place belongs to the set.
fn set(pattern: &[char]) -> Option<(Part, &[char])> {
    let negated = pattern.first() == Some(&'!');
    let inside = &pattern[usize::from(negated)..];
    let end = 1 + inside.iter().skip(1).position(|&c| c == ']')?;
    let (mut inside, after) = (&inside[..end], &inside[end + 1..]);
    let mut ranges = Vec::new();
    loop {
        match *inside {
            [from, '-', to, ..] => {
                ranges.push((from, to));
                inside = &inside[3..];
            }
            [one, ..] => {
                ranges.push((one, one));
                inside = &inside[1..];
            }
            [] => return Some((Part::Set { negated, ranges }, after)),
        }
    }
}

impl Part {
    fn takes(&self, c: char) -> bool {
        match self {
            Self::AnyText => false,
            Self::AnyChar => true,
            Self::Set { negated, ranges } => {
                ranges.iter().any(|&(from, to)| (from..=to).contains(&c)) != *negated
            }
            Self::Char(own) => *own == c,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use regex::Regex;

    use super::*;

    /// What Python answers: `re.compile(fnmatch.translate(pattern)).match(name)`.
    const OF_PYTHON: &[(&str, &str, bool)] = &[
        ("a", "a", true),
        ("a", "A", false),
        ("A*", "abc", false),
        ("a*c", "abbc", true),
        ("a*c", "abcb", false),
        ("*", "", true),
        ("*", "x\n", true),
        ("?", "", false),
        ("?", "\n", true),
        ("", "", true),
        ("", "a", false),
        ("a", "a\n", false),
        ("[ab]", "b", true),
        ("[ab]", "c", false),
        ("[!ab]", "c", true),
        ("[!ab]", "a", false),
        ("[^a]", "^", true),
        ("[^a]", "b", false),
        ("[]a]", "]", true),
        ("[!]a]", "]", false),
        ("[!]a]", "b", true),
        ("[a", "[a", true),
        ("[]", "[]", true),
        ("[!]", "[!]", true),
        ("[a-c]", "b", true),
        ("[c-a]", "b", false),
        ("[c-a]", "", false),
        ("[!c-a]", "b", true),
        ("[c-ab]", "b", true),
        ("[a-]", "-", true),
        ("[-a]", "-", true),
        ("[a-c-e]", "-", true),
        ("[a-c-e]", "d", false),
        ("[a-c-e]", "e", true),
        ("[x-a-c]", "c", true),
        ("[x-a-c]", "b", false),
        ("[a--]", "a", false),
        ("[--a]", "5", true),
        ("[\\]", "\\", true),
        ("[&&a]", "&", true),
        ("[a||b]", "|", true),
        ("[[]", "[", true),
        ("[[a]]", "[]", true),
        ("a.c", "abc", false),
        ("a.c", "a.c", true),
        ("é?", "éé", true),
        ("[à-ü]", "é", true),
        ("*!*", "a!b", true),
        ("ab**c", "abc", true),
    ];

    #[test]
    fn patterns_match_what_fnmatch_matches() {
        for (pattern, name, matches) in OF_PYTHON {
            assert_eq!(Glob::new(pattern).matches(name), *matches, "{pattern} {name}");
        }
    }

    #[test]
    fn a_pattern_of_many_stars_does_not_take_forever() {
        let glob = Glob::new(&"a*".repeat(2000));
        assert!(!glob.matches(&format!("{}b", "a".repeat(1999))));
        assert!(glob.matches(&"a".repeat(2000)));
    }

    proptest! {
        #[test]
        fn stars_and_question_marks_are_those_of_a_regex(pattern in "[ab*?]{0,8}", name in "[ab\n]{0,8}") {
            let regex = format!("(?s)^{}$", pattern.replace('*', ".*").replace('?', "."));
            prop_assert_eq!(Glob::new(&pattern).matches(&name), Regex::new(&regex).unwrap().is_match(&name));
        }

        #[test]
        fn no_pattern_panics(pattern in "[\\[\\]!a-c*?-]{0,12}", name in "[\\[\\]!a-c-]{0,6}") {
            Glob::new(&pattern).matches(&name);
        }
    }
}
