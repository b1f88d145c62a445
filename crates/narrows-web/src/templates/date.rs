//! Filters of times: what SeaORM's and chrono's times look like in a template, which is text, or seconds since 1970.

use std::fmt::Write;

use chrono::format::{Item, StrftimeItems};
use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime, TimeDelta, Utc};
use minijinja::{Error, ErrorKind, Value};

use super::django;

/// `{{ message.at|date("%d.%m.%Y %H:%M") }}`, or with Django's letters, `date("j F Y, H:i")`. Without a format as in
/// `21 November 2026, 23:45`. A time is shown in the zone that it has, which for a database's is UTC.
pub(super) fn date(value: &Value, format: Option<&str>) -> Result<String, Error> {
    let time = time(value)?;
    let format = format.unwrap_or("%-d %B %Y, %H:%M");
    let strftime = if format.contains('%') { format.to_owned() } else { django::strftime(format, &time) };
    let items: Vec<Item<'_>> = StrftimeItems::new(&strftime).collect();
    let mut text = String::new();
    // Some can only be read, and not be written.
    if items.contains(&Item::Error) || write!(text, "{}", time.format_with_items(items.iter())).is_err() {
        return Err(Error::new(ErrorKind::InvalidOperation, format!("`{format}` is no format of a date")));
    }
    Ok(text)
}

/// How long ago it was, or will have been from another time, in two units at most: `3 days, 4 hours`.
pub(super) fn timesince(value: &Value, from: Option<&Value>) -> Result<String, Error> {
    let from = from.map_or_else(|| Ok(Utc::now().into()), time)?;
    Ok(in_words(from.signed_duration_since(time(value)?)))
}

/// `now`, `5 minutes ago`, `in 2 days`.
pub(super) fn naturaltime(value: &Value) -> Result<String, Error> {
    let past = Utc::now().signed_duration_since(time(value)?);
    let unit = |delta: TimeDelta| {
        let seconds = delta.num_seconds();
        if seconds < 60 { plural(seconds, "second") } else { first_unit(delta) }
    };
    Ok(match past.num_seconds() {
        0 => "now".to_owned(),
        1.. => format!("{} ago", unit(past)),
        _ => format!("in {}", unit(-past)),
    })
}

fn time(value: &Value) -> Result<DateTime<FixedOffset>, Error> {
    let seconds = value.as_i64().and_then(|seconds| DateTime::<Utc>::from_timestamp(seconds, 0));
    let time = seconds.map(Into::into).or_else(|| value.as_str().and_then(parse));
    time.ok_or_else(|| Error::new(ErrorKind::InvalidOperation, format!("`{value}` is no time")))
}

/// As chrono writes times and dates, with serde or for people, and as databases do. Without a zone it is UTC.
fn parse(text: &str) -> Option<DateTime<FixedOffset>> {
    let text = text.trim();
    let zoned = DateTime::parse_from_rfc3339(text).or_else(|_| {
        let text = text.strip_suffix(" UTC").map_or_else(|| text.to_owned(), |text| format!("{text}+00:00"));
        DateTime::parse_from_str(&text, "%Y-%m-%d %H:%M:%S%.f%#z")
    });
    let plain = |format| NaiveDateTime::parse_from_str(text, format).ok();
    let day = || NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?.and_hms_opt(0, 0, 0);
    zoned.ok().or_else(|| {
        let time = plain("%Y-%m-%dT%H:%M:%S%.f").or_else(|| plain("%Y-%m-%d %H:%M:%S%.f")).or_else(day);
        Some(time?.and_utc().into())
    })
}

/// Django's `timesince`: the two largest units that are next to each other.
fn in_words(past: TimeDelta) -> String {
    let units = units(past);
    match units.as_slice() {
        [] => "0 minutes".to_owned(),
        [first, ..] => {
            let mut text = plural(first.0, first.1);
            if let Some(second) = units.get(1).filter(|second| second.2 == first.2 + 1) {
                text.push_str(", ");
                text.push_str(&plural(second.0, second.1));
            }
            text
        }
    }
}

fn first_unit(past: TimeDelta) -> String {
    units(past).first().map_or_else(String::new, |unit| plural(unit.0, unit.1))
}

/// How many of which unit, without those of which there are none, and their places.
fn units(past: TimeDelta) -> Vec<(i64, &'static str, usize)> {
    // Years and months of their mean lengths.
    const UNITS: [(&str, i64); 6] = [
        ("year", 31_556_952),
        ("month", 2_629_746),
        ("week", 604_800),
        ("day", 86_400),
        ("hour", 3_600),
        ("minute", 60),
    ];
    let mut seconds = past.num_seconds().max(0);
    let mut units = Vec::new();
    for (place, (name, length)) in UNITS.into_iter().enumerate() {
        if seconds >= length {
            units.push((seconds / length, name, place));
            seconds %= length;
        }
    }
    units
}

fn plural(count: i64, unit: &str) -> String {
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}
