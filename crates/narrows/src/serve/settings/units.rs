use std::time::Duration;

const DURATIONS: [(&str, u64); 4] = [("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

const SIZES: [(&str, usize); 7] = [
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("kB", 1_000),
    ("B", 1),
];

/// Reads `500ms`, `20s`, `2m`, `1h`; a bare number is a duration only when it is `0`.
pub(super) fn duration(text: &str) -> Option<Duration> {
    if text == "0" {
        return Some(Duration::ZERO);
    }
    let (number, unit) = split(text)?;
    let (_, millis) = DURATIONS.iter().find(|(name, _)| *name == unit)?;
    number.checked_mul(*millis).map(Duration::from_millis)
}

/// Reads `65536`, `64KiB`, `1MiB`, `1MB`; the unit's case does not matter.
pub(super) fn size(text: &str) -> Option<usize> {
    let (number, unit) = split(text)?;
    let number = usize::try_from(number).ok()?;
    if unit.is_empty() {
        return Some(number);
    }
    let (_, bytes) = SIZES.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit))?;
    number.checked_mul(*bytes)
}

/// The shortest way of writing a duration that [`duration`] reads back.
pub(super) fn show_duration(value: Duration) -> String {
    let millis = u64::try_from(value.as_millis()).unwrap_or(u64::MAX);
    if millis == 0 {
        return "0s".to_owned();
    }
    let exact = DURATIONS.iter().find(|(_, unit)| millis.is_multiple_of(*unit));
    // 75s reads better than an odd number of minutes would, and 1m better than 60s.
    exact.map_or_else(|| format!("{millis}ms"), |(name, unit)| format!("{}{name}", millis / unit))
}

/// The shortest way of writing a size that [`size`] reads back.
pub(super) fn show_size(value: usize) -> String {
    let whole = |(_, unit): &&(&str, usize)| value >= *unit && value.is_multiple_of(*unit);
    match SIZES[..3].iter().find(whole) {
        Some((name, unit)) => format!("{}{name}", value / unit),
        None => value.to_string(),
    }
}

/// Splits `20s` into 20 and `s`, allowing a space between them.
fn split(text: &str) -> Option<(u64, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    Some((number.parse().ok()?, unit.trim_start()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_is_read_back() {
        for millis in [0, 1, 500, 1_000, 1_500, 60_000, 75_000, 3_600_000, 5_400_000] {
            let value = Duration::from_millis(millis);
            assert_eq!(duration(&show_duration(value)), Some(value));
        }
        for value in [0, 1, 1000, 1024, 1536, 65_536, 1 << 20, 3 << 30] {
            assert_eq!(size(&show_size(value)), Some(value));
        }
    }

    #[test]
    fn numbers_that_do_not_fit_are_refused_not_wrapped() {
        assert_eq!(duration("18446744073709551615h"), None);
        assert_eq!(duration("99999999999999999999s"), None);
        assert_eq!(size("18446744073709551615GiB"), None);
    }

    #[test]
    fn a_number_without_its_unit_is_no_duration() {
        assert_eq!(duration("20"), None);
        assert_eq!(duration("0"), Some(Duration::ZERO));
        assert_eq!(duration("s"), None);
        assert_eq!(duration("-1s"), None);
    }
}
