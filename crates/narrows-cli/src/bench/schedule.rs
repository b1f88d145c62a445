use std::time::{Duration, Instant};

/// When the messages of an open loop are to go out, whatever the server does: number k at k divided by the rate.
///
/// Latency counts from these moments. A server that stops for a second is then charged for all that should have
/// gone out meanwhile, and not for one message only ("coordinated omission").
#[derive(Debug)]
pub(super) struct Schedule {
    start: Instant,
    per_second: f64,
    taken: u64,
}

impl Schedule {
    pub(super) fn new(start: Instant, per_second: f64) -> Self {
        Self { start, per_second, taken: 0 }
    }

    /// When the next one is due.
    pub(super) fn next(&self) -> Instant {
        self.start + Duration::from_secs_f64(self.taken as f64 / self.per_second)
    }

    /// Takes the next one, if its time has come: the moment that it was due, and which one it is.
    pub(super) fn take(&mut self, now: Instant) -> Option<(Instant, u64)> {
        let due = self.next();
        (due <= now).then(|| {
            self.taken += 1;
            (due, self.taken - 1)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_late_goes_out_at_once_and_still_counts_from_when_it_was_due() {
        let start = Instant::now();
        let mut schedule = Schedule::new(start, 100.0);
        let after = |millis| start + Duration::from_millis(millis);
        assert_eq!((schedule.take(start), schedule.take(start)), (Some((start, 0)), None));
        assert_eq!(schedule.next(), after(10));
        let late: Vec<_> = std::iter::from_fn(|| schedule.take(after(35))).collect();
        assert_eq!(late, [(after(10), 1), (after(20), 2), (after(30), 3)]);
        assert_eq!(schedule.next(), after(40));
    }

    #[test]
    fn a_rate_is_kept_over_a_long_time_without_drift() {
        let start = Instant::now();
        let schedule = Schedule { start, per_second: 3.0, taken: 3_000_000 };
        assert_eq!(schedule.next(), start + Duration::from_secs(1_000_000));
    }
}
