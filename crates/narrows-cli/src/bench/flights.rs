use std::collections::VecDeque;
use std::time::Instant;

/// The messages of one group that are on their way: which may go out next, and how many members still lack one.
#[derive(Debug)]
pub(super) struct Flights {
    /// How many may be on their way at once; `usize::MAX` for an open loop.
    window: usize,
    receivers: usize,
    /// Numbers before this one are of no interest any more.
    first: u64,
    /// The number of the first of `flights`.
    base: u64,
    flights: VecDeque<Flight>,
}

#[derive(Debug)]
struct Flight {
    sent: Instant,
    left: usize,
}

/// One member has one message.
#[derive(Debug)]
pub(super) struct Landing {
    pub(super) sent: Instant,
    /// Whether room has come up for another one.
    pub(super) room: bool,
}

impl Flights {
    pub(super) fn new(window: usize, receivers: usize) -> Self {
        Self { window, receivers, first: 0, base: 0, flights: VecDeque::new() }
    }

    /// The number of the next message, if it may go out; `sent` is what its latency counts from.
    pub(super) fn send(&mut self, sent: Instant) -> Option<u64> {
        if self.flights.len() >= self.window {
            return None;
        }
        self.flights.push_back(Flight { sent, left: self.receivers });
        Some(self.next() - 1)
    }

    /// One member has it. `None` when all of them had it before, or it was never sent.
    pub(super) fn land(&mut self, number: u64) -> Option<Landing> {
        let at = usize::try_from(number.checked_sub(self.base)?).ok()?;
        let flight = self.flights.get_mut(at)?;
        flight.left = flight.left.checked_sub(1)?;
        let sent = flight.sent;
        let mut room = false;
        while self.flights.front().is_some_and(|flight| flight.left == 0) {
            self.flights.pop_front();
            self.base += 1;
            room = true;
        }
        Some(Landing { sent, room })
    }

    /// The number that the next message will have.
    pub(super) fn next(&self) -> u64 {
        self.base + self.flights.len() as u64
    }

    /// Gives up what is on its way: it is neither awaited nor known any more. Returns the number to go on with.
    pub(super) fn forget(&mut self) -> u64 {
        self.base = self.next();
        self.first = self.base;
        self.flights.clear();
        self.first
    }

    /// Whether this number was sent and not forgotten.
    pub(super) fn knows(&self, number: u64) -> bool {
        (self.first..self.next()).contains(&number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_message_goes_out_when_all_have_the_one_a_window_before() {
        let now = Instant::now();
        let mut flights = Flights::new(2, 2);
        assert_eq!([flights.send(now), flights.send(now), flights.send(now)], [Some(0), Some(1), None]);
        for number in [1, 1, 0] {
            assert!(!flights.land(number).unwrap().room);
        }
        assert_eq!(flights.send(now), None);
        assert!(flights.land(0).unwrap().room && flights.land(1).is_none());
        assert_eq!(flights.send(now), Some(2));
        assert!(flights.knows(2) && !flights.knows(3) && flights.land(0).is_none());
    }

    #[test]
    fn what_is_forgotten_is_not_awaited_and_its_late_arrival_not_known() {
        let now = Instant::now();
        let mut flights = Flights::new(2, 2);
        assert_eq!((flights.send(now), flights.send(now)), (Some(0), Some(1)));
        assert_eq!(flights.forget(), 2);
        assert!(!flights.knows(1) && flights.land(1).is_none());
        assert_eq!(flights.send(now), Some(2));
        assert!(flights.knows(2));
    }
}
