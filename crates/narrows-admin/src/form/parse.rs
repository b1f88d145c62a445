//! What is typed into inputs, and what inputs show.

use chrono::{Datelike, Timelike};

use super::json;
use crate::model::{Field, Kind};
use crate::value::{self, Cell};

/// What an input says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Typed {
    Value(Cell),
    /// Nothing: the database knows what to take.
    Default,
}

/// The value as its input shows it. What it cannot show – microseconds – is only in the value.
pub(super) fn input_text(field: &Field, cell: &Cell) -> String {
    let Some(cell) = cell else { return String::new() };
    match &field.kind {
        Kind::DateTime => value::moment(cell).map_or(cell.clone(), |time| local_text(time.naive_utc())),
        Kind::LocalDateTime => value::local(cell).map_or(cell.clone(), local_text),
        Kind::Time => value::time(cell).map_or(cell.clone(), time_text),
        Kind::Json { .. } => json::pretty(cell),
        Kind::Text { .. } => unix_lines(cell),
        _ => cell.clone(),
    }
}

fn local_text(time: chrono::NaiveDateTime) -> String {
    let format = if time.nanosecond() >= 1_000_000 { "%Y-%m-%dT%H:%M:%S%.3f" } else { "%Y-%m-%dT%H:%M:%S" };
    time.format(format).to_string()
}

fn time_text(time: chrono::NaiveTime) -> String {
    let format = if time.nanosecond() >= 1_000_000 { "%H:%M:%S%.3f" } else { "%H:%M:%S" };
    time.format(format).to_string()
}

/// What a browser sends of an input that nobody touched.
pub(super) fn untouched(field: &Field, cell: &Cell) -> String {
    let shown = input_text(field, cell);
    // A checkbox that is not ticked sends nothing.
    let unticked = field.kind == Kind::Boolean && !field.null && shown != "true";
    if unticked { String::new() } else { shown }
}

/// What was typed as the input would have shown it. Browsers write times as short as they can: `06.120` may come back as
/// `06.12`, and a full minute without its seconds.
pub(super) fn as_shown(field: &Field, typed: &str) -> String {
    let in_milliseconds = |nanos: u32| nanos.is_multiple_of(1_000_000);
    let shown = match &field.kind {
        Kind::DateTime => value::moment(typed).map(|time| time.naive_utc()),
        Kind::LocalDateTime => value::local(typed),
        Kind::Time => {
            let time = value::time(typed).filter(|time| in_milliseconds(time.nanosecond()));
            return time.map_or_else(|| typed.to_owned(), time_text);
        }
        _ => return unix_lines(typed),
    };
    let shown = shown.filter(|time| in_milliseconds(time.nanosecond()));
    shown.map_or_else(|| typed.to_owned(), local_text)
}

/// Browsers send lines that end in CR LF, whatever they were given.
pub(super) fn unix_lines(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n")
}

/// Reads what was typed for a new row, or for one that is there.
pub(super) fn parse(field: &Field, typed: &str, is_new: bool) -> Result<Typed, String> {
    let is_text = matches!(field.kind, Kind::Text { .. });
    let typed = if is_text { typed } else { typed.trim() };
    if typed.is_empty() {
        return match &field.kind {
            Kind::Boolean if !field.null => Ok(Typed::Value(Some("false".to_owned()))),
            _ if field.null => Ok(Typed::Value(None)),
            _ if is_new && field.has_default => Ok(Typed::Default),
            _ if is_text && field.blank => Ok(Typed::Value(Some(String::new()))),
            _ => Err("This is needed.".to_owned()),
        };
    }
    if typed.contains('\0') {
        return Err("This has a character in it that cannot be kept.".to_owned());
    }
    value_of(field, typed).map(|value| Typed::Value(Some(value)))
}

