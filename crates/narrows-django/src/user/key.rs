//! Primary keys as values of the database.

use sea_orm::DbBackend;
use sea_orm::sea_query::{Expr, ExprTrait};

use super::model::{KeyKind, UserId};

/// A key that can be in the table.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Key {
    Integer(i32),
    BigInteger(i64),
    /// 32 hexadecimal digits.
    Uuid(String),
    Text(String),
}

impl Key {
    /// The key with this id; `None`, where no user of the kind can have it.
    pub(crate) fn parse(kind: KeyKind, id: &UserId) -> Option<Self> {
        let text = id.as_str();
        match kind {
            KeyKind::Integer => text.parse().ok().map(Self::Integer),
            KeyKind::BigInteger => text.parse().ok().map(Self::BigInteger),
            KeyKind::Uuid => uuid_digits(text).map(Self::Uuid),
            // PostgreSQL has no text with a zero byte.
            KeyKind::Text => (!text.contains('\0')).then(|| Self::Text(text.to_owned())),
        }
    }

    /// A new key of the kind, where the database does not make it itself.
    pub(super) fn generate(kind: KeyKind) -> Option<Self> {
        match kind {
            KeyKind::Uuid => {
                // RFC 9562, 5.4: version 4.
                let random = rand::random::<u128>() & !(0xf << 76) & !(0b11 << 62);
                Some(Self::Uuid(format!("{:032x}", random | (0x4 << 76) | (0b10 << 62))))
            }
            KeyKind::Integer | KeyKind::BigInteger | KeyKind::Text => None,
        }
    }

    pub(crate) fn expr(&self, backend: DbBackend) -> Expr {
        match self {
            Self::Integer(key) => Expr::val(*key),
            Self::BigInteger(key) => Expr::val(*key),
            Self::Uuid(digits) if backend == DbBackend::Postgres => {
                Expr::val(digits.as_str()).cast_as("uuid")
            }
            Self::Uuid(text) | Self::Text(text) => Expr::val(text.as_str()),
        }
    }

    /// The id as Django writes it into a session.
    pub(crate) fn id(&self) -> UserId {
        match self {
            Self::Integer(key) => UserId::new(&key.to_string()),
            Self::BigInteger(key) => UserId::new(&key.to_string()),
            Self::Uuid(d) => UserId::new(&[&d[..8], &d[8..12], &d[12..16], &d[16..20], &d[20..]].join("-")),
            Self::Text(text) => UserId::new(text),
        }
    }
}

fn uuid_digits(text: &str) -> Option<String> {
    let digits: String = text.chars().filter(|c| *c != '-').collect();
    let good = digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    good.then(|| digits.to_ascii_lowercase())
}
