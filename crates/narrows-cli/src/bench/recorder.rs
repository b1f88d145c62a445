use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use super::progress::Progress;

/// The longest time that is told apart from longer ones.
const MAX_NANOS: u64 = 60_000_000_000;

/// How often a point of the curve is taken.
const TICK: Duration = Duration::from_millis(100);

/// What arrives (or is completed), over time.
#[derive(Debug)]
pub(super) struct Recorder {
    units: u64,
    /// In nanoseconds, since the last tick: an arrival costs one record, and the ticks do the rest.
    recent: Histogram<u64>,
    total: Histogram<u64>,
    curve: Curve,
    started: Instant,
    next_tick: Instant,
    progress: Progress,
}

/// Units a second over time.
#[derive(Debug, Default, Clone)]
pub(super) struct Curve {
    /// Seconds since the start, and units a second since the point before.
    pub(super) points: Vec<(f64, f64)>,
    last: (f64, u64),
}

impl Recorder {
    pub(super) fn new(progress: Progress) -> Self {
        let now = Instant::now();
        Self {
            units: 0,
            recent: histogram(),
            total: histogram(),
            curve: Curve::default(),
            started: now,
            next_tick: now + TICK,
            progress,
        }
    }

    /// Begins a phase with nothing recorded.
    pub(super) fn begin(&mut self, phase: &'static str, end: Instant) {
        let now = Instant::now();
        self.units = 0;
        self.recent.reset();
        self.total.reset();
        self.curve = Curve::default();
        self.started = now;
        self.next_tick = now + TICK;
        self.progress.begin(phase, end);
    }

    /// One has arrived that was so long on its way.
    pub(super) fn record(&mut self, took: Duration) {
        self.units += 1;
        self.recent.saturating_record(took.as_nanos() as u64);
    }

    /// How many have arrived in this phase.
    pub(super) fn units(&self) -> u64 {
        self.units
    }

    /// Takes a point of the curve and shows progress, when it is time to.
    pub(super) fn tick(&mut self, now: Instant, faults: u64) {
        if now < self.next_tick {
            return;
        }
        self.next_tick = now + TICK;
        self.curve.add(now.duration_since(self.started).as_secs_f64(), self.units);
        self.progress.tick(now, self.units, &self.recent, faults);
        self.merge();
    }

    /// What was recorded in this phase.
    pub(super) fn latency(&mut self) -> &Histogram<u64> {
        self.merge();
        &self.total
    }

    /// How it came, over time.
    pub(super) fn curve(&self) -> &Curve {
        &self.curve
    }

    fn merge(&mut self) {
        self.total.add(&self.recent).expect("both have the same bounds");
        self.recent.reset();
    }
}

impl Curve {
    fn add(&mut self, seconds: f64, units: u64) {
        let (before, units_before) = self.last;
        if seconds > before {
            self.points.push((seconds, (units - units_before) as f64 / (seconds - before)));
            self.last = (seconds, units);
        }
    }
}

/// For times in nanoseconds, to three digits.
pub(super) fn histogram() -> Histogram<u64> {
    Histogram::new_with_max(MAX_NANOS, 3).expect("bounds and precision are legal")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_has_rates_and_not_sums() {
        let mut curve = Curve::default();
        curve.add(0.5, 100);
        curve.add(1.5, 100);
        curve.add(2.0, 150);
        curve.add(2.0, 150);
        assert_eq!(curve.points, [(0.5, 200.0), (1.5, 0.0), (2.0, 100.0)]);
    }

    #[test]
    fn ticks_lose_nothing_of_the_latency() {
        let mut recorder = Recorder::new(Progress::hidden());
        let now = Instant::now();
        for millis in 1..=100 {
            recorder.record(Duration::from_millis(millis));
            recorder.tick(now + Duration::from_secs(millis), 0);
        }
        assert_eq!((recorder.units(), recorder.latency().len()), (100, 100));
        recorder.begin("measuring", now);
        assert_eq!((recorder.units(), recorder.latency().len()), (0, 0));
    }
}
