/// Marks the sequence number in a message, whatever the server wraps around it.
const MARK: u8 = b'#';
/// The mark and the digits of every `u64`, at a fixed width so that all messages have one size.
pub(super) const WIDTH: usize = 1 + 20;

/// A message's text of `bytes` bytes.
pub(super) fn text(number: u64, bytes: usize) -> String {
    let numbered = format!("#{number:020}");
    format!("{numbered:.<bytes$}")
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
#[derive(Debug, Default)]
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
        let text = text(1234, 64);
        assert_eq!(text.len(), 64);
        for wrapped in [text.clone(), format!(r#"{{"n": 7, "message": "{text}"}}"#)] {
            assert_eq!(number(wrapped.as_bytes()), Some(1234));
        }
        assert_eq!(number(b"welcome"), None);
        assert_eq!(number(b"#12"), None);
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
