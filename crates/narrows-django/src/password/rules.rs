//! Which passwords a user may choose (`django.contrib.auth.password_validation`).

use super::similar::is_similar;

/// More than this no rule looks at, of a password or of what is known of a user, and nobody types.
const MAX_BYTES: usize = 4096;

/// What a new password must be: the validators that a new Django project has in `AUTH_PASSWORD_VALIDATORS`.
///
/// ```
/// use narrows_django::password::{About, PasswordProblem, PasswordRules};
///
/// let rules = PasswordRules::default();
/// let about = About { username: "zoë.harker", ..About::default() };
/// assert_eq!(rules.check("zoe.harker", &about), [PasswordProblem::TooSimilar { to: "username" }]);
/// assert_eq!(rules.check("a quiet green field", &about), []);
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct PasswordRules {
    /// How many characters it has at least. Default 8.
    pub min_length: usize,
    /// From which likeness to the user's name, email and names on it is refused, where 1 is the same letters. Default
    /// 0.7; more than 1 is never.
    pub max_similarity: f64,
    /// Whether common passwords are refused. Default true. The list is Django's without what the other default rules
    /// refuse: 7 928 passwords of eight characters and more.
    pub refuse_common: bool,
    /// Whether passwords of digits alone are refused. Default true.
    pub refuse_numeric: bool,
}

impl Default for PasswordRules {
    fn default() -> Self {
        Self { min_length: 8, max_similarity: 0.7, refuse_common: true, refuse_numeric: true }
    }
}

/// What a password should not be like.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct About<'a> {
    /// What the user logs in with.
    pub username: &'a str,
    /// The user's email.
    pub email: &'a str,
    /// The user's first name.
    pub first_name: &'a str,
    /// The user's last name.
    pub last_name: &'a str,
}

/// What is wrong with a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PasswordProblem {
    /// It is too short.
    #[error("the password is too short: it must have at least {min_length} characters")]
    TooShort {
        /// How many characters it needs.
        min_length: usize,
    },
    /// It has more than 4096 bytes.
    #[error("the password is too long")]
    TooLong,
    /// It is too similar to what is known of the user.
    #[error("the password is too similar to the {}", to.replace('_', " "))]
    TooSimilar {
        /// To what: `username`, `first_name`, `last_name` or `email`.
        to: &'static str,
    },
    /// It is one that many people have.
    #[error("the password is too common")]
    TooCommon,
    /// It has digits alone.
    #[error("the password is entirely numeric")]
    EntirelyNumeric,
}

impl PasswordProblem {
    /// Its code in Django, for programs: `password_too_short` and so on.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooShort { .. } => "password_too_short",
            Self::TooLong => "password_too_long",
            Self::TooSimilar { .. } => "password_too_similar",
            Self::TooCommon => "password_too_common",
            Self::EntirelyNumeric => "password_entirely_numeric",
        }
    }
}

impl PasswordRules {
    /// All that is wrong with a password; nothing, where it is a good one.
    pub fn check(&self, password: &str, about: &About<'_>) -> Vec<PasswordProblem> {
        if password.len() > MAX_BYTES {
            return vec![PasswordProblem::TooLong];
        }
        let lower = password.to_lowercase();
        [
            (password.chars().count() < self.min_length)
                .then_some(PasswordProblem::TooShort { min_length: self.min_length }),
            self.similar(&lower, about),
            (self.refuse_common && is_common(lower.trim())).then_some(PasswordProblem::TooCommon),
            (self.refuse_numeric && is_numeric(password)).then_some(PasswordProblem::EntirelyNumeric),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    fn similar(&self, lower: &str, about: &About<'_>) -> Option<PasswordProblem> {
        [
            ("username", about.username),
            ("first_name", about.first_name),
            ("last_name", about.last_name),
            ("email", about.email),
        ]
        .into_iter()
        // Whoever registers says these, as long as they like.
        .filter(|(_, value)| value.len() <= MAX_BYTES)
        .find(|(_, value)| is_similar(lower, &value.to_lowercase(), self.max_similarity))
        .map(|(to, _)| PasswordProblem::TooSimilar { to })
    }
}

fn is_numeric(password: &str) -> bool {
    !password.is_empty() && password.chars().all(char::is_numeric)
}

/// Django's `common-passwords.txt.gz`, made by Royce Williams, less the short and the numeric ones; sorted by bytes.
static COMMON: std::sync::LazyLock<Vec<&str>> =
    std::sync::LazyLock::new(|| include_str!("common.txt").lines().collect());

fn is_common(lower: &str) -> bool {
    COMMON.binary_search(&lower).is_ok()
}
