use std::fmt;

use serde::Serialize;

use super::delivered::Delivered;
use super::drive::drive;
use super::error::BenchError;
use super::options::{MessageOptions, OutputOptions, ServerOptions, TimeOptions, pace};
use super::plot::{Panel, Plot, Series, per_second};
use super::protocol::Rooms;
use super::recorder::Curve;
use super::report::{GeneratorCost, Meters, Report, ServerCost};
use super::setup::{Ready, Setup};
use super::usage::Server;

/// A load on groups, all alike.
#[derive(Debug)]
pub(super) struct Plan<'a> {
    /// For people.
    pub(super) title: String,
    pub(super) server: &'a ServerOptions,
    /// Processes that the servers depend on.
    pub(super) backend: &'a [u32],
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
    #[serde(flatten)]
    delivered: Delivered,
    server: Option<ServerCost>,
    backend: Option<ServerCost>,
    generator: GeneratorCost,
    #[serde(skip)]
    curve: Curve,
}

impl Plan<'_> {
    pub(super) fn run(self) -> Result<LoadReport, BenchError> {
        let Self { server: on, backend, messages, time, output, groups: rooms, members, .. } = self;
        let setup =
            Setup { server: on, messages, output, rooms: self.rooms, groups: rooms, members, others: 0 };
        let Ready { server, mut pump, mut groups } = setup.open()?;
        drive(&mut pump, &mut groups, "warm-up", time.warm_up, on.patience)?;
        let mut faults = groups.faults();
        groups.forget();
        let backend = Server::new(backend);
        let meters = Meters::start(server.as_ref())?;
        let beside = Meters::start(backend.as_ref())?;
        let phase = drive(&mut pump, &mut groups, "measuring", time.seconds, on.patience)?;
        let (server, generator) = meters.stop(groups.recorder.units())?;
        let (backend, _) = beside.stop(groups.recorder.units())?;
        pump.close()?;
        faults += groups.faults();
        Ok(LoadReport {
            title: self.title,
            url: on.urls(),
            rooms,
            members,
            connections: rooms * members,
            bytes: messages.bytes,
            window: messages.rate.is_none().then(|| messages.window()),
            rate: messages.rate,
            seconds: phase.time.as_secs_f64(),
            delivered: Delivered::of(&phase, &mut groups, faults),
            server,
            backend,
            generator,
            curve: groups.recorder.curve().clone(),
        })
    }
}

impl Report for LoadReport {
    fn is_clean(&self) -> bool {
        self.delivered.faults.is_clean()
    }

    fn plot(&self) -> Plot {
        let Self { url, bytes, seconds, delivered: Delivered { faults, .. }, .. } = self;
        let rate = per_second("deliveries", self.delivered.deliveries_per_second);
        let pace = pace(self.rate, self.window);
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
                    series: vec![("latency".to_owned(), self.delivered.latency.clone())],
                },
            ],
        }
    }
}

impl fmt::Display for LoadReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { title, url, bytes, seconds, .. } = self;
        let pace = pace(self.rate, self.window);
        writeln!(f, "{title} on {url}, {bytes} bytes, {pace}, {seconds:.1} s")?;
        self.delivered.write(f, "")?;
        if let Some(server) = &self.server {
            server.write(f, "server", "deliveries")?;
        }
        if let Some(backend) = &self.backend {
            backend.write(f, "backend", "deliveries")?;
        }
        write!(f, "{}", self.generator)
    }
}
