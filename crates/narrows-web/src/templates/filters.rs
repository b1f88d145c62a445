//! Filters that Django has and Jinja lacks.

use minijinja::value::{Kwargs, Rest};
use minijinja::{Environment, Error, ErrorKind, State, UndefinedBehavior, Value, filters};

use super::{date, text};

pub(super) fn add_to(environment: &mut Environment<'static>) {
    environment.add_filter("json", json);
    environment.add_filter("tojson", json);
    environment.add_filter("date", |state: &State<'_, '_>, time: &Value, format: Option<String>| {
        given(state, time, |time| date::date(time, format.as_deref()))
    });
    environment.add_filter("timesince", |state: &State<'_, '_>, time: &Value, from: Option<Value>| {
        given(state, time, |time| date::timesince(time, from.as_ref()))
    });
    environment.add_filter("naturaltime", |state: &State<'_, '_>, time: &Value| {
        given(state, time, date::naturaltime)
    });
    environment.add_filter("pluralize", |state: &State<'_, '_>, count: &Value, endings: Rest<String>| {
        given(state, count, |count| pluralize(count, &endings))
    });
    for name in ["length", "count"] {
        environment.add_filter(name, length);
    }
    environment
        .add_filter("intcomma", |state: &State<'_, '_>, number: &Value| given(state, number, intcomma));
    environment.add_filter("filesizeformat", |state: &State<'_, '_>, bytes: &Value| {
        given(state, bytes, |bytes| Ok(filesizeformat(number(bytes)?)))
    });
    environment.add_filter("floatformat", |state: &State<'_, '_>, value: &Value, places: Option<i8>| {
        given(state, value, |value| Ok(floatformat(number(value)?, places.unwrap_or(-1))))
    });
    environment.add_filter("yesno", yesno);
    environment.add_filter(
        "default_if_none",
        |value: &Value, other: Value| {
            if value.is_none() { other } else { value.clone() }
        },
    );
    environment.add_filter("json_script", json_script);
    environment
        .add_filter("linebreaks", |state: &State<'_, '_>, of: &Value| given(state, of, text::linebreaks));
    environment
        .add_filter("linebreaksbr", |state: &State<'_, '_>, of: &Value| given(state, of, text::linebreaksbr));
    environment.add_filter("urlize", |state: &State<'_, '_>, of: &Value, limit: Option<usize>| {
        given(state, of, |of| text::urlize(of, limit))
    });
    environment.add_filter("truncatewords", |state: &State<'_, '_>, of: &Value, words: usize| {
        given(state, of, |of| Ok(text::truncatewords(&of.to_string(), words)))
    });
    environment.add_filter("truncatechars", |state: &State<'_, '_>, of: &Value, characters: usize| {
        given(state, of, |of| Ok(text::truncatechars(&of.to_string(), characters)))
    });
}

/// What a filter makes of a value. Nothing (`none`) stays nothing, and so does a name that nobody gave, where that is no error.
fn given<T: Into<Value>>(
    state: &State<'_, '_>,
    value: &Value,
    make: impl FnOnce(&Value) -> Result<T, Error>,
) -> Result<Value, Error> {
    known(state, value)?;
    if value.is_undefined() || value.is_none() {
        return Ok(Value::from(""));
    }
    make(value).map(Into::into)
}

/// A name that nobody gave is an error where it is one when it is written.
fn known(state: &State<'_, '_>, value: &Value) -> Result<(), Error> {
    let is_strict =
        matches!(state.undefined_behavior(), UndefinedBehavior::Strict | UndefinedBehavior::SemiStrict);
    if value.is_undefined() && is_strict {
        return Err(Error::new(ErrorKind::UndefinedError, "a filter is given a name that nobody gave"));
    }
    Ok(())
}

/// What Jinja calls `tojson`: `<`, `>`, `&` and `'` are written as escapes of JSON, so that it may stand in a script.
fn json(state: &State<'_, '_>, value: &Value, indent: Option<Value>, more: Kwargs) -> Result<Value, Error> {
    known(state, value)?;
    filters::tojson(value, indent, more)
}

/// As an element that scripts read: `{{ rooms|json_script("rooms") }}`, which a policy without inline scripts lets be.
fn json_script(state: &State<'_, '_>, value: &Value, id: &str) -> Result<Value, Error> {
    known(state, value)?;
    let json = filters::tojson(value, None, std::iter::empty::<(&str, Value)>().collect())?;
    let id = text::escape(id);
    Ok(Value::from_safe_string(format!("<script id=\"{id}\" type=\"application/json\">{json}</script>")))
}

/// `{{ open|yesno("open,closed,unknown") }}`: the third is for nothing.
fn yesno(state: &State<'_, '_>, value: &Value, words: Option<String>) -> Result<String, Error> {
    known(state, value)?;
    let words = words.as_deref().unwrap_or("yes,no,maybe");
    let mut words = words.split(',');
    let (yes, no) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let word = match value {
        value if value.is_none() => words.next().unwrap_or(no),
        value if value.is_true() => yes,
        _ => no,
    };
    Ok(word.to_owned())
}

/// With so many places; of a negative number of them as many, unless the number is a whole one.
fn floatformat(value: f64, places: i8) -> String {
    let count = if places < 0 && value.fract() == 0.0 { 0 } else { usize::from(places.unsigned_abs()) };
    let text = format!("{value:.count$}");
    let is_zero = text.bytes().all(|sign| matches!(sign, b'-' | b'0' | b'.'));
    if is_zero { text.trim_start_matches('-').to_owned() } else { text }
}

/// Numbers of a fixed number of places are texts, as serde writes them.
fn number(value: &Value) -> Result<f64, Error> {
    match value.as_str().and_then(|text| text.trim().parse().ok()) {
        Some(number) => Ok(number),
        None => f64::try_from(value.clone()),
    }
}

/// As in Jinja, but nothing is as long as an empty list.
fn length(state: &State<'_, '_>, value: &Value) -> Result<usize, Error> {
    known(state, value)?;
    if value.is_undefined() || value.is_none() { Ok(0) } else { filters::length(value) }
}

/// `message{{ count|pluralize }}`, `cherr{{ count|pluralize("y,ies") }}`: by a number, or the length of a list.
fn pluralize(value: &Value, endings: &[String]) -> Result<String, Error> {
    let count = match (f64::try_from(value.clone()), value.len()) {
        (Ok(number), _) => number,
        (Err(_), Some(length)) => length as f64,
        (Err(_), None) => {
            let problem = format!("neither a number nor a list can be made of {value}");
            return Err(Error::new(ErrorKind::InvalidOperation, problem));
        }
    };
    let (one, many) = match endings {
        [] => ("", "s"),
        [both] => both.split_once(',').unwrap_or(("", both)),
        [one, many, ..] => (one.as_str(), many.as_str()),
    };
    Ok(if count == 1.0 { one } else { many }.to_owned())
}

/// `1234567` as `1,234,567`.
fn intcomma(value: &Value) -> Result<String, Error> {
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
    Ok(format!("{sign}{grouped}{rest}"))
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
