//! What columns hold, as texts: read from each database, written back, and shown.
//!
//! Values go through no type of SeaORM's that only some of its features have; so every column can be shown, whatever the
//! project's models use, and one that was not edited is never written.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use narrows_models::sea_orm::sea_query::{Alias, Expr, ExprTrait, Func};
use narrows_models::sea_orm::{DbBackend, DbErr, QueryResult};

use crate::model::{Field, Kind};

/// A value in its one form; `None` is NULL.
pub(crate) type Cell = Option<String>;

/// Of longer texts a list shows so many characters.
pub(crate) const SHORT: i32 = 120;

/// What is selected for a field, so that [`read`] can read it. A short one is cut off, one character later than shown.
pub(crate) fn select(field: &Field, backend: DbBackend, short: bool) -> Expr {
    let column = field.column();
    let call = |name: &'static str, column: Expr| Expr::from(Func::cust(name).arg(column));
    match &field.kind {
        Kind::Float { .. } => column,
        Kind::Decimal(_) if backend == DbBackend::Sqlite => column,
        Kind::Bytes if backend == DbBackend::Postgres => text(call("octet_length", column), backend),
        Kind::Bytes => text(call("length", column), backend),
        Kind::Uuid if backend == DbBackend::Postgres => text(column, backend),
        Kind::Uuid => call("hex", column),
        Kind::Text { .. } | Kind::Json { .. } | Kind::Other if short => {
            Expr::from(Func::cust("substr").arg(text(column, backend)).arg(1).arg(SHORT + 1))
        }
        _ => text(column, backend),
    }
}

/// The value as a text of the database's.
pub(crate) fn text(value: Expr, backend: DbBackend) -> Expr {
    value.cast_as(Alias::new(if backend == DbBackend::MySql { "char" } else { "text" }))
}

/// Reads what [`select`] selected.
pub(crate) fn read(field: &Field, row: &QueryResult, alias: &str, backend: DbBackend) -> Result<Cell, DbErr> {
    let number = match &field.kind {
        Kind::Float { single } => Some(*single),
        Kind::Decimal(_) if backend == DbBackend::Sqlite => Some(false),
        _ => None,
    };
    let Some(single) = number else {
        let text = match row.try_get::<Option<String>>("", alias) {
            Ok(text) => text,
            // A text of SQLite's can have any bytes in it.
            Err(error) => {
                let bytes = row.try_get::<Option<Vec<u8>>>("", alias).map_err(|_| error)?;
                bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            }
        };
        return Ok(text.map(|text| canonical(&field.kind, text)));
    };
    if let Ok(number) = row.try_get::<Option<f64>>("", alias) {
        return Ok(number.map(|number| {
            let text = if single { (number as f32).to_string() } else { number.to_string() };
            canonical(&field.kind, text)
        }));
    }
    if let Ok(number) = row.try_get::<Option<f32>>("", alias) {
        return Ok(number.map(|number| number.to_string()));
    }
    // SQLite holds what it was given.
    if let Ok(number) = row.try_get::<Option<i64>>("", alias) {
        return Ok(number.map(|number| canonical(&field.kind, number.to_string())));
    }
    row.try_get::<Option<String>>("", alias)
}

/// The one form of what a database says. What is not of the kind stays as it is: SQLite keeps anything anywhere.
pub(crate) fn canonical(kind: &Kind, text: String) -> String {
    let known = match kind {
        Kind::Boolean => boolean(&text).map(|value| value.to_string()),
        Kind::Date => date(&text).map(|date| date.to_string()),
        Kind::Time => time(&text).map(|time| time.format("%H:%M:%S%.f").to_string()),
        Kind::DateTime => moment(&text).map(|time| time.format("%Y-%m-%dT%H:%M:%S%.fZ").to_string()),
        Kind::LocalDateTime => local(&text).map(|time| time.format("%Y-%m-%dT%H:%M:%S%.f").to_string()),
        Kind::Uuid => stored_uuid(&text),
        Kind::UuidDigits => uuid(&text),
        Kind::Decimal(Some((_, scale))) => padded(&text, *scale),
        _ => None,
    };
    known.unwrap_or(text)
}

