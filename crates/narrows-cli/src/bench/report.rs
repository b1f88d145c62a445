use std::fmt;

use hdrhistogram::Histogram;
use serde::Serialize;

use super::error::BenchError;
use super::plot::Plot;
use super::usage::{Process, Server, Usage};

/// What a mode has found out: for people, and as JSON for programs.
pub(super) trait Report: fmt::Display + Serialize {
    /// Whether the server did all that was asked of it.
    fn is_clean(&self) -> bool;

    /// What happened, as a picture.
    fn plot(&self) -> Plot;
}

/// How long things took, in microseconds.
#[derive(Debug, Clone, Serialize)]
pub(super) struct LatencyMicros {
    pub(super) p50: f64,
    pub(super) p90: f64,
    pub(super) p99: f64,
    pub(super) p999: f64,
    pub(super) max: f64,
}

/// What the server used.
#[derive(Debug, Clone, Serialize)]
pub(super) struct ServerCost {
    pub(super) cpu_seconds: f64,
    pub(super) cpu_seconds_per_million: f64,
    pub(super) share_of_a_core: f64,
    pub(super) resident_kib: u64,
}

/// What this process used.
#[derive(Debug, Clone, Serialize)]
pub(super) struct GeneratorCost {
    pub(super) share_of_a_core: f64,
}

/// What had been used when measuring began.
#[derive(Debug)]
pub(super) struct Meters<'a> {
    server: Option<(&'a Server, Usage)>,
    own: Usage,
}

impl<'a> Meters<'a> {
    pub(super) fn start(server: Option<&'a Server>) -> Result<Self, BenchError> {
        let server = server.map(|server| Ok::<_, BenchError>((server, server.usage()?))).transpose()?;
        Ok(Self { server, own: Process::own().usage()? })
    }

    /// What was used since then, for so many deliveries or cycles.
    pub(super) fn stop(&self, units: u64) -> Result<(Option<ServerCost>, GeneratorCost), BenchError> {
        let own = GeneratorCost { share_of_a_core: Process::own().usage()?.share_since(&self.own) };
        let Some((server, before)) = &self.server else { return Ok((None, own)) };
        let now = server.usage()?;
        let cpu_seconds = now.cpu_since(before).as_secs_f64();
        let server = ServerCost {
            cpu_seconds,
            cpu_seconds_per_million: cpu_seconds * 1e6 / units.max(1) as f64,
            share_of_a_core: now.share_since(before),
            resident_kib: server.resident_kib()?,
        };
        Ok((Some(server), own))
    }
}

impl LatencyMicros {
    pub(super) fn of(nanos: &Histogram<u64>) -> Self {
        let at = |quantile| nanos.value_at_quantile(quantile) as f64 / 1000.0;
        Self { p50: at(0.5), p90: at(0.9), p99: at(0.99), p999: at(0.999), max: nanos.max() as f64 / 1000.0 }
    }
}

impl fmt::Display for LatencyMicros {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { p50, p90, p99, p999, max } = self;
        write!(f, "p50 {p50:.0}, p90 {p90:.0}, p99 {p99:.0}, p99.9 {p999:.0}, max {max:.0}")
    }
}

impl ServerCost {
    /// One line of a report. `units` is what the CPU time is shared out to.
    pub(super) fn write(&self, f: &mut fmt::Formatter<'_>, who: &str, units: &str) -> fmt::Result {
        let (each, share) = (self.cpu_seconds_per_million, self.share_of_a_core * 100.0);
        let rss = self.resident_kib;
        writeln!(f, "  {who:<11}  {each:.3} CPU s per million {units}, {share:.0} % of a core, {rss} KiB")
    }
}

/// From this share of a core on, the generator itself may be what limits a rate.
const BUSY: f64 = 0.9;

impl fmt::Display for GeneratorCost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "  generator    {:.0} % of a core", self.share_of_a_core * 100.0)?;
        if self.share_of_a_core > BUSY {
            writeln!(
                f,
                "  The generator was the limit: trust the server's CPU time, not the rate or latency."
            )?;
        }
        Ok(())
    }
}
