//! Defaults, as values that every database can write.

use sea_orm::Value;
use sea_orm::sea_query::{Expr, Keyword, Query, SqliteQueryBuilder};

use crate::literal;
use crate::read::ModelError;
use crate::schema::{Kind, Literal};

const BY_HAND: &str = ": use `default_value`, or `default_expr = \"Expr::current_timestamp()\"` for the time, \
                       or set it in `ActiveModelBehavior::before_save`";

/// The default of a column of this kind; `None` for one that is NULL.
pub(super) fn read(
    entity: &'static str,
    column: &str,
    default: &Expr,
    kind: &Kind,
) -> Result<Option<Literal>, ModelError> {
    let refused = |found: String, instead| ModelError::Default {
        entity,
        column: column.to_owned(),
        found,
        wanted: kind.to_string(),
        instead,
    };
    let literal = match default {
        Expr::Keyword(Keyword::Null) => return Ok(None),
        Expr::Keyword(Keyword::CurrentTimestamp) => Literal::Now,
        Expr::Custom(text) if is_now(text) => Literal::Now,
        Expr::Value(value) | Expr::Constant(value) => match value_of(value) {
            Ok(Some(literal)) => literal,
            Ok(None) => return Ok(None),
            Err(found) => return Err(refused(found, BY_HAND)),
        },
        other => return Err(refused(shown(other), BY_HAND)),
    };
    let fitting = literal::fitting(&literal, kind);
    fitting.map(Some).ok_or_else(|| refused(literal::shown(&literal), ""))
}

/// The ways in which SQL spells the time.
fn is_now(text: &str) -> bool {
    let text = text.trim().to_ascii_lowercase();
    matches!(text.as_str(), "current_timestamp" | "current_timestamp()" | "now()" | "localtimestamp")
}

fn value_of(value: &Value) -> Result<Option<Literal>, String> {
    Ok(match value {
        Value::Bool(value) => value.map(Literal::Boolean),
        Value::TinyInt(value) => value.map(|value| Literal::Integer(value.into())),
        Value::SmallInt(value) => value.map(|value| Literal::Integer(value.into())),
        Value::Int(value) => value.map(|value| Literal::Integer(value.into())),
        Value::BigInt(value) => value.map(Literal::Integer),
        Value::TinyUnsigned(value) => value.map(|value| Literal::Integer(value.into())),
        Value::SmallUnsigned(value) => value.map(|value| Literal::Integer(value.into())),
        Value::Unsigned(value) => value.map(|value| Literal::Integer(value.into())),
        Value::BigUnsigned(Some(value)) => {
            Some(Literal::Integer(i64::try_from(*value).map_err(|_| value.to_string())?))
        }
        Value::Float(Some(value)) if value.is_finite() => Some(Literal::Number(value.to_string())),
        Value::Double(Some(value)) if value.is_finite() => Some(Literal::Number(value.to_string())),
        Value::String(value) => value.clone().map(Literal::Text),
        Value::Char(value) => value.map(|value| Literal::Text(value.to_string())),
        Value::Bytes(Some(bytes)) => Some(Literal::Text(
            String::from_utf8(bytes.clone()).map_err(|_| "bytes that are no text".to_owned())?,
        )),
        // Dates, UUIDs, decimals and the like, of whichever crate: as SQL writes them.
        other => {
            let text = shown(&Expr::Value(other.clone()));
            if text.eq_ignore_ascii_case("NULL") {
                return Ok(None);
            }
            match text.strip_prefix('\'').and_then(|text| text.strip_suffix('\'')) {
                Some(text) => Some(Literal::Text(text.replace("''", "'"))),
                None if text.parse::<f64>().is_ok() => Some(Literal::Number(text)),
                None => return Err(text),
            }
        }
    })
}

/// An expression as SQLite writes it.
fn shown(expr: &Expr) -> String {
    let text = Query::select().expr(expr.clone()).to_string(SqliteQueryBuilder);
    text.strip_prefix("SELECT ").unwrap_or(&text).to_owned()
}
