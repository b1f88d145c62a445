//! Values in migrations: which fit a kind, what is typed for one, and which is neutral.

use crate::schema::{Kind, Literal};

/// The value as the kind has it, where it has.
pub(crate) fn fitting(literal: &Literal, kind: &Kind) -> Option<Literal> {
    match (literal, kind) {
        (Literal::Now, Kind::Date | Kind::Time | Kind::DateTime | Kind::LocalDateTime) => Some(Literal::Now),
        (Literal::Now, _) => None,
        (Literal::Boolean(_), Kind::Boolean) => Some(literal.clone()),
        (Literal::Integer(number @ (0 | 1)), Kind::Boolean) => Some(Literal::Boolean(*number == 1)),
        (Literal::Integer(number), kind) if whole(kind) => {
            let fits = match kind {
                Kind::SmallInteger => i16::try_from(*number).is_ok(),
                Kind::Integer => i32::try_from(*number).is_ok(),
                _ => true,
            };
            fits.then(|| literal.clone())
        }
        (Literal::Integer(_), Kind::Float | Kind::Double) => Some(literal.clone()),
        (Literal::Integer(number), Kind::Decimal(..)) => decimal(&number.to_string(), kind),
        (Literal::Integer(number), Kind::Text | Kind::Varchar(_)) => {
            fitting(&Literal::Text(number.to_string()), kind)
        }
        (Literal::Number(text), Kind::Float | Kind::Double | Kind::Decimal(..)) => typed(text, kind),
        (Literal::Number(text), kind) if whole(kind) => {
            let text = text.strip_suffix(".0").unwrap_or(text);
            fitting(&Literal::Integer(text.parse().ok()?), kind)
        }
        (Literal::Text(text), _) => typed(text, kind),
        _ => None,
    }
}

/// What somebody typed, as a value of the kind.
pub(crate) fn typed(text: &str, kind: &Kind) -> Option<Literal> {
    let trimmed = text.trim();
    match kind {
        Kind::Boolean => match trimmed.to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" => Some(Literal::Boolean(true)),
            "false" | "0" | "no" => Some(Literal::Boolean(false)),
            _ => None,
        },
        Kind::SmallInteger | Kind::Integer | Kind::BigInteger => {
            fitting(&Literal::Integer(trimmed.parse().ok()?), kind)
        }
        Kind::Float | Kind::Double => match (trimmed.parse::<i64>(), trimmed.parse::<f64>()) {
            (Ok(number), _) => Some(Literal::Integer(number)),
            (_, Ok(number)) if number.is_finite() => Some(Literal::Number(trimmed.to_owned())),
            _ => None,
        },
        Kind::Decimal(..) => decimal(trimmed, kind),
        Kind::Varchar(length) => {
            (text.chars().count() <= *length as usize).then(|| Literal::Text(text.to_owned()))
        }
        Kind::Text | Kind::Bytes => Some(Literal::Text(text.to_owned())),
        Kind::Date | Kind::Time | Kind::DateTime | Kind::LocalDateTime
            if trimmed.eq_ignore_ascii_case("now") =>
        {
            Some(Literal::Now)
        }
        Kind::Date => is_date(trimmed).then(|| Literal::Text(trimmed.to_owned())),
        Kind::Time => is_time(trimmed).then(|| Literal::Text(trimmed.to_owned())),
        Kind::DateTime => is_date_time(trimmed).then(|| Literal::Text(trimmed.to_owned())),
        Kind::LocalDateTime => is_local(trimmed).then(|| Literal::Text(trimmed.to_owned())),
        Kind::Uuid => is_uuid(trimmed).then(|| Literal::Text(trimmed.to_ascii_lowercase())),
        Kind::Json => {
            serde_json::from_str::<serde_json::Value>(trimmed).ok().map(|_| Literal::Text(trimmed.to_owned()))
        }
    }
}

/// The value of a kind that says least.
pub(crate) fn neutral(kind: &Kind) -> Literal {
    match kind {
        Kind::Boolean => Literal::Boolean(false),
        Kind::SmallInteger
        | Kind::Integer
        | Kind::BigInteger
        | Kind::Float
        | Kind::Double
        | Kind::Decimal(..) => Literal::Integer(0),
        Kind::Varchar(_) | Kind::Text | Kind::Bytes => Literal::Text(String::new()),
        Kind::Date | Kind::Time | Kind::DateTime | Kind::LocalDateTime => Literal::Now,
        Kind::Uuid => Literal::Text("00000000-0000-0000-0000-000000000000".to_owned()),
        Kind::Json => Literal::Text("{}".to_owned()),
    }
}

/// A value for people.
pub(crate) fn shown(literal: &Literal) -> String {
    match literal {
        Literal::Boolean(value) => value.to_string(),
        Literal::Integer(number) => number.to_string(),
        Literal::Number(text) => text.clone(),
        Literal::Text(text) => format!("{text:?}"),
        Literal::Now => "now".to_owned(),
    }
}

/// What of a kind is typed, for people.
pub(crate) fn form(kind: &Kind) -> &'static str {
    match kind {
        Kind::Boolean => "`true` or `false`",
        Kind::SmallInteger => "a whole number of 16 bits",
        Kind::Integer => "a whole number of 32 bits",
        Kind::BigInteger => "a whole number",
        Kind::Float | Kind::Double | Kind::Decimal(..) => "a number",
        Kind::Varchar(_) | Kind::Text | Kind::Bytes => "a text, as it is",
        Kind::Date => "`2026-01-31`, or `now`",
        Kind::Time => "`12:30:00`, or `now`",
        Kind::DateTime => "`2026-01-31 12:30:00Z`, or `now`",
        Kind::LocalDateTime => "`2026-01-31 12:30:00`, or `now`",
        Kind::Uuid => "a UUID",
        Kind::Json => "JSON",
    }
}

fn whole(kind: &Kind) -> bool {
    matches!(kind, Kind::SmallInteger | Kind::Integer | Kind::BigInteger)
}

/// A number with no more digits than the kind has.
fn decimal(text: &str, kind: &Kind) -> Option<Literal> {
    let Kind::Decimal(digits, after) = kind else { return None };
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (before, behind) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let numeric = !before.is_empty() && all_digits(before) && all_digits(behind) && !unsigned.ends_with('.');
    let fits = before.trim_start_matches('0').len() <= digits.saturating_sub(*after) as usize
        && behind.trim_end_matches('0').len() <= *after as usize;
    if !numeric || !fits {
        return None;
    }
    Some(text.parse().map_or_else(|_| Literal::Number(text.to_owned()), Literal::Integer))
}

fn is_date(text: &str) -> bool {
    chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d").is_ok()
}

fn is_time(text: &str) -> bool {
    ["%H:%M:%S%.f", "%H:%M"].iter().any(|form| chrono::NaiveTime::parse_from_str(text, form).is_ok())
}

fn is_local(text: &str) -> bool {
    let forms = ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f"];
    forms.iter().any(|form| chrono::NaiveDateTime::parse_from_str(text, form).is_ok())
}

fn is_date_time(text: &str) -> bool {
    chrono::DateTime::parse_from_rfc3339(&text.replacen(' ', "T", 1)).is_ok() || is_local(text)
}

fn is_uuid(text: &str) -> bool {
    let lengths = [8, 4, 4, 4, 12];
    let parts: Vec<&str> = text.split('-').collect();
    let hex = |part: &&str| part.bytes().all(|byte| byte.is_ascii_hexdigit());
    parts.len() == lengths.len()
        && parts.iter().zip(lengths).all(|(part, length)| part.len() == length && hex(part))
}
