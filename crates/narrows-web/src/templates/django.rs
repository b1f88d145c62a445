//! Django's formats of dates: `django.utils.dateformat`, in English.

use chrono::{DateTime, Datelike, FixedOffset, Timelike};

const MONTHS: [&str; 12] =
    ["Jan.", "Feb.", "March", "April", "May", "June", "July", "Aug.", "Sept.", "Oct.", "Nov.", "Dec."];

/// A format as strftime has it, with what that has no word for written out for this time. A backslash before a letter leaves it.
pub(super) fn strftime(format: &str, time: &DateTime<FixedOffset>) -> String {
    let mut made = String::new();
    let mut signs = format.chars();
    while let Some(sign) = signs.next() {
        match sign {
            '\\' => made.extend(signs.next()),
            'S' => made.push_str(ending(time.day())),
            't' => made.push_str(&time.num_days_in_month().to_string()),
            'L' => made.push_str(if time.date_naive().leap_year() { "True" } else { "False" }),
            'N' => made.push_str(MONTHS[time.month0() as usize]),
            'a' => made.push_str(if time.hour() < 12 { "a.m." } else { "p.m." }),
            'f' => made.push_str(&short_hour(time)),
            'P' => made.push_str(&hour(time)),
            'Z' => made.push_str(&time.offset().local_minus_utc().to_string()),
            'T' | 'e' if time.offset().local_minus_utc() == 0 => made.push_str("UTC"),
            'b' => made.push_str(&time.format("%b").to_string().to_lowercase()),
            sign => match letter(sign) {
                Some(known) => made.push_str(known),
                None => made.push(sign),
            },
        }
    }
    made
}

fn letter(sign: char) -> Option<&'static str> {
    Some(match sign {
        'd' => "%d",
        'j' => "%-d",
        'D' => "%a",
        'l' => "%A",
        'm' => "%m",
        'n' => "%-m",
        'M' => "%b",
        'F' | 'E' => "%B",
        'y' => "%y",
        'Y' => "%Y",
        'o' => "%G",
        'W' => "%-V",
        'w' => "%w",
        'z' => "%-j",
        'H' => "%H",
        'G' => "%-H",
        'h' => "%I",
        'g' => "%-I",
        'i' => "%M",
        's' => "%S",
        'u' => "%6f",
        'A' => "%p",
        'O' => "%z",
        'T' | 'e' => "%:z",
        'c' => "%Y-%m-%dT%H:%M:%S%.f%:z",
        'r' => "%a, %d %b %Y %H:%M:%S %z",
        'U' => "%s",
        _ => return None,
    })
}

/// Of 1st, 2nd, 3rd and 4th.
fn ending(day: u32) -> &'static str {
    match (day / 10, day % 10) {
        (1, _) => "th",
        (_, 1) => "st",
        (_, 2) => "nd",
        (_, 3) => "rd",
        _ => "th",
    }
}

/// `1`, `1:30`.
fn short_hour(time: &DateTime<FixedOffset>) -> String {
    match (time.hour12().1, time.minute()) {
        (hour, 0) => hour.to_string(),
        (hour, minute) => format!("{hour}:{minute:02}"),
    }
}

/// `1 a.m.`, `1:30 p.m.`, `midnight`, `noon`.
fn hour(time: &DateTime<FixedOffset>) -> String {
    match (time.hour(), time.minute()) {
        (0, 0) => "midnight".to_owned(),
        (12, 0) => "noon".to_owned(),
        (hour, _) => format!("{} {}", short_hour(time), if hour < 12 { "a.m." } else { "p.m." }),
    }
}
