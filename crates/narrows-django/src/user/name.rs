//! Names to log in with (`UnicodeUsernameValidator`, `normalize_username`, `normalize_email`).

use std::sync::LazyLock;

use regex::Regex;
use unicode_normalization::UnicodeNormalization;

/// The length of the columns in `auth_user`.
const MAX_USERNAME: usize = 150;
const MAX_EMAIL: usize = 254;

/// What Python's `\w` stands for: letters, numbers and `_`.
static GOOD: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^[\p{L}\p{N}_.@+-]+\z").expect("the pattern is a good one"));

/// Why somebody cannot have a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameProblem {
    /// There is none.
    #[error("the name is empty")]
    Empty,
    /// It has more than 150 characters.
    #[error("the name has more than 150 characters")]
    TooLong,
    /// It has other characters than letters, numbers, and `@`, `.`, `+`, `-` and `_`.
    #[error("the name may have only letters, numbers, and the characters @ . + - _")]
    Characters,
    /// The email has more than 254 characters, or a control character, or no `@`.
    #[error("the email is not an address")]
    Email,
}

/// The name in its one form: NFKC, so that two names which look the same are the same.
pub(super) fn username(name: &str) -> Result<String, NameProblem> {
    // Four times as many bytes can be so many characters, and NFKC makes up to eighteen of one.
    if name.len() > 4 * MAX_USERNAME {
        return Err(NameProblem::TooLong);
    }
    let name: String = name.nfkc().collect();
    if name.is_empty() {
        return Err(NameProblem::Empty);
    }
    if name.chars().nth(MAX_USERNAME).is_some() {
        return Err(NameProblem::TooLong);
    }
    if GOOD.is_match(&name) { Ok(name) } else { Err(NameProblem::Characters) }
}

/// The address with its domain in lower case; it can be empty.
pub(super) fn email(address: &str) -> Result<String, NameProblem> {
    let address = address.trim();
    if address.is_empty() {
        return Ok(String::new());
    }
    let bad = |c: char| c.is_control() || c.is_whitespace();
    if address.contains(bad) || address.chars().nth(MAX_EMAIL).is_some() {
        return Err(NameProblem::Email);
    }
    match address.rsplit_once('@') {
        Some((name, domain)) if !name.is_empty() && !domain.is_empty() => {
            Ok(format!("{name}@{}", domain.to_lowercase()))
        }
        _ => Err(NameProblem::Email),
    }
}
