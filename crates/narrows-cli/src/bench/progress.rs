use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use super::options::OutputOptions;

/// How often the line is written anew.
const EVERY: Duration = Duration::from_millis(500);

/// One line on the terminal that says how far a run is; nothing where there is no terminal.
#[derive(Debug)]
pub(super) struct Progress(Option<Line>);

#[derive(Debug)]
struct Line {
    phase: &'static str,
    end: Instant,
    written: Instant,
    /// When a phase had just begun, and later when the line was last written.
    units: u64,
    latency: Histogram<u64>,
}

impl Progress {
    /// On a terminal, unless the user wants none or a program reads the report.
    pub(super) fn new(output: &OutputOptions) -> Self {
        if output.no_progress || output.json || !std::io::stderr().is_terminal() {
            return Self::hidden();
        }
        let now = Instant::now();
        Self(Some(Line {
            phase: "connecting",
            end: now,
            written: now,
            units: 0,
            latency: super::recorder::histogram(),
        }))
    }

    pub(super) fn hidden() -> Self {
        Self(None)
    }

    pub(super) fn begin(&mut self, phase: &'static str, end: Instant) {
        let Some(line) = &mut self.0 else { return };
        (line.phase, line.end, line.written, line.units) = (phase, end, Instant::now(), 0);
        line.latency.reset();
    }

    /// While connections are opened.
    pub(super) fn connecting(&mut self, open: usize, of: usize) {
        let Some(line) = &mut self.0 else { return };
        let now = Instant::now();
        if now.duration_since(line.written) >= EVERY {
            line.written = now;
            show(&format!("connecting  {open} of {of}"));
        }
    }

    /// While nothing does.
    pub(super) fn holding(&mut self, end: Instant) {
        let Some(line) = &mut self.0 else { return };
        let now = Instant::now();
        if now.duration_since(line.written) >= EVERY {
            line.written = now;
            show(&format!("holding  {} s left", seconds_left(end, now)));
        }
    }

    /// While messages arrive: `recent` is what came since the call before.
    pub(super) fn tick(&mut self, now: Instant, units: u64, recent: &Histogram<u64>, faults: u64) {
        let Some(line) = &mut self.0 else { return };
        line.latency.add(recent).expect("both have the same bounds");
        let time = now.duration_since(line.written);
        if time < EVERY {
            return;
        }
        let rate = (units - line.units) as f64 / time.as_secs_f64();
        let at = |quantile| line.latency.value_at_quantile(quantile) as f64 / 1000.0;
        let (p50, p99) = (at(0.5), at(0.99));
        let left = seconds_left(line.end, now);
        let phase = line.phase;
        show(&format!(
            "{phase}  {left} s left  {rate:.0}/s  p50 {p50:.0} µs  p99 {p99:.0} µs  faults {faults}"
        ));
        line.written = now;
        line.units = units;
        line.latency.reset();
    }
}

/// Leaves the terminal's line empty, for a report or an error.
impl Drop for Progress {
    fn drop(&mut self) {
        if self.0.is_some() {
            show("");
        }
    }
}

/// Seconds that have begun count.
fn seconds_left(end: Instant, now: Instant) -> u64 {
    end.saturating_duration_since(now).as_secs_f64().ceil() as u64
}

fn show(text: &str) {
    let mut stderr = std::io::stderr().lock();
    // A terminal that is gone is no reason to stop measuring.
    let _ = write!(stderr, "\r\x1b[K{text}").and_then(|()| stderr.flush());
}
