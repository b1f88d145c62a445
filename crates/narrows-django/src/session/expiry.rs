use std::time::Duration;

use chrono::{DateTime, NaiveDate, NaiveDateTime, SubsecRound, TimeDelta, Utc};
use serde_json::Value;

use super::{SessionCookie, Values};

/// Where Django keeps a session's own expiry: seconds, 0 for the browser's end, or a time in ISO 8601.
pub(super) const KEY: &str = "_session_expiry";

/// When a session ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expiry {
    /// As the site says.
    Default,
    /// With the browser; what the server keeps, as the site says.
    BrowserClose,
    /// So many seconds after the last save.
    After(i64),
    At(DateTime<Utc>),
}

fn of(values: &Values) -> Expiry {
    match values.get(KEY) {
        Some(Value::Number(number)) => match number.as_i64() {
            Some(0) => Expiry::BrowserClose,
            Some(seconds) => Expiry::After(seconds),
            // Fractions of a second, which nobody sees.
            None => Expiry::After(number.as_f64().map_or(i64::MAX, |seconds| seconds as i64)),
        },
        Some(Value::String(text)) => parse(&text).map_or(Expiry::Default, Expiry::At),
        _ => Expiry::Default,
    }
}

/// `get_expiry_date`: when a session that is saved at this time ends.
pub(super) fn date(values: &Values, cookie: &SessionCookie, saved: DateTime<Utc>) -> DateTime<Utc> {
    let after = |seconds| TimeDelta::try_seconds(seconds).and_then(|delta| saved.checked_add_signed(delta));
    let date = match of(values) {
        Expiry::At(time) => Some(time),
        Expiry::After(seconds) => after(seconds),
        Expiry::Default | Expiry::BrowserClose => after(age_in_seconds(cookie)),
    };
    date.map_or(last(), |date| date.min(last()))
}

/// `get_expiry_age`: for how many seconds, from this time. Negative where it is over.
pub(super) fn age(values: &Values, cookie: &SessionCookie, now: DateTime<Utc>) -> i64 {
    match of(values) {
        Expiry::At(time) => (time - now).as_seconds_f64().floor() as i64,
        Expiry::After(seconds) => seconds,
        Expiry::Default | Expiry::BrowserClose => age_in_seconds(cookie),
    }
}

/// `get_expire_at_browser_close`.
pub(super) fn at_browser_close(values: &Values, cookie: &SessionCookie) -> bool {
    match values.get(KEY) {
        None | Some(Value::Null) => cookie.expire_at_browser_close,
        Some(_) => of(values) == Expiry::BrowserClose,
    }
}

/// A time as Python's `isoformat` writes it.
pub(super) fn at(time: DateTime<Utc>) -> Value {
    let time = time.trunc_subsecs(6);
    let fraction = if time.timestamp_subsec_micros() == 0 { "" } else { "%.6f" };
    time.format(&format!("%Y-%m-%dT%H:%M:%S{fraction}+00:00")).to_string().into()
}

pub(super) fn after(time: Duration) -> Value {
    time.as_secs().into()
}

fn age_in_seconds(cookie: &SessionCookie) -> i64 {
    i64::try_from(cookie.age.as_secs()).unwrap_or(i64::MAX)
}

/// With a zone or, from a site without them, in UTC.
fn parse(text: &str) -> Option<DateTime<Utc>> {
    let aware = DateTime::parse_from_rfc3339(text).map(|time| time.to_utc());
    aware.ok().or_else(|| {
        let naive = NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f").ok()?;
        Some(naive.and_utc())
    })
}

/// The last second that the databases and Python can hold.
fn last() -> DateTime<Utc> {
    NaiveDate::from_ymd_opt(9999, 12, 31)
        .and_then(|day| day.and_hms_opt(23, 59, 59))
        .expect("a day of the calendar")
        .and_utc()
}
