//! How like a password is to what is known of a user (`UserAttributeSimilarityValidator`).

use std::collections::HashMap;

/// Whether a password is like a value or a part of it, all in lower case.
pub(super) fn is_similar(password: &str, value: &str, limit: f64) -> bool {
    let parts = value.split(|c: char| !(c.is_alphanumeric() || c == '_'));
    parts.chain([value]).any(|part| {
        !part.is_empty() && !is_far_longer(password, part, limit) && quick_ratio(password, part) >= limit
    })
}

/// Whether the password is so much longer that it cannot be alike (`exceeds_maximum_length_ratio`).
fn is_far_longer(password: &str, part: &str, limit: f64) -> bool {
    let (password, part) = (password.chars().count(), part.chars().count());
    password >= 10 * part && (part as f64) < limit / 2.0 * password as f64
}

/// How many of all characters are in both, in any order (`difflib.SequenceMatcher.quick_ratio`).
fn quick_ratio(one: &str, other: &str) -> f64 {
    let mut left = HashMap::<char, usize>::new();
    for character in other.chars() {
        *left.entry(character).or_default() += 1;
    }
    let common = one.chars().filter(|character| take(&mut left, *character)).count();
    2.0 * common as f64 / (one.chars().count() + other.chars().count()).max(1) as f64
}

fn take(left: &mut HashMap<char, usize>, character: char) -> bool {
    left.get_mut(&character).is_some_and(|n| {
        let there = *n > 0;
        *n -= usize::from(there);
        there
    })
}
