use std::ops::Range;

use http::HeaderMap;
use http::header::{IF_RANGE, RANGE};

/// Which part of a file is asked for.
pub(super) enum Asked {
    All,
    Part(Range<u64>),
    /// One that the file does not have.
    Beyond,
}

/// RFC 9110, 14: one range of bytes. Several at once, and what cannot be understood, are answered with the whole.
pub(super) fn asked(request: &HeaderMap, etag: &str, length: u64) -> Asked {
    let Some(text) = request.get(RANGE).and_then(|range| range.to_str().ok()) else { return Asked::All };
    if request.get(IF_RANGE).is_some_and(|known| known.as_bytes() != etag.as_bytes()) {
        return Asked::All;
    }
    let Some(range) = text.trim().strip_prefix("bytes=").filter(|range| !range.contains(',')) else {
        return Asked::All;
    };
    let Some((from, to)) = range.trim().split_once('-') else { return Asked::All };
    // A number that is too large is beyond every file.
    let number = |text: &str| {
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| text.parse().unwrap_or(u64::MAX))
    };
    match (from.trim(), to.trim()) {
        ("", last) => match number(last) {
            Some(0) => Asked::Beyond,
            Some(_) if length == 0 => Asked::Beyond,
            Some(last) => Asked::Part(length.saturating_sub(last)..length),
            None => Asked::All,
        },
        (from, to) => {
            let Some(from) = number(from) else { return Asked::All };
            let to = if to.is_empty() { Some(u64::MAX) } else { number(to) };
            match to {
                Some(to) if to < from => Asked::All,
                Some(_) if from >= length => Asked::Beyond,
                Some(to) => Asked::Part(from..to.saturating_add(1).min(length)),
                None => Asked::All,
            }
        }
    }
}
