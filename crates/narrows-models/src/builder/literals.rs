//! Values as Rust has them, and kinds in words.

use std::fmt;

use crate::schema::{Kind, Literal};

impl Literal {
    /// A number as it is written, such as `12.50`.
    pub fn number(text: &str) -> Self {
        Self::Number(text.to_owned())
    }
}

impl From<bool> for Literal {
    fn from(value: bool) -> Self {
        Self::Boolean(value)
    }
}

impl From<i32> for Literal {
    fn from(value: i32) -> Self {
        Self::Integer(value.into())
    }
}

impl From<i64> for Literal {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<&str> for Literal {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<String> for Literal {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Boolean => "boolean",
            Self::SmallInteger => "small integer",
            Self::Integer => "integer",
            Self::BigInteger => "big integer",
            Self::Float => "float",
            Self::Double => "double",
            Self::Decimal(digits, after) => return write!(f, "decimal({digits}, {after})"),
            Self::Varchar(length) => return write!(f, "varchar({length})"),
            Self::Text => "text",
            Self::Bytes => "bytes",
            Self::Date => "date",
            Self::Time => "time",
            Self::DateTime => "date and time",
            Self::LocalDateTime => "local date and time",
            Self::Uuid => "UUID",
            Self::Json => "JSON",
        })
    }
}
