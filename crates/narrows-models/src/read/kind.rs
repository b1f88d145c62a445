//! SeaORM's types of columns, as kinds that every database has.

use sea_orm::ColumnType;
use sea_orm::sea_query::StringLen;

use crate::read::ModelError;
use crate::schema::Kind;

/// A kind, and what to know of it.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) kind: Kind,
    pub(super) note: Option<String>,
}

/// What MySQL gives a text whose length nobody said.
const USUAL_LENGTH: u32 = 255;

/// The longest text that MySQL keeps in a row with others; longer ones are of any length.
const LONGEST_VARCHAR: u32 = 16_383;

const UNSIGNED: &str = "SeaORM reads unsigned integers on MySQL from unsigned columns alone, and on PostgreSQL hardly: \
                        use a signed type, such as `i64`, for these databases";

/// The kind of a type.
pub(super) fn read(entity: &'static str, column: &str, found: &ColumnType) -> Result<Read, ModelError> {
    let mut note = None;
    let kind = match found {
        ColumnType::Boolean => Kind::Boolean,
        ColumnType::TinyInteger | ColumnType::SmallInteger => Kind::SmallInteger,
        ColumnType::Integer => Kind::Integer,
        ColumnType::BigInteger => Kind::BigInteger,
        ColumnType::TinyUnsigned
        | ColumnType::SmallUnsigned
        | ColumnType::Unsigned
        | ColumnType::BigUnsigned => {
            note = Some(UNSIGNED.to_owned());
            match found {
                ColumnType::TinyUnsigned => Kind::SmallInteger,
                ColumnType::SmallUnsigned => Kind::Integer,
                _ => Kind::BigInteger,
            }
        }
        ColumnType::Float => Kind::Float,
        ColumnType::Double => Kind::Double,
        ColumnType::Decimal(Some((digits, after))) | ColumnType::Money(Some((digits, after))) => {
            decimal(entity, column, *digits, *after)?
        }
        ColumnType::Char(length) => varchar(length.unwrap_or(1)),
        ColumnType::String(StringLen::N(length)) => varchar(*length),
        ColumnType::String(StringLen::None) => Kind::Varchar(USUAL_LENGTH),
        ColumnType::String(StringLen::Max) | ColumnType::Text => Kind::Text,
        ColumnType::Blob | ColumnType::Binary(_) | ColumnType::VarBinary(_) => Kind::Bytes,
        ColumnType::Date => Kind::Date,
        ColumnType::Time => Kind::Time,
        ColumnType::DateTime | ColumnType::Timestamp => Kind::LocalDateTime,
        ColumnType::TimestampWithTimeZone => Kind::DateTime,
        ColumnType::Json | ColumnType::JsonBinary => Kind::Json,
        ColumnType::Uuid => Kind::Uuid,
        ColumnType::Enum { variants, .. } => {
            let longest = variants.iter().map(|variant| variant.to_string().chars().count()).max();
            let length = u32::try_from(longest.unwrap_or(1).max(1)).unwrap_or(LONGEST_VARCHAR);
            note = Some(format!(
                "SeaORM writes an enum with `db_type = \"Enum\"` on PostgreSQL as a type of its own, which migrations do \
                 not make: use `rs_type = \"String\", db_type = \"String(StringLen::N({length}))\"` there",
            ));
            varchar(length)
        }
        other => return Err(refused(entity, column, other, instead(other))),
    };
    Ok(Read { kind, note })
}

/// A decimal within MySQL's bounds, the narrowest.
pub(super) fn decimal(
    entity: &'static str,
    column: &str,
    digits: u32,
    after: u32,
) -> Result<Kind, ModelError> {
    if digits == 0 || digits > 65 || after > 30 || after > digits {
        let instead = "1 to 65 digits, of which up to 30 come after the point".to_owned();
        return Err(refused(entity, column, &ColumnType::Decimal(Some((digits, after))), instead));
    }
    Ok(Kind::Decimal(digits, after))
}

fn varchar(length: u32) -> Kind {
    if length > LONGEST_VARCHAR { Kind::Text } else { Kind::Varchar(length.max(1)) }
}

fn refused(entity: &'static str, column: &str, found: &ColumnType, instead: String) -> ModelError {
    let found = match found {
        ColumnType::Custom(name) => format!("`{name}`"),
        other => format!("`{other:?}`"),
    };
    ModelError::Kind { entity, column: column.to_owned(), found, instead }
}

fn instead(found: &ColumnType) -> String {
    match found {
        ColumnType::Decimal(_) | ColumnType::Money(_) => {
            "`column_type = \"Decimal(Some((16, 4)))\"`, with as many digits in all and after the point as are needed"
        }
        ColumnType::Year => "`column_type = \"SmallInteger\"` and `i16`",
        ColumnType::Interval(..) => "a whole number of seconds, `i64`",
        ColumnType::Bit(_) | ColumnType::VarBit(_) => "a whole number, or `Vec<u8>`",
        ColumnType::Array(_) => "JSON, `column_type = \"Json\"`, or a table of its own",
        ColumnType::Vector(_) => "`Vec<u8>`, or JSON",
        ColumnType::Cidr | ColumnType::Inet | ColumnType::MacAddr | ColumnType::LTree => "`String`",
        _ => "one of the types that the documentation of `schema::Kind` names",
    }
    .to_owned()
}
