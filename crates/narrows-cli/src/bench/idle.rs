use std::fmt;
use std::time::{Duration, Instant};

use clap::Args;
use serde::Serialize;

use super::descriptors;
use super::error::BenchError;
use super::open::open_all;
use super::pump::Pump;
use super::target::Target;
use super::usage::Process;

/// Opens connections that say nothing, and reads what the server's memory grew by.
#[derive(Debug, Args)]
pub(crate) struct Idle {
    /// Where to connect, for example ws://127.0.0.1:8000/ws/echo/. `{n}` stands for the connection's number, so
    /// that each can have a room of its own.
    #[arg(long)]
    url: String,
    /// How many connections to open.
    #[arg(long, default_value_t = 10_000)]
    connections: usize,
    /// The server's process id.
    #[arg(long)]
    pid: u32,
    /// How long to hold them before its memory is read.
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
    /// Print one line of JSON.
    #[arg(long)]
    pub(super) json: bool,
}

/// What idle connections cost.
#[derive(Debug, Serialize)]
pub(crate) struct IdleReport {
    url: String,
    connections: usize,
    opened_per_second: f64,
    resident_kib_before: u64,
    resident_kib_after: u64,
    kib_per_connection: f64,
    server_share_of_a_core: f64,
}

impl Idle {
    pub(super) fn run(&self) -> Result<IdleReport, BenchError> {
        let target = Target::new(&self.url)?;
        let server = Process::new(self.pid);
        descriptors::allow(self.connections, Some(server))?;
        // One connection first: what a server allocates with its first is not what each of them costs.
        drop(open_all(&target, 1)?);
        std::thread::sleep(Duration::from_millis(200));
        let before = server.resident_kib()?;
        let start = Instant::now();
        let mut pump = Pump::new(open_all(&target, self.connections)?)?;
        let opened_per_second = self.connections as f64 / start.elapsed().as_secs_f64();
        let opened = server.usage()?;
        let end = Instant::now() + Duration::from_secs_f64(self.seconds);
        while let Some(left) = end.checked_duration_since(Instant::now()) {
            pump.turn(left, |_, _| {})?;
        }
        pump.check()?;
        let after = server.resident_kib()?;
        Ok(IdleReport {
            url: self.url.clone(),
            connections: self.connections,
            opened_per_second,
            resident_kib_before: before,
            resident_kib_after: after,
            kib_per_connection: (after as f64 - before as f64) / self.connections.max(1) as f64,
            server_share_of_a_core: server.usage()?.share_since(&opened),
        })
    }
}

impl fmt::Display for IdleReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { url, connections, kib_per_connection, .. } = self;
        writeln!(f, "{connections} idle connections on {url}")?;
        writeln!(f, "  opened          {:.0} a second", self.opened_per_second)?;
        let (before, after) = (self.resident_kib_before, self.resident_kib_after);
        writeln!(
            f,
            "  server memory   {before} KiB before, {after} KiB after: {kib_per_connection:.2} KiB each"
        )?;
        writeln!(f, "  server CPU      {:.1} % of a core while idle", self.server_share_of_a_core * 100.0)
    }
}
