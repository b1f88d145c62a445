use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, SecondsFormat, Utc};

use super::Dialect;
use super::kinds::is_number;
use crate::schema::{Kind, Literal};

/// A value as a column of this kind holds it; `None` where it is none of these.
pub(super) fn literal(dialect: Dialect, kind: &Kind, value: &Literal) -> Option<String> {
    match (value, kind) {
        (Literal::Boolean(is), _) => boolean(dialect, kind, *is),
        (Literal::Integer(0 | 1), Kind::Boolean) => boolean(dialect, kind, *value == Literal::Integer(1)),
        (Literal::Integer(number), _) if is_number(kind) => Some(number.to_string()),
        (Literal::Integer(number), Kind::Varchar(_) | Kind::Text) => Some(text(dialect, &number.to_string())),
        (Literal::Integer(number), Kind::Json) => Some(json(dialect, &number.to_string())),
        (Literal::Number(number), _) if is_number(kind) => is_written_number(number).then(|| number.clone()),
        (Literal::Number(number), Kind::Varchar(_) | Kind::Text) => Some(text(dialect, number)),
        (Literal::Number(number), Kind::Json) => is_written_number(number).then(|| json(dialect, number)),
        (Literal::Text(value), _) => of_text(dialect, kind, value),
        (Literal::Now, _) => now(dialect, kind),
        _ => None,
    }
}

/// Whether a default is a bare value; SQLite adds no column with an expression to a table that has rows.
pub(super) fn is_constant(value: &Literal) -> bool {
    *value != Literal::Now
}

pub(super) fn text(dialect: Dialect, text: &str) -> String {
    let quoted = text.replace('\'', "''");
    match dialect {
        // A NUL ends the text of a statement there.
        Dialect::Sqlite if text.contains('\0') => format!("CAST(X'{}' AS TEXT)", hex(text.as_bytes())),
        Dialect::MySql | Dialect::MariaDb => {
            format!("'{}'", quoted.replace('\\', "\\\\").replace('\0', "\\0"))
        }
        _ => format!("'{quoted}'"),
    }
}

fn boolean(dialect: Dialect, kind: &Kind, is: bool) -> Option<String> {
    Some(match kind {
        Kind::Boolean if dialect == Dialect::Postgres => (if is { "TRUE" } else { "FALSE" }).to_owned(),
        Kind::Json => json(dialect, if is { "true" } else { "false" }),
        Kind::Boolean => u8::from(is).to_string(),
        kind if is_number(kind) => u8::from(is).to_string(),
        _ => return None,
    })
}

fn of_text(dialect: Dialect, kind: &Kind, value: &str) -> Option<String> {
    match kind {
        Kind::Varchar(most) => (value.chars().count() <= *most as usize).then(|| text(dialect, value)),
        Kind::Text => Some(text(dialect, value)),
        Kind::Bytes => Some(bytes(dialect, value.as_bytes())),
        Kind::Json => serde_json::from_str::<serde_json::Value>(value).ok().map(|_| json(dialect, value)),
        Kind::Uuid => uuid(dialect, value),
        Kind::Date => value.parse::<NaiveDate>().ok().map(|date| text(dialect, &date.to_string())),
        Kind::Time => {
            value.parse::<NaiveTime>().ok().map(|time| text(dialect, &time.format("%T%.f").to_string()))
        }
        Kind::DateTime => date_time(dialect, value),
        Kind::LocalDateTime => {
            local(value).map(|time| text(dialect, &time.format("%Y-%m-%d %H:%M:%S%.f").to_string()))
        }
        Kind::Boolean => None,
        _ => is_written_number(value).then(|| value.to_owned()),
    }
}

fn bytes(dialect: Dialect, value: &[u8]) -> String {
    match dialect {
        // Whatever `standard_conforming_strings` is.
        Dialect::Postgres => format!("decode('{}', 'hex')", hex(value)),
        _ => format!("X'{}'", hex(value)),
    }
}

fn json(dialect: Dialect, value: &str) -> String {
    let literal = text(dialect, value);
    if dialect == Dialect::Postgres { format!("{literal}::jsonb") } else { literal }
}

/// SQLite and MySQL hold its 16 bytes, as SeaORM writes them.
fn uuid(dialect: Dialect, value: &str) -> Option<String> {
    let digits: String = value.chars().filter(|c| *c != '-').collect();
    if digits.len() != 32 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    Some(match dialect {
        Dialect::Postgres => format!("'{digits}'::uuid"),
        _ => format!("X'{digits}'"),
    })
}

fn date_time(dialect: Dialect, value: &str) -> Option<String> {
    let time = match DateTime::parse_from_rfc3339(value) {
        Ok(time) => time.to_utc(),
        Err(_) => local(value)?.and_utc(),
    };
    Some(match dialect {
        // As SeaORM writes it.
        Dialect::Sqlite => text(dialect, &time.to_rfc3339_opts(SecondsFormat::AutoSi, false)),
        Dialect::Postgres => text(dialect, &time.to_rfc3339_opts(SecondsFormat::AutoSi, false)),
        _ => text(dialect, &time.format("%Y-%m-%d %H:%M:%S%.f").to_string()),
    })
}

fn local(value: &str) -> Option<NaiveDateTime> {
    let formats = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"];
    let parsed = formats.iter().find_map(|format| NaiveDateTime::parse_from_str(value, format).ok());
    let with_zone = || value.parse::<DateTime<Utc>>().ok().map(|time| time.naive_utc());
    parsed.or_else(with_zone).or_else(|| value.parse::<NaiveDate>().ok()?.and_hms_opt(0, 0, 0))
}

fn now(dialect: Dialect, kind: &Kind) -> Option<String> {
    let sql = match (dialect, kind) {
        (Dialect::Sqlite, Kind::DateTime | Kind::Text) => {
            "(strftime('%Y-%m-%dT%H:%M:%f', 'now') || '+00:00')"
        }
        (Dialect::Sqlite, Kind::LocalDateTime) => "(strftime('%Y-%m-%d %H:%M:%f', 'now'))",
        (Dialect::Sqlite, Kind::Date) => "(date('now'))",
        (Dialect::Sqlite, Kind::Time) => "(strftime('%H:%M:%f', 'now'))",
        (Dialect::Postgres, Kind::DateTime) => "now()",
        (Dialect::Postgres, Kind::LocalDateTime) => "timezone('UTC', now())",
        (Dialect::Postgres, Kind::Date) => "(timezone('UTC', now()))::date",
        (Dialect::Postgres, Kind::Time) => "(timezone('UTC', now()))::time",
        // Not CURRENT_TIMESTAMP, which is of the connection's time zone.
        (_, Kind::DateTime | Kind::LocalDateTime) => "(UTC_TIMESTAMP(6))",
        (_, Kind::Date) => "(UTC_DATE())",
        (_, Kind::Time) => "(UTC_TIME(6))",
        _ => return None,
    };
    Some(sql.to_owned())
}

/// Digits, with a sign, a point and an exponent: nothing that could be more than a number.
fn is_written_number(value: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'+' | b'e' | b'E');
    value.bytes().all(allowed) && value.parse::<f64>().is_ok_and(f64::is_finite)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
