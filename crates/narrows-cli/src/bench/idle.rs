use std::fmt;
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use serde::Serialize;

use super::descriptors;
use super::end::End;
use super::error::BenchError;
use super::opening::open;
use super::options::{OutputOptions, ServerOptions, TimeOptions, count};
use super::plot::{Panel, Plot, Series};
use super::progress::Progress;
use super::protocol::{Protocol, Rooms};
use super::pump::{Listener, Pump};
use super::report::{GeneratorCost, Meters, Report, ServerCost};
use super::target::Targets;
use super::usage::Server;

/// Opens connections that say nothing but pong, and reads what the server's memory grew by and what CPU time it uses.
#[derive(Debug, Args)]
pub(crate) struct Idle {
    #[command(flatten)]
    server: ServerOptions,
    /// How many connections to open.
    #[arg(long, default_value = "10000", value_parser = count)]
    connections: usize,
    /// Each connection is to be what a socket of a whole site is, on `examples/endpoints`, whose address without a path is
    /// given: with a session, two groups and presence in one of them, which it shares with all others or has for itself.
    #[arg(long, value_enum)]
    resident: Option<Resident>,
    /// The room that all enter, for {room} in the address and for Socket.IO [default: none].
    #[arg(long)]
    room: Option<String>,
    #[command(flatten)]
    time: TimeOptions,
    #[command(flatten)]
    pub(super) output: OutputOptions,
}

/// Whose the groups of a resident are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Resident {
    /// All residents are in the same two.
    Shared,
    /// Each has two of its own.
    Own,
}

impl Resident {
    fn path(self) -> &'static str {
        match self {
            Self::Shared => "/ws/resident/shared/{n}/",
            Self::Own => "/ws/resident/{n}/{n}/",
        }
    }
}

/// How often the server's memory is looked at while connections are opened.
const GROWTH_POINTS: f64 = 100.0;

/// What idle connections cost.
#[derive(Debug, Serialize)]
pub(crate) struct IdleReport {
    url: String,
    connections: usize,
    opened_per_second: f64,
    seconds: f64,
    resident_kib_before: u64,
    resident_kib_after: u64,
    kib_per_connection: f64,
    cpu_micros_per_connection_second: f64,
    server: ServerCost,
    generator: GeneratorCost,
    /// Connections, and the server's KiB, while they were opened.
    #[serde(skip)]
    growth: Vec<(f64, f64)>,
}

impl Idle {
    pub(super) fn run(&self) -> Result<IdleReport, BenchError> {
        let Self { server: on, connections, resident, room, time, output } = self;
        let connections = *connections;
        let path = resident.map(Resident::path).unwrap_or_default();
        let of_resident = |url: &String| format!("{}{path}", url.trim_end_matches('/'));
        let urls = if resident.is_some() { on.url.iter().map(of_resident).collect() } else { on.url.clone() };
        let targets = Targets::new(&urls)?;
        let server = Server::new(&on.pid).ok_or(BenchError::NoPid)?;
        descriptors::allow(connections, Some(&server))?;
        let rooms = room.clone().map_or(Rooms::None, Rooms::One);
        let mut pump = Pump::new(Protocol { targets, envelope: on.envelope, rooms })?;
        pump.sources.check(connections)?;
        // One connection first: what a server allocates with its first is not what each of them costs.
        open(&mut pump, 0..1, None, on.patience, |_| Ok(()))?;
        pump.close()?;
        let before = server.resident_kib()?;
        let start = Instant::now();
        let mut progress = Progress::new(output);
        let mut growth = vec![(0.0, before as f64)];
        open(&mut pump, 0..connections, None, on.patience, |opened| {
            progress.connecting(opened, connections);
            let (last, _) = growth[growth.len() - 1];
            if opened as f64 - last >= connections as f64 / GROWTH_POINTS {
                growth.push((opened as f64, server.resident_kib()? as f64));
            }
            Ok(())
        })?;
        let opened_per_second = connections as f64 / start.elapsed().as_secs_f64();
        let mut holding = Holding { progress, closed: 0, first_closed: None };
        holding.hold(&mut pump, time.warm_up, connections)?;
        let meters = Meters::start(Some(&server))?;
        let start = Instant::now();
        holding.hold(&mut pump, time.seconds, connections)?;
        let seconds = start.elapsed().as_secs_f64();
        let (cost, generator) = meters.stop(connections as u64)?;
        let cost = cost.ok_or(BenchError::NoPid)?;
        let after = cost.resident_kib;
        growth.push((connections as f64, after as f64));
        pump.close()?;
        Ok(IdleReport {
            url: urls.join(", "),
            connections,
            opened_per_second,
            seconds,
            resident_kib_before: before,
            resident_kib_after: after,
            kib_per_connection: (after as f64 - before as f64) / connections as f64,
            cpu_micros_per_connection_second: cost.cpu_seconds * 1e6 / seconds.max(1e-9) / connections as f64,
            server: cost,
            generator,
            growth,
        })
    }
}

/// Connections that should stay as they are.
#[derive(Debug)]
struct Holding {
    progress: Progress,
    closed: usize,
    first_closed: Option<End>,
}

impl Holding {
    fn hold(&mut self, pump: &mut Pump, time: Duration, of: usize) -> Result<(), BenchError> {
        let end = Instant::now() + time;
        while let Some(left) = end.checked_duration_since(Instant::now()) {
            pump.turn(left.min(Duration::from_millis(500)), self)?;
            self.progress.holding(end);
            if let Some(why) = &self.first_closed {
                return Err(BenchError::Closed { closed: self.closed, of, why: why.to_string() });
            }
        }
        Ok(())
    }
}

impl Listener for Holding {
    fn ended(&mut self, _place: usize, end: End, _at: Instant) {
        self.closed += 1;
        self.first_closed.get_or_insert(end);
    }
}

impl Report for IdleReport {
    /// A connection that ends is an error before that.
    fn is_clean(&self) -> bool {
        true
    }

    fn plot(&self) -> Plot {
        let Self { url, connections, kib_per_connection: each, .. } = self;
        let cpu = self.cpu_micros_per_connection_second;
        let points = self.growth.iter().map(|(connections, kib)| (*connections, kib / 1024.0)).collect();
        Plot {
            title: format!("{connections} idle connections"),
            subtitle: format!("{each:.2} KiB each · {cpu:.2} µs of CPU time a second for each · {url}"),
            panels: vec![Panel::Curve {
                title: "The server's resident memory while connections are opened, MiB".to_owned(),
                x: "connections",
                series: vec![Series { name: "memory".to_owned(), pieces: vec![points] }],
            }],
        }
    }
}

impl fmt::Display for IdleReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { url, connections, kib_per_connection, cpu_micros_per_connection_second, .. } = self;
        writeln!(f, "{connections} idle connections on {url}, {:.1} s", self.seconds)?;
        writeln!(f, "  opened         {:.0} a second", self.opened_per_second)?;
        let (before, after) = (self.resident_kib_before, self.resident_kib_after);
        writeln!(
            f,
            "  server memory  {before} KiB before, {after} KiB after: {kib_per_connection:.2} KiB each"
        )?;
        let share = self.server.share_of_a_core * 100.0;
        writeln!(
            f,
            "  server CPU     {cpu_micros_per_connection_second:.2} µs a second for each, {share:.1} % of a core"
        )
    }
}
