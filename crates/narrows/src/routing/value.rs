use std::{fmt, str::FromStr};

/// A value that a route captured, or was given as a default.
///
/// ```
/// use narrows::Value;
///
/// assert_eq!(Value::from(7).as_str(), Some("7"));
/// assert_eq!(Value::from("lobby"), "lobby");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Value {
    /// A piece of the path.
    Text(Box<str>),
    /// A whole number: what the converter `int` captures.
    Integer(Integer),
    /// Yes or no: defaults only.
    Bool(bool),
    /// A group without a name that took no part in the match.
    None,
}

/// A whole number of any size, as Python's are.
///
/// ```
/// use narrows::Value;
///
/// let Value::Integer(number) = Value::from(-7) else { unreachable!() };
/// assert_eq!(number.parse::<i64>(), Ok(-7));
/// assert!(number.parse::<u64>().is_err());
/// assert_eq!(number.as_str(), "-7");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Integer(Box<str>);

impl Value {
    /// The text of a piece of the path or of a number.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Integer(number) => Some(number.as_str()),
            Self::Bool(_) | Self::None => None,
        }
    }
}

impl Integer {
    /// The number from ASCII digits, of which leading zeros do not count.
    pub(super) fn from_digits(digits: &str) -> Option<Self> {
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let significant = digits.trim_start_matches('0');
        Some(Self(if significant.is_empty() { "0" } else { significant }.into()))
    }

    /// The number in decimal digits, after a `-` if it is negative.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The number as a type of limited size.
    ///
    /// # Errors
    /// If it does not fit.
    pub fn parse<T: FromStr>(&self) -> Result<T, T::Err> {
        self.0.parse()
    }
}

impl fmt::Display for Integer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

impl From<bool> for Value {
    fn from(yes: bool) -> Self {
        Self::Bool(yes)
    }
}

macro_rules! from_integers {
    ($($integer:ty)+) => {
        // A macro, as the twelve types share no trait that says "whole number".
        $(impl From<$integer> for Value {
            fn from(number: $integer) -> Self {
                Self::Integer(Integer(number.to_string().into()))
            }
        })+
    };
}

from_integers!(i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize);

impl PartialEq<str> for Value {
    fn eq(&self, other: &str) -> bool {
        matches!(self, Self::Text(text) if **text == *other)
    }
}

impl PartialEq<&str> for Value {
    fn eq(&self, other: &&str) -> bool {
        *self == **other
    }
}
