use narrows_models::sea_orm::sea_query::{ColumnType, StringLen};

/// What a column holds, as far as it makes a difference to whoever looks at it or edits it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    Boolean,
    /// The least and the greatest number that it holds.
    Integer {
        min: i64,
        max: i64,
    },
    /// With 32 bits, or 64.
    Float {
        single: bool,
    },
    /// Digits in all and after the point, where they are bounded.
    Decimal(Option<(u32, u32)>),
    Text {
        max_chars: Option<u32>,
        lines: bool,
    },
    /// One of these texts, which is a type of its own in PostgreSQL.
    Choice {
        of: Vec<String>,
        type_name: String,
    },
    Date,
    Time,
    /// A point in time.
    DateTime,
    /// A date and a time without a zone.
    LocalDateTime,
    Uuid,
    /// A UUID that is kept as its 32 digits where the database has no type for it, as Django keeps it.
    UuidDigits,
    Json {
        binary: bool,
    },
    Bytes,
    /// What only the database knows: it is shown, and left as it is.
    Other,
}

impl Kind {
    pub(super) fn of(column: &ColumnType) -> Self {
        let integer = |min, max| Self::Integer { min, max };
        match column {
            ColumnType::Boolean => Self::Boolean,
            ColumnType::TinyInteger => integer(i8::MIN.into(), i8::MAX.into()),
            ColumnType::SmallInteger => integer(i16::MIN.into(), i16::MAX.into()),
            ColumnType::Integer => integer(i32::MIN.into(), i32::MAX.into()),
            ColumnType::BigInteger => integer(i64::MIN, i64::MAX),
            ColumnType::TinyUnsigned => integer(0, u8::MAX.into()),
            ColumnType::SmallUnsigned => integer(0, u16::MAX.into()),
            ColumnType::Unsigned => integer(0, u32::MAX.into()),
            // No database but MySQL has more.
            ColumnType::BigUnsigned => integer(0, i64::MAX),
            ColumnType::Year => integer(0, 9999),
            ColumnType::Float => Self::Float { single: true },
            ColumnType::Double => Self::Float { single: false },
            ColumnType::Decimal(digits) | ColumnType::Money(digits) => Self::Decimal(*digits),
            ColumnType::Char(max_chars) => Self::Text { max_chars: *max_chars, lines: false },
            ColumnType::String(StringLen::N(max)) => Self::Text { max_chars: Some(*max), lines: false },
            ColumnType::String(_) => Self::Text { max_chars: None, lines: false },
            ColumnType::Text => Self::Text { max_chars: None, lines: true },
            ColumnType::Enum { name, variants } => Self::Choice {
                of: variants.iter().map(ToString::to_string).collect(),
                type_name: name.to_string(),
            },
            ColumnType::Date => Self::Date,
            ColumnType::Time => Self::Time,
            ColumnType::Timestamp | ColumnType::TimestampWithTimeZone => Self::DateTime,
            ColumnType::DateTime => Self::LocalDateTime,
            ColumnType::Uuid => Self::Uuid,
            ColumnType::Json => Self::Json { binary: false },
            ColumnType::JsonBinary => Self::Json { binary: true },
            ColumnType::Blob | ColumnType::Binary(_) | ColumnType::VarBinary(_) => Self::Bytes,
            _ => Self::Other,
        }
    }

    /// Whether it holds UUIDs.
    pub(crate) fn is_uuid(&self) -> bool {
        matches!(self, Self::Uuid | Self::UuidDigits)
    }

    /// Whether it can be typed into a form at all.
    pub(crate) fn is_editable(&self) -> bool {
        !matches!(self, Self::Bytes | Self::Other)
    }

    /// Whether rows can be ordered by it: PostgreSQL has no order of JSON, nor of some types of its own.
    pub(crate) fn has_order(&self) -> bool {
        !matches!(self, Self::Json { .. } | Self::Other)
    }

    /// Whether a list can be narrowed to one of its values.
    pub(crate) fn is_compared(&self) -> bool {
        !matches!(self, Self::Json { .. } | Self::Bytes | Self::Other)
    }

    /// Whether words are looked for in it.
    pub(crate) fn is_text(&self) -> bool {
        matches!(self, Self::Text { .. })
    }

    /// Whether its numbers stand at the right.
    pub(crate) fn is_number(&self) -> bool {
        matches!(self, Self::Integer { .. } | Self::Float { .. } | Self::Decimal(_))
    }
}
