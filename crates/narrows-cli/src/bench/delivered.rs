use std::fmt;

use hdrhistogram::Histogram;
use serde::Serialize;

use super::drive::Phase;
use super::faults::Faults;
use super::groups::Groups;
use super::report::LatencyMicros;

/// What those that read got, and whether that was all of it.
#[derive(Debug, Serialize)]
pub(super) struct Delivered {
    pub(super) published: u64,
    pub(super) deliveries: u64,
    pub(super) deliveries_per_second: f64,
    #[serde(flatten)]
    pub(super) faults: Faults,
    pub(super) latency_micros: LatencyMicros,
    #[serde(skip)]
    pub(super) latency: Histogram<u64>,
}

impl Delivered {
    /// What came in one phase; `faults` are those that are to be told, of that phase and others.
    pub(super) fn of(phase: &Phase, groups: &mut Groups, faults: Faults) -> Self {
        let latency = groups.recorder.latency().clone();
        Self {
            published: groups.published(),
            deliveries: groups.recorder.units(),
            deliveries_per_second: phase.per_second(),
            faults,
            latency_micros: LatencyMicros::of(&latency),
            latency,
        }
    }

    /// Lines of a report. `whom` is said behind the number of deliveries.
    pub(super) fn write(&self, f: &mut fmt::Formatter<'_>, whom: &str) -> fmt::Result {
        let Self { published, deliveries, deliveries_per_second: rate, faults, latency_micros, .. } = self;
        writeln!(f, "  published    {published}")?;
        writeln!(f, "  deliveries   {deliveries}{whom}, {rate:.0} a second")?;
        writeln!(f, "  faults       {faults}")?;
        writeln!(f, "  latency µs   {latency_micros}")
    }
}
