use std::fmt;

use hdrhistogram::Histogram;
use serde::Serialize;

/// What a group cost, and whether all of it arrived.
#[derive(Debug, Serialize)]
pub(crate) struct FanoutReport {
    pub(super) url: String,
    pub(super) members: usize,
    pub(super) bytes: usize,
    pub(super) window: usize,
    pub(super) seconds: f64,
    pub(super) published: u64,
    pub(super) deliveries: u64,
    pub(super) deliveries_per_second: f64,
    pub(super) lost: u64,
    pub(super) duplicated: u64,
    pub(super) out_of_order: u64,
    pub(super) latency_micros: LatencyMicros,
    pub(super) server: Option<ServerCost>,
    pub(super) generator: GeneratorCost,
}

/// From a message's way out to each member's having read it, in microseconds.
#[derive(Debug, Serialize)]
pub(super) struct LatencyMicros {
    p50: f64,
    p90: f64,
    p99: f64,
    p999: f64,
    max: f64,
}

#[derive(Debug, Serialize)]
pub(super) struct ServerCost {
    pub(super) cpu_seconds: f64,
    pub(super) cpu_seconds_per_million: f64,
    pub(super) share_of_a_core: f64,
    pub(super) resident_kib: u64,
}

#[derive(Debug, Serialize)]
pub(super) struct GeneratorCost {
    pub(super) share_of_a_core: f64,
}

impl LatencyMicros {
    pub(super) fn of(nanos: &Histogram<u64>) -> Self {
        let at = |quantile| nanos.value_at_quantile(quantile) as f64 / 1000.0;
        Self { p50: at(0.5), p90: at(0.9), p99: at(0.99), p999: at(0.999), max: nanos.max() as f64 / 1000.0 }
    }
}

impl FanoutReport {
    /// Whether each member got each message once, in order.
    pub(crate) fn is_clean(&self) -> bool {
        self.lost == 0 && self.duplicated == 0 && self.out_of_order == 0
    }
}

impl fmt::Display for FanoutReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { url, members, bytes, window, seconds, published, deliveries, .. } = self;
        writeln!(f, "{members} members on {url}, {bytes} bytes, window {window}, {seconds:.1} s")?;
        let rate = self.deliveries_per_second;
        writeln!(f, "  published    {published}")?;
        writeln!(f, "  deliveries   {deliveries}, {rate:.0} a second")?;
        let Self { lost, duplicated, out_of_order, .. } = self;
        writeln!(f, "  faults       {lost} lost, {duplicated} duplicated, {out_of_order} out of order")?;
        let LatencyMicros { p50, p90, p99, p999, max } = &self.latency_micros;
        writeln!(
            f,
            "  latency µs   p50 {p50:.0}, p90 {p90:.0}, p99 {p99:.0}, p99.9 {p999:.0}, max {max:.0}"
        )?;
        if let Some(server) = &self.server {
            let (each, share) = (server.cpu_seconds_per_million, server.share_of_a_core * 100.0);
            let rss = server.resident_kib;
            writeln!(
                f,
                "  server       {each:.3} CPU s per million deliveries, {share:.0} % of a core, {rss} KiB"
            )?;
        }
        let share = self.generator.share_of_a_core * 100.0;
        writeln!(f, "  generator    {share:.0} % of a core")?;
        if share > 90.0 {
            writeln!(
                f,
                "  The generator was the limit: trust the server's CPU time, not the rate or latency."
            )?;
        }
        Ok(())
    }
}