pub(crate) fn boolean(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "true" | "TRUE" => Some(true),
        "0" | "f" | "false" | "FALSE" => Some(false),
        _ => None,
    }
}

pub(crate) fn date(text: &str) -> Option<NaiveDate> {
    NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()
}

pub(crate) fn time(text: &str) -> Option<NaiveTime> {
    ["%H:%M:%S%.f", "%H:%M"].iter().find_map(|format| NaiveTime::parse_from_str(text, format).ok())
}

/// A time with its zone; without one it is UTC.
pub(crate) fn moment(text: &str) -> Option<DateTime<Utc>> {
    let zoned = ["%Y-%m-%dT%H:%M:%S%.f%#z", "%Y-%m-%d %H:%M:%S%.f%#z"];
    let zoned = zoned.iter().find_map(|format| DateTime::parse_from_str(text, format).ok());
    zoned.map(|time| time.to_utc()).or_else(|| local(text).map(|time| time.and_utc()))
}

pub(crate) fn local(text: &str) -> Option<NaiveDateTime> {
    ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"]
        .iter()
        .find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())
}

/// The 32 digits of a UUID, with or without its dashes.
pub(crate) fn uuid(text: &str) -> Option<String> {
    let digits: String = text.trim().chars().filter(|c| *c != '-').collect();
    if digits.len() != 32 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let d = digits.to_ascii_lowercase();
    Some([&d[..8], &d[8..12], &d[12..16], &d[16..20], &d[20..]].join("-"))
}

/// A new one, by chance.
pub(crate) fn new_uuid() -> String {
    // RFC 9562, 5.4: version 4.
    let random = rand::random::<u128>() & !(0xf << 76) & !(0b11 << 62);
    uuid(&format!("{:032x}", random | (0x4 << 76) | (0b10 << 62))).expect("these are 32 digits")
}

/// A UUID that is kept as sixteen bytes or as a text, of which we have the hexadecimal digits.
fn stored_uuid(hex: &str) -> Option<String> {
    uuid(hex).or_else(|| {
        let bytes = unhex(hex)?;
        uuid(std::str::from_utf8(&bytes).ok()?)
    })
}

pub(crate) fn unhex(hex: &str) -> Option<Vec<u8>> {
    if !hex.len().is_multiple_of(2) || !hex.is_ascii() {
        return None;
    }
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).ok()).collect()
}

/// `12.5` with two digits after the point is `12.50`.
fn padded(text: &str, scale: u32) -> Option<String> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.' || byte == b'-');
    let digits = text.split_once('.').map_or(0, |(_, digits)| digits.len());
    let missing = (scale as usize).checked_sub(digits).filter(|_| plain)?;
    let point = if digits == 0 && missing > 0 { "." } else { "" };
    Some(format!("{text}{point}{}", "0".repeat(missing)))
}

/// Digits with a sign and a point at most, fewer than any database takes; PostgreSQL has NaN, too.
fn is_decimal(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let digits = unsigned.replacen('.', "", 1);
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    text.len() <= 1000 && (is_number || text == "NaN")
}

