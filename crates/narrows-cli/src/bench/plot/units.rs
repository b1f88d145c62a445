/// A quantity with few digits: 950, 12k, 1.5M.
pub(super) fn plain(quantity: f64) -> String {
    for (factor, suffix) in [(1e9, "G"), (1e6, "M"), (1e3, "k")] {
        // What would be rounded up to the next suffix has it already.
        if quantity.abs() >= factor * 0.9995 {
            return format!("{}{suffix}", digits(quantity / factor));
        }
    }
    digits(quantity)
}

/// A rate in a subtitle.
pub(in crate::bench) fn per_second(what: &str, rate: f64) -> String {
    format!("{} {what}/s", plain(rate))
}

/// A time in microseconds, in the unit that fits.
pub(super) fn time(micros: f64) -> String {
    for (factor, suffix) in [(1e6, "s"), (1e3, "ms"), (1.0, "µs")] {
        if micros >= factor * 0.9995 {
            return format!("{} {suffix}", digits(micros / factor));
        }
    }
    format!("{} ns", digits(micros * 1e3))
}

/// Three digits that count, without zeros at the end.
fn digits(number: f64) -> String {
    let places = match number.abs() {
        100.0.. => 0,
        10.0.. => 1,
        _ => 2,
    };
    let text = format!("{number:.places$}");
    if places == 0 { text } else { text.trim_end_matches('0').trim_end_matches('.').to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_have_three_digits_and_a_suffix() {
        let texts = [0.0, 0.5, 7.0, 950.0, 999.9, 1000.0, 12_345.0, 1_500_000.0].map(plain);
        assert_eq!(texts, ["0", "0.5", "7", "950", "1k", "1k", "12.3k", "1.5M"]);
    }

    #[test]
    fn times_have_the_unit_that_fits() {
        let texts = [0.2, 7.0, 412.4, 1000.0, 20_500.0, 3e6].map(time);
        assert_eq!(texts, ["200 ns", "7 µs", "412 µs", "1 ms", "20.5 ms", "3 s"]);
    }
}
