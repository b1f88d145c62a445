use std::fmt;

use serde::Serialize;

use super::descriptors;
use super::drive::{drive, rehearse};
use super::error::BenchError;
use super::groups::{Counts, Groups};
use super::opening::open;
use super::options::{MessageOptions, OutputOptions, ServerOptions, TimeOptions};
use super::progress::Progress;
use super::protocol::{Protocol, Rooms};
use super::pump::Pump;
use super::recorder::Recorder;
use super::report::{GeneratorCost, LatencyMicros, Meters, Report, ServerCost};
use super::target::Target;
use super::usage::Server;

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
    lost: u64,
    duplicated: u64,
    out_of_order: u64,
    latency_micros: LatencyMicros,
    server: Option<ServerCost>,
    generator: GeneratorCost,
}

impl Plan<'_> {
    pub(super) fn run(self) -> Result<LoadReport, BenchError> {
        let Self { server: on, messages, time, output, groups, members, .. } = self;
        messages.check()?;
        let connections = groups.saturating_mul(members);
        let target = Target::new(&on.url)?;
        let server = Server::new(&on.pid);
        descriptors::allow(connections, server.as_ref())?;
        let mut pump = Pump::new(Protocol { target, envelope: on.envelope, rooms: self.rooms })?;
        pump.sources.check(connections)?;
        let mut progress = Progress::new(output);
        open(&mut pump, 0..connections, None, on.patience, |opened| {
            progress.connecting(opened, connections);
            Ok(())
        })?;
        let mut load = Groups::new(groups, members, on.envelope, messages, Recorder::new(progress));
        rehearse(&mut pump, &mut load, on.patience)?;
        drive(&mut pump, &mut load, "warm-up", time.warm_up, on.patience)?;
        let (warm, lost_before) = (load.counts, load.outstanding());
        load.forget();
        let meters = Meters::start(server.as_ref())?;
        let phase = drive(&mut pump, &mut load, "measuring", time.seconds, on.patience)?;
        let deliveries = load.recorder.units();
        let (server, generator) = meters.stop(deliveries)?;
        load.recorder.progress().clear();
        pump.close()?;
        let Counts { published, duplicated, out_of_order } = load.counts;
        Ok(LoadReport {
            title: self.title,
            url: on.url.clone(),
            rooms: groups,
            members,
            connections,
            bytes: messages.bytes,
            window: messages.rate.is_none().then(|| messages.window()),
            rate: messages.rate,
            seconds: phase.time.as_secs_f64(),
            published,
            deliveries,
            deliveries_per_second: phase.in_time as f64 / phase.time.as_secs_f64().max(1e-9),
            lost: lost_before + load.outstanding(),
            duplicated: warm.duplicated + duplicated,
            out_of_order: warm.out_of_order + out_of_order,
            latency_micros: LatencyMicros::of(load.recorder.latency()),
            server,
            generator,
        })
    }
}

impl Report for LoadReport {
    /// Whether each member got each message once, in order.
    fn is_clean(&self) -> bool {
        self.lost == 0 && self.duplicated == 0 && self.out_of_order == 0
    }
}

impl fmt::Display for LoadReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { title, url, bytes, seconds, published, deliveries, .. } = self;
        let pace = match (self.rate, self.window) {
            (Some(rate), _) => format!("{rate} messages a second"),
            (None, window) => format!("window {}", window.unwrap_or(1)),
        };
        writeln!(f, "{title} on {url}, {bytes} bytes, {pace}, {seconds:.1} s")?;
        let rate = self.deliveries_per_second;
        writeln!(f, "  published    {published}")?;
        writeln!(f, "  deliveries   {deliveries}, {rate:.0} a second")?;
        let Self { lost, duplicated, out_of_order, .. } = self;
        writeln!(f, "  faults       {lost} lost, {duplicated} duplicated, {out_of_order} out of order")?;
        writeln!(f, "  latency µs   {}", self.latency_micros)?;
        if let Some(server) = &self.server {
            server.write(f, "deliveries")?;
        }
        write!(f, "{}", self.generator)
    }
}