/// The value for a statement; `None` where it is not one of the kind, so that a database has nothing to complain about.
pub(crate) fn bind(field: &Field, cell: &Cell, backend: DbBackend) -> Option<Expr> {
    let Some(text) = cell else { return Some(Expr::cust("NULL")) };
    let postgres = backend == DbBackend::Postgres;
    let cast = |name: &'static str| {
        let value = Expr::val(text.as_str());
        if postgres { value.cast_as(Alias::new(name)) } else { value }
    };
    let is_of_kind = match &field.kind {
        // PostgreSQL has no text with a zero byte, and an error for a value that an enum does not have.
        Kind::Text { .. } | Kind::Json { .. } => !(postgres && text.contains('\0')),
        Kind::Choice { of, .. } => !postgres || of.contains(text),
        Kind::Decimal(_) => is_decimal(text),
        _ => true,
    };
    if !is_of_kind {
        return None;
    }
    Some(match &field.kind {
        Kind::Boolean => Expr::val(boolean(text)?),
        Kind::Integer { .. } => Expr::val(text.parse::<i64>().ok()?),
        Kind::Float { .. } => Expr::val(text.parse::<f64>().ok().filter(|number| number.is_finite())?),
        Kind::Decimal(_) if backend == DbBackend::Sqlite => Expr::val(text.parse::<f64>().ok()?),
        Kind::Decimal(_) => cast("numeric"),
        Kind::Text { .. } => Expr::val(text.as_str()),
        Kind::Choice { type_name, .. } => Expr::val(text.as_str()).as_enum(Alias::new(type_name)),
        Kind::Date => Expr::val(date(text)?),
        Kind::Time => Expr::val(time(text)?),
        Kind::DateTime => Expr::val(moment(text)?),
        Kind::LocalDateTime => Expr::val(local(text)?),
        kind if postgres && kind.is_uuid() => Expr::val(uuid(text)?).cast_as(Alias::new("uuid")),
        Kind::Uuid => Expr::val(unhex(&uuid(text)?.replace('-', ""))?),
        Kind::UuidDigits => Expr::val(uuid(text)?.replace('-', "")),
        Kind::Json { binary: true } => cast("jsonb"),
        Kind::Json { binary: false } => cast("json"),
        Kind::Bytes | Kind::Other => return None,
    })
}

/// The value as pages show it.
pub(crate) fn show(kind: &Kind, cell: &str) -> String {
    match kind {
        Kind::Boolean => match boolean(cell) {
            Some(true) => "Yes".to_owned(),
            Some(false) => "No".to_owned(),
            None => cell.to_owned(),
        },
        Kind::DateTime => {
            moment(cell).map_or(cell.to_owned(), |time| time.format("%Y-%m-%d %H:%M:%S UTC").to_string())
        }
        Kind::LocalDateTime => {
            local(cell).map_or(cell.to_owned(), |time| time.format("%Y-%m-%d %H:%M:%S").to_string())
        }
        Kind::Bytes => format!("{cell} bytes"),
        Kind::Text { .. } | Kind::Json { .. } | Kind::Other => shortened(cell, SHORT as usize),
        _ => cell.to_owned(),
    }
}

/// At most so many characters, with a sign that there are more.
pub(crate) fn shortened(text: &str, chars: usize) -> String {
    match text.char_indices().nth(chars) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_database_s_text_of_a_time_is_one_time() {
        for text in [
            "2026-02-03T04:05:06.000007+00:00",
            "2026-02-03 04:05:06.000007+00",
            "2026-02-03 04:05:06.000007",
            "2026-02-03T06:05:06.000007+02:00",
        ] {
            assert_eq!(canonical(&Kind::DateTime, text.to_owned()), "2026-02-03T04:05:06.000007Z");
        }
        assert_eq!(canonical(&Kind::DateTime, "some day".to_owned()), "some day");
    }

    #[test]
    fn a_uuid_is_read_from_bytes_and_from_texts() {
        let text = "0b7e1c3a-9f52-4f6e-8d1b-2f0a6c9d4e55";
        let digits = text.replace('-', "");
        let hex_of_text: String = text.bytes().map(|byte| format!("{byte:02X}")).collect();
        assert_eq!(stored_uuid(&digits.to_uppercase()).as_deref(), Some(text));
        assert_eq!(stored_uuid(&hex_of_text).as_deref(), Some(text));
        assert_eq!(stored_uuid("zz"), None);
    }

    #[test]
    fn decimals_show_their_scale() {
        assert_eq!(padded("12.5", 2).as_deref(), Some("12.50"));
        assert_eq!(padded("12", 2).as_deref(), Some("12.00"));
        assert_eq!(padded("-3", 0).as_deref(), Some("-3"));
        assert_eq!(padded("1e300", 2), None);
    }

    #[test]
    fn a_decimal_is_a_number_that_every_database_takes() {
        for good in ["0", "-12.50", "+.5", "7.", "NaN"] {
            assert!(is_decimal(good), "{good}");
        }
        for wrong in ["", "-", ".", "1.2.3", "1e9", "--1", "abc", "1,5", &"9".repeat(1001)] {
            assert!(!is_decimal(wrong), "{wrong}");
        }
    }
}
