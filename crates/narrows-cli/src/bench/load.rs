use std::fmt;

use hdrhistogram::Histogram;
use serde::Serialize;

use super::drive::drive;
use super::error::BenchError;
use super::faults::Faults;
use super::options::{MessageOptions, OutputOptions, ServerOptions, TimeOptions, pace};
use super::plot::{Panel, Plot, Series, per_second};
use super::protocol::Rooms;
use super::recorder::Curve;
use super::report::{GeneratorCost, LatencyMicros, Meters, Report, ServerCost};
use super::setup::{Ready, Setup};

/// A load on groups, all alike.
#[derive(Debug)]
pub(super) struct Plan<'a> {
    /// For people.
    pub(super) title: String,
    pub(super) server: &'a ServerOptions,
    pub(super) messages: &'a MessageOptions,
    pub(super) time: &'a TimeOptions,
    pub(super) output: &'a OutputOptions,
    pub(super) groups: usize,
    /// Of each group.
    pub(super) members: usize,
    pub(super) rooms: Rooms,
}

/// What groups cost, and whether all of their messages arrived.
#[derive(Debug, Serialize)]
pub(crate) struct LoadReport {
    #[serde(skip)]
    title: String,
    url: String,
    rooms: usize,
    members: usize,
    connections: usize,
    bytes: usize,
    window: Option<usize>,
    rate: Option<f64>,
    seconds: f64,
    published: u64,
    deliveries: u64,
    deliveries_per_second: f64,
    #[serde(flatten)]
    faults: Faults,
    latency_micros: LatencyMicros,
    server: Option<ServerCost>,
    generator: GeneratorCost,
    #[serde(skip)]
    curve: Curve,
    #[serde(skip)]
    latency: Histogram<u64>,
}

impl Plan<'_> {
    pub(super) fn run(self) -> Result<LoadReport, BenchError> {
        let Self { server: on, messages, time, output, groups: rooms, members, .. } = self;
        let setup =
            Setup { server: on, messages, output, rooms: self.rooms, groups: rooms, members, others: 0 };
        let Ready { server, mut pump, mut groups } = setup.open()?;
        drive(&mut pump, &mut groups, "warm-up", time.warm_up, on.patience)?;
        let mut faults = groups.faults();
        groups.forget();
        let meters = Meters::start(server.as_ref())?;
        let phase = drive(&mut pump, &mut groups, "measuring", time.seconds, on.patience)?;
        let deliveries = groups.recorder.units();
        let (server, generator) = meters.stop(deliveries)?;
        pump.close()?;
        faults += groups.faults();
        Ok(LoadReport {
            title: self.title,
            url: on.url.clone(),
            rooms,
            members,
            connections: rooms * members,
            bytes: messages.bytes,
            window: messages.rate.is_none().then(|| messages.window()),
            rate: messages.rate,
            seconds: phase.time.as_secs_f64(),
            published: groups.published(),
            deliveries,
            deliveries_per_second: phase.per_second(),
            faults,
            latency_micros: LatencyMicros::of(groups.recorder.latency()),
            server,
            generator,
            curve: groups.recorder.curve().clone(),
            latency: groups.recorder.latency().clone(),
        })
    }
}

impl Report for LoadReport {
    fn is_clean(&self) -> bool {
        self.faults.is_clean()
    }

    fn plot(&self) -> Plot {
        let Self { url, bytes, seconds, faults, .. } = self;
        let (pace, rate) =
            (pace(self.rate, self.window), per_second("deliveries", self.deliveries_per_second));
        Plot {
            title: self.title.clone(),
            subtitle: format!("{rate} · {bytes} bytes · {pace} · {seconds:.1} s · {faults} · {url}"),
            panels: vec![
                Panel::Curve {
                    title: "Deliveries a second".to_owned(),
                    x: "seconds",
                    series: vec![Series::of("deliveries", &self.curve)],
                },
                Panel::Percentiles {
                    title: "Latency".to_owned(),
                    series: vec![("latency".to_owned(), self.latency.clone())],
                },
            ],
        }
    }
}

impl fmt::Display for LoadReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { title, url, bytes, seconds, published, deliveries, .. } = self;
        let pace = pace(self.rate, self.window);
        writeln!(f, "{title} on {url}, {bytes} bytes, {pace}, {seconds:.1} s")?;
        let rate = self.deliveries_per_second;
        writeln!(f, "  published    {published}")?;
        writeln!(f, "  deliveries   {deliveries}, {rate:.0} a second")?;
        writeln!(f, "  faults       {}", self.faults)?;
        writeln!(f, "  latency µs   {}", self.latency_micros)?;
        if let Some(server) = &self.server {
            server.write(f, "deliveries")?;
        }
        write!(f, "{}", self.generator)
    }
}
