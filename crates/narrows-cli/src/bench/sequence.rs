/// Marks the sequence number in a message, whatever the server wraps around it.
const MARK: u8 = b'#';
/// The digits of every `u64`, at a fixed width so that all messages have one size.
pub(super) const DIGITS: usize = 20;
/// The mark and the digits: no message is shorter.
pub(super) const WIDTH: usize = 1 + DIGITS;

/// Bits of a number that count; the others say which group it is for.
const COUNT_BITS: u32 = 40;

/// A message's text of `bytes` bytes, with room for its number.
pub(super) fn text(bytes: usize) -> String {
    format!("{:.<bytes$}", format!("#{:0DIGITS$}", 0))
}

/// The digits of a number.
pub(super) fn digits(mut number: u64) -> [u8; DIGITS] {
    let mut digits = [b'0'; DIGITS];
    for digit in digits.iter_mut().rev() {
        *digit += (number % 10) as u8;
        number /= 10;
    }
    digits
}

/// A group's message as one number.
pub(super) fn join(group: usize, count: u64) -> u64 {
    (group as u64) << COUNT_BITS | count
}

/// The group, and the message of it.
pub(super) fn split(number: u64) -> (usize, u64) {
    ((number >> COUNT_BITS) as usize, number & ((1 << COUNT_BITS) - 1))
}

/// The sequence number in a payload.
pub(super) fn number(payload: &[u8]) -> Option<u64> {
    let at = payload.iter().position(|byte| *byte == MARK)?;
    let digits = payload.get(at + 1..at + WIDTH)?;
    digits.iter().try_fold(0u64, |number, digit| {
        digit.is_ascii_digit().then(|| number.wrapping_mul(10).wrapping_add(u64::from(digit - b'0')))
    })
}

/// What one member has received.
#[derive(Debug, Default, Clone)]
pub(super) struct Sequence {
    next: u64,
    /// Passed over; they may still come.
    missing: Vec<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arrival {
    InOrder,
    OutOfOrder,
    Duplicate,
}

impl Sequence {
    /// A member that is to get everything from this number on.
    pub(super) fn from(next: u64) -> Self {
        Self { next, missing: Vec::new() }
    }

    pub(super) fn arrive(&mut self, number: u64) -> Arrival {
        if number >= self.next {
            self.missing.extend(self.next..number);
            self.next = number + 1;
            return Arrival::InOrder;
        }
        match self.missing.iter().position(|missing| *missing == number) {
            Some(at) => {
                self.missing.swap_remove(at);
                Arrival::OutOfOrder
            }
            None => Arrival::Duplicate,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_found_in_whatever_the_server_wraps_around_it() {
        let mut text = text(64).into_bytes();
        assert_eq!(text.len(), 64);
        text[1..WIDTH].copy_from_slice(&digits(1234));
        let text = String::from_utf8(text).unwrap();
        for wrapped in [text.clone(), format!(r#"{{"n": 7, "message": "{text}"}}"#)] {
            assert_eq!(number(wrapped.as_bytes()), Some(1234));
        }
        assert_eq!(number(b"welcome"), None);
        assert_eq!(number(b"#12"), None);
    }

    #[test]
    fn a_number_says_which_group_it_is_for() {
        for (group, count) in [(0, 0), (0, 7), (999, 0), (1 << 20, (1 << 40) - 1)] {
            assert_eq!(split(join(group, count)), (group, count));
        }
        assert_eq!(&digits(u64::MAX), b"18446744073709551615");
    }

    #[test]
    fn lost_late_and_repeated_numbers_are_told_apart() {
        let mut sequence = Sequence::default();
        let seen: Vec<_> = [0, 1, 4, 2, 2, 4, 5].map(|n| sequence.arrive(n)).into();
        use Arrival::{Duplicate, InOrder, OutOfOrder};
        assert_eq!(seen, [InOrder, InOrder, InOrder, OutOfOrder, Duplicate, Duplicate, InOrder]);
        assert_eq!(sequence.missing, [3]);
    }
}
