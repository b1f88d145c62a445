use std::time::Duration;

/// Reads `500ms`, `20s`, `2m`, `1h`, as the settings of a server do.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is no time: 500ms, 20s, 2m and 1h are");
    let (number, unit) = split(text).ok_or_else(wrong)?;
    let millis = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return Err(wrong()),
    };
    // A day more than the clock can count to would end in a panic; nobody waits a century.
    let most = 100 * 365 * 24 * 3_600_000_u64;
    number.checked_mul(millis).filter(|all| *all <= most).map(Duration::from_millis).ok_or_else(wrong)
}

/// The same, for a time that cannot be nothing.
pub(super) fn some_duration(text: &str) -> Result<Duration, String> {
    let time = duration(text)?;
    if time.is_zero() { Err("a time above 0 is needed".to_owned()) } else { Ok(time) }
}

/// Reads `65536`, `64KiB`, `16MiB`, `1GiB`.
pub(super) fn size(text: &str) -> Result<usize, String> {
    let wrong = || format!("`{text}` is no size: 65536, 64KiB and 16MiB are");
    let (number, unit) = split(text).ok_or_else(wrong)?;
    let bytes: u64 = match unit {
        "" | "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return Err(wrong()),
    };
    let all = number.checked_mul(bytes).and_then(|all| usize::try_from(all).ok());
    all.filter(|all| *all > 0).ok_or_else(wrong)
}

fn split(text: &str) -> Option<(u64, &str)> {
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    Some((number.parse().ok()?, unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_units() {
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("2m"), Ok(Duration::from_secs(120)));
        assert_eq!(duration("0s"), Ok(Duration::ZERO));
        for wrong in ["", "5", "s", "-1s", "1d", "1.5s", "99999999999999999999s", "18446744073709551615h"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
        assert!(some_duration("0s").is_err());
    }

    #[test]
    fn sizes_may_have_units() {
        assert_eq!(size("65536"), Ok(65_536));
        assert_eq!(size("16MiB"), Ok(16 << 20));
        for wrong in ["", "0", "MiB", "1XB", "18446744073709551615GiB"] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
    }
}
