use std::collections::VecDeque;
use std::time::Instant;

/// The messages on their way: which may go out next, and which members still lack one.
#[derive(Debug)]
pub(super) struct Window {
    size: usize,
    members: usize,
    /// The number of the first of `flights`.
    base: u64,
    flights: VecDeque<Flight>,
}

#[derive(Debug)]
struct Flight {
    sent: Instant,
    left: usize,
}

impl Window {
    pub(super) fn new(size: usize, members: usize) -> Self {
        Self { size: size.max(1), members, base: 0, flights: VecDeque::new() }
    }

    /// The number of the next message, if it may go out.
    pub(super) fn open(&mut self, now: Instant) -> Option<u64> {
        if self.flights.len() >= self.size {
            return None;
        }
        self.flights.push_back(Flight { sent: now, left: self.members });
        Some(self.base + self.flights.len() as u64 - 1)
    }

    /// One member has it: when it was sent. `None` when all of them had it before, or it was never sent.
    pub(super) fn arrived(&mut self, number: u64) -> Option<Instant> {
        let at = usize::try_from(number.checked_sub(self.base)?).ok()?;
        let flight = self.flights.get_mut(at)?;
        flight.left = flight.left.checked_sub(1)?;
        let sent = flight.sent;
        while self.flights.front().is_some_and(|flight| flight.left == 0) {
            self.flights.pop_front();
            self.base += 1;
        }
        Some(sent)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.flights.is_empty()
    }

    /// Deliveries that have not come.
    pub(super) fn outstanding(&self) -> u64 {
        self.flights.iter().map(|flight| flight.left as u64).sum()
    }

    /// Whether this number was ever sent.
    pub(super) fn knows(&self, number: u64) -> bool {
        number < self.base + self.flights.len() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_message_goes_out_when_all_have_the_one_a_window_before() {
        let now = Instant::now();
        let mut window = Window::new(2, 2);
        assert_eq!([window.open(now), window.open(now), window.open(now)], [Some(0), Some(1), None]);
        for number in [1, 1, 0] {
            assert!(window.arrived(number).is_some());
        }
        assert_eq!((window.open(now), window.outstanding()), (None, 1));
        assert!(window.arrived(0).is_some() && window.is_empty());
        assert_eq!(window.open(now), Some(2));
        assert!(window.knows(2) && !window.knows(3) && window.arrived(0).is_none());
    }
}
