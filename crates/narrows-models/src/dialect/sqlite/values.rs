//! Values of one kind as another kind has them, and those that are none of it: SQLite itself would make 0 of `ten`.

use crate::dialect::kinds::{FALSE, TRUE, is_integer, is_number, is_text};
use crate::schema::Kind;

/// The ends of texts of times in UTC.
const UTC: &str = "+00:00";

/// What is true of a value that is lost on the way from one kind to the other.
pub(super) fn refused(from: &Kind, to: &Kind, name: &str) -> Option<String> {
    let text = is_text(from);
    match to {
        Kind::Varchar(most) => Some(format!("length(CAST({} AS TEXT)) > {most}", converted(from, to, name))),
        Kind::SmallInteger | Kind::Integer | Kind::BigInteger => {
            let (least, most) = range(to);
            let bounds = format!("CAST({name} AS REAL) < {least} OR CAST({name} AS REAL) > {most}");
            // The greatest whole number has no neighbour among the others.
            let great =
                format!("CAST({name} AS REAL) >= 9223372036854775808.0 AND trim({name}) <> '{}'", i64::MAX);
            let digits = format!("substr(trim({name}), 1 + (substr(trim({name}), 1, 1) IN ('-', '+')))");
            let other = format!("{digits} = '' OR {digits} GLOB '*[^0-9]*'");
            Some(if text {
                format!("{other} OR {great} OR {bounds}")
            } else {
                format!("{great} OR {bounds}")
            })
        }
        Kind::Decimal(digits, after) => {
            let (no_number, most) = (no_number(name), digits.saturating_sub(*after));
            let long = format!("abs(round(CAST({name} AS REAL), {after})) >= 1e{most}");
            Some(if text { format!("{no_number} OR {long}") } else { long })
        }
        Kind::Float | Kind::Double if text => Some(no_number(name)),
        Kind::Boolean if text => Some(format!("lower(trim({name})) NOT IN ({TRUE}, {FALSE})")),
        Kind::Json if text => Some(format!("NOT json_valid({name})")),
        Kind::Date | Kind::DateTime | Kind::LocalDateTime if text => {
            // A bare number is a day to SQLite, and so is the 30th of February.
            let day = format!("substr({name}, 1, 10)");
            Some(format!("julianday({name}) IS NULL OR coalesce(date({day}) <> {day}, 1)"))
        }
        // Here too, and `now` is a time.
        Kind::Time if text => {
            Some(format!("time({name}) IS NULL OR {name} NOT GLOB '[0-2][0-9]:[0-5][0-9]*'"))
        }
        Kind::Uuid if text => {
            let digits = format!("replace({name}, '-', '')");
            Some(format!("length({digits}) <> 32 OR {digits} GLOB '*[^0-9a-fA-F]*'"))
        }
        Kind::Uuid if *from == Kind::Bytes => Some(format!("length({name}) <> 16")),
        _ => None,
    }
}

/// A value of one kind as the other kind has it.
pub(super) fn converted(from: &Kind, to: &Kind, name: &str) -> String {
    match (from, to) {
        (from, Kind::Boolean) if is_text(from) => {
            format!("CASE WHEN {name} IS NOT NULL THEN lower(trim({name})) IN ({TRUE}) END")
        }
        (from, Kind::Uuid) if is_text(from) => format!("unhex(replace({name}, '-', ''))"),
        (Kind::Uuid, to) if is_text(to) => {
            let part = |at: u8, length: u8| format!("substr(lower(hex({name})), {at}, {length})");
            let parts = [part(1, 8), part(9, 4), part(13, 4), part(17, 4), part(21, 12)];
            format!("CASE WHEN {name} IS NOT NULL THEN {} END", parts.join(" || '-' || "))
        }
        (Kind::DateTime, Kind::LocalDateTime) => format!(
            "CASE WHEN {name} LIKE '%{UTC}' THEN replace(replace({name}, '{UTC}', ''), 'T', ' ') \
             ELSE strftime('%Y-%m-%d %H:%M:%f', {name}) END"
        ),
        (Kind::LocalDateTime, Kind::DateTime) => format!("replace({name}, ' ', 'T') || '{UTC}'"),
        (Kind::DateTime, Kind::Time) => format!(
            "CASE WHEN {name} LIKE '%{UTC}' THEN replace(substr({name}, 12), '{UTC}', '') \
             ELSE strftime('%H:%M:%f', {name}) END"
        ),
        (Kind::LocalDateTime, Kind::Time) => format!("substr({name}, 12)"),
        (from, Kind::Date) if is_text(from) => format!("substr({name}, 1, 10)"),
        (from, Kind::DateTime | Kind::LocalDateTime) if is_text(from) => {
            format!("CASE length({name}) WHEN 10 THEN {name} || ' 00:00:00' ELSE {name} END")
        }
        (from, Kind::Time) if is_text(from) => {
            format!("CASE length({name}) WHEN 5 THEN {name} || ':00' ELSE {name} END")
        }
        (Kind::DateTime | Kind::LocalDateTime, Kind::Date) => format!("date({name})"),
        (Kind::Date, Kind::DateTime) => format!("{name} || 'T00:00:00{UTC}'"),
        (Kind::Date, Kind::LocalDateTime) => format!("{name} || ' 00:00:00'"),
        (from, Kind::Boolean) if is_number(from) => format!("{name} <> 0"),
        (Kind::Float | Kind::Double | Kind::Decimal(..), to) if is_integer(to) => {
            format!("CAST(round({name}) AS INTEGER)")
        }
        (_, to) if is_integer(to) => format!("CAST({name} AS INTEGER)"),
        (_, Kind::Decimal(_, after)) => format!("round({name}, {after})"),
        (_, Kind::Float | Kind::Double) => format!("CAST({name} AS REAL)"),
        (_, Kind::Varchar(_) | Kind::Text) => format!("CAST({name} AS TEXT)"),
        (_, Kind::Bytes) => format!("CAST({name} AS BLOB)"),
        _ => name.to_owned(),
    }
}

/// As JSON has them: SQLite would take the beginning of anything.
fn no_number(name: &str) -> String {
    format!(
        "CASE WHEN json_valid(trim({name})) THEN json_type(trim({name})) NOT IN ('integer', 'real') ELSE 1 END"
    )
}

fn range(kind: &Kind) -> (i64, i64) {
    match kind {
        Kind::SmallInteger => (i16::MIN.into(), i16::MAX.into()),
        Kind::Integer => (i32::MIN.into(), i32::MAX.into()),
        _ => (i64::MIN, i64::MAX),
    }
}