/// The value that a text stands for, which is not NULL.
pub(super) fn value_of(field: &Field, typed: &str) -> Result<String, String> {
    let year = |year: i32| (1..=9999).contains(&year);
    match &field.kind {
        Kind::Boolean => match typed {
            "on" => Ok("true".to_owned()),
            _ => value::boolean(typed)
                .map(|value| value.to_string())
                .ok_or_else(|| "Choose yes or no.".to_owned()),
        },
        Kind::Integer { min, max } => {
            let digits = typed.strip_prefix(['-', '+']).unwrap_or(typed);
            if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err("Type a whole number.".to_owned());
            }
            let fits = typed.parse::<i64>().ok().filter(|number| (min..=max).contains(&number));
            fits.map(|number| number.to_string()).ok_or_else(|| format!("Type a number from {min} to {max}."))
        }
        Kind::Float { single } => {
            let number = typed.parse::<f64>().ok().filter(|number| number.is_finite());
            let number = number.filter(|number| !single || (*number as f32).is_finite());
            number.map(|number| number.to_string()).ok_or_else(|| "Type a number.".to_owned())
        }
        Kind::Decimal(digits) => decimal(typed, *digits),
        Kind::Text { max_chars, .. } => {
            let text = unix_lines(typed);
            let chars = text.chars().count();
            match max_chars {
                Some(max) if chars > *max as usize => {
                    Err(format!("At most {max} characters go in here; these are {chars}."))
                }
                _ => Ok(text),
            }
        }
        Kind::Choice { of, .. } => {
            let known = of.iter().any(|choice| choice == typed);
            known.then(|| typed.to_owned()).ok_or_else(|| "Choose one of the list.".to_owned())
        }
        Kind::Date => value::date(typed)
            .filter(|date| year(date.year()))
            .map(|date| date.to_string())
            .ok_or_else(|| "Type a date, such as 2026-12-31.".to_owned()),
        Kind::Time => value::time(typed)
            .map(|time| time.format("%H:%M:%S%.f").to_string())
            .ok_or_else(|| "Type a time, such as 18:30.".to_owned()),
        Kind::DateTime => value::moment(typed)
            .filter(|time| year(time.year()))
            .map(|time| time.format("%Y-%m-%dT%H:%M:%S%.fZ").to_string())
            .ok_or_else(|| "Type a date and a time, such as 2026-12-31T18:30.".to_owned()),
        Kind::LocalDateTime => value::local(typed)
            .filter(|time| year(time.year()))
            .map(|time| time.format("%Y-%m-%dT%H:%M:%S%.f").to_string())
            .ok_or_else(|| "Type a date and a time, such as 2026-12-31T18:30.".to_owned()),
        Kind::Uuid | Kind::UuidDigits => {
            value::uuid(typed).ok_or_else(|| "Type a UUID: 32 hexadecimal digits.".to_owned())
        }
        Kind::Json { .. } => match serde_json::from_str::<serde::de::IgnoredAny>(typed) {
            Ok(_) => Ok(unix_lines(typed)),
            Err(error) => Err(format!("This is not JSON: {error}.")),
        },
        Kind::Bytes | Kind::Other => Err("This cannot be edited here.".to_owned()),
    }
}

fn decimal(typed: &str, bounds: Option<(u32, u32)>) -> Result<String, String> {
    let unsigned = typed.strip_prefix(['-', '+']).unwrap_or(typed);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) || whole.len() + fraction.len() == 0 {
        return Err("Type a number, such as 12.50.".to_owned());
    }
    let whole = match whole.trim_start_matches('0') {
        "" => "0",
        whole => whole,
    };
    if let Some((all, scale)) = bounds {
        let before = all.saturating_sub(scale) as usize;
        if fraction.trim_end_matches('0').len() > scale as usize {
            return Err(format!("At most {scale} digits go behind the point."));
        }
        if whole != "0" && whole.len() > before {
            return Err(format!("At most {before} digits go before the point."));
        }
    }
    let kept = bounds.map_or(fraction.len(), |(_, scale)| fraction.len().min(scale as usize));
    let sign = if typed.starts_with('-') { "-" } else { "" };
    let point = if kept > 0 { "." } else { "" };
    Ok(format!("{sign}{whole}{point}{}", &fraction[..kept]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_bounded_on_both_sides_of_the_point() {
        let bounds = Some((5, 2));
        assert_eq!(decimal("012.5", bounds).as_deref(), Ok("12.5"));
        assert_eq!(decimal("-0.10000", bounds).as_deref(), Ok("-0.10"));
        assert_eq!(decimal(".5", bounds).as_deref(), Ok("0.5"));
        assert!(decimal("1234", bounds).is_err());
        assert!(decimal("1.234", bounds).is_err());
        for wrong in ["", ".", "-", "1e3", "1,5", "NaN", "٣"] {
            assert!(decimal(wrong, None).is_err(), "{wrong}");
        }
    }
}
