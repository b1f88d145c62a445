//! Filters that Django has and Jinja lacks.

use minijinja::value::Rest;
use minijinja::{Environment, Error, ErrorKind, Value, filters};

use super::{date, text};

pub(super) fn add_to(environment: &mut Environment<'static>) {
    // What Jinja calls `tojson`: `<`, `>`, `&` and `'` are written as escapes of JSON, so that it may stand in a script.
    environment.add_filter("json", filters::tojson);
    environment.add_filter("date", date::date);
    environment.add_filter("timesince", date::timesince);
    environment.add_filter("naturaltime", date::naturaltime);
    environment.add_filter("pluralize", pluralize);
    environment.add_filter("intcomma", intcomma);
    environment.add_filter("filesizeformat", filesizeformat);
    environment.add_filter("linebreaks", text::linebreaks);
    environment.add_filter("linebreaksbr", text::linebreaksbr);
    environment.add_filter("urlize", text::urlize);
    environment.add_filter("truncatewords", text::truncatewords);
    environment.add_filter("truncatechars", text::truncatechars);
}

/// `message{{ count|pluralize }}`, `cherr{{ count|pluralize("y,ies") }}`: by a number, or the length of a list.
fn pluralize(value: &Value, endings: Rest<String>) -> Result<String, Error> {
    let count = match (f64::try_from(value.clone()), value.len()) {
        (Ok(number), _) => number,
        (Err(_), Some(length)) => length as f64,
        (Err(_), None) => {
            let problem = format!("neither a number nor a list can be made of {value}");
            return Err(Error::new(ErrorKind::InvalidOperation, problem));
        }
    };
    let (one, many) = match endings.as_slice() {
        [] => ("", "s"),
        [both] => both.split_once(',').unwrap_or(("", both)),
        [one, many, ..] => (one.as_str(), many.as_str()),
    };
    Ok(if count == 1.0 { one } else { many }.to_owned())
}

/// `1234567` as `1,234,567`.
fn intcomma(value: &Value) -> String {
    let text = value.to_string();
    let (sign, digits) = text.strip_prefix('-').map_or(("", text.as_str()), |digits| ("-", digits));
    let (whole, rest) =
        digits.split_at(digits.find(|sign: char| !sign.is_ascii_digit()).unwrap_or(digits.len()));
    let mut grouped = String::new();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    format!("{sign}{grouped}{rest}")
}

/// Bytes as `13.4 KB`, in Django's units of 1024.
fn filesizeformat(bytes: f64) -> String {
    const UNITS: [&str; 5] = ["KB", "MB", "GB", "TB", "PB"];
    if bytes.abs() < 1024.0 {
        return format!("{bytes:.0} byte{}", if bytes == 1.0 { "" } else { "s" });
    }
    let mut size = bytes / 1024.0;
    let mut units = UNITS.iter();
    let mut unit = units.next().expect("there are five");
    while size.abs() >= 1024.0 {
        let Some(next) = units.next() else { break };
        (size, unit) = (size / 1024.0, next);
    }
    format!("{size:.1} {unit}")
}
