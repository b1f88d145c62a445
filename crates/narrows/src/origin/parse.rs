use std::str::FromStr;

use super::{AllowedOrigins, OriginPolicy};

/// Why a text is no [`OriginPolicy`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseOriginPolicyError {
    /// There is nothing in it, which could mean everything or nothing.
    #[error("an origin policy is `same`, `any` or a list of origins, but it is empty")]
    Empty,
    /// `same` or `any` is one entry of several.
    #[error("`{word}` stands alone in an origin policy, and cannot be one origin of a list")]
    NotAlone {
        /// The word.
        word: String,
    },
}

/// Reads `same`, `any` (or `*`), or an allow-list with commas between its patterns.
///
/// ```
/// use narrows::{AllowedOrigins, OriginPolicy};
///
/// assert_eq!("same".parse(), Ok(OriginPolicy::same_origin()));
/// assert_eq!("*".parse(), Ok(OriginPolicy::any()));
/// let listed = OriginPolicy::allow(AllowedOrigins::new([".example.com", "https://x.org"]));
/// assert_eq!(".example.com, https://x.org".parse(), Ok(listed));
/// ```
///
/// A list that has `*` in it is [`OriginPolicy::any`], and empty entries are skipped.
impl FromStr for OriginPolicy {
    type Err = ParseOriginPolicyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let patterns: Vec<_> = text.split(',').map(str::trim).filter(|pattern| !pattern.is_empty()).collect();
        match patterns[..] {
            [] => Err(ParseOriginPolicyError::Empty),
            ["same"] => Ok(Self::same_origin()),
            ["any"] => Ok(Self::any()),
            _ => match patterns.iter().find(|pattern| matches!(**pattern, "same" | "any")) {
                Some(word) => Err(ParseOriginPolicyError::NotAlone { word: (*word).to_owned() }),
                None if patterns.contains(&"*") => Ok(Self::any()),
                None => Ok(Self::allow(AllowedOrigins::new(patterns))),
            },
        }
    }
}
