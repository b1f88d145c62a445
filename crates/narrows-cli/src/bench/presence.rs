use std::fmt;
use std::time::{Duration, Instant};

use clap::Args;
use serde::Serialize;

use super::crowd::Crowd;
use super::descriptors;
use super::error::BenchError;
use super::options::{OutputOptions, ServerOptions, count, seconds};
use super::plot::{Panel, Plot, Series};
use super::progress::Progress;
use super::protocol::{Protocol, Rooms};
use super::pump::{Pump, Socket};
use super::report::{GeneratorCost, Meters, Report, ServerCost};
use super::target::Targets;
use super::usage::Server;

/// Has many members come into one room within a time, and counts what each is told of the others: by diffs, or by
/// numbers only. The last one also reads the roster, and keeps it.
#[derive(Debug, Args)]
pub(crate) struct Presence {
    #[command(flatten)]
    server: ServerOptions,
    /// How many come.
    #[arg(long, default_value = "10000", value_parser = count)]
    members: usize,
    /// Within how many seconds.
    #[arg(long, default_value = "10", value_parser = seconds)]
    over: Duration,
    #[command(flatten)]
    pub(super) output: OutputOptions,
}

/// How many handshakes may be under way at once.
const AT_ONCE: usize = 512;

/// How long everybody is watched when all have been told.
const REST: Duration = Duration::from_millis(1500);

/// What coming into a room cost.
#[derive(Debug, Serialize)]
pub(crate) struct PresenceReport {
    url: String,
    members: usize,
    /// How long it took until the last one was in.
    seconds: f64,
    /// Messages about presence that a member got.
    frames_per_member_mean: f64,
    frames_per_member_max: u32,
    kib_per_member_mean: f64,
    /// How many were told of all members in the end.
    told_of_all: usize,
    /// From the moment when the last one was in until everybody had been told.
    all_told_ms: Option<f64>,
    /// The same until that one's own roster was right: read in pages where there are diffs, a number where there are not.
    last_right_ms: Option<f64>,
    server: Option<ServerCost>,
    generator: GeneratorCost,
    /// Seconds, and how many are in.
    #[serde(skip)]
    came: Vec<(f64, f64)>,
    /// Seconds, and of how many the first one was told.
    #[serde(skip)]
    told: Vec<(f64, f64)>,
}

impl Presence {
    pub(super) fn run(&self) -> Result<PresenceReport, BenchError> {
        let Self { server: on, members, over, .. } = self;
        let members = *members;
        let targets = Targets::new(&on.url)?;
        let server = Server::new(&on.pid);
        descriptors::allow(members, server.as_ref())?;
        let mut pump = Pump::new(Protocol { targets, envelope: on.envelope, rooms: Rooms::None })?;
        pump.sources.check(members)?;
        let meters = Meters::start(server.as_ref())?;
        let start = Instant::now();
        let mut crowd = Crowd::new(members, start);
        self.let_in(&mut pump, &mut crowd, over.as_secs_f64() / members as f64)?;
        let seconds = start.elapsed().as_secs_f64();
        let deadline = Instant::now() + on.patience;
        while !crowd.is_told() && Instant::now() < deadline {
            pump.turn(Duration::from_millis(50), &mut crowd)?;
            crowd.check()?;
        }
        // What comes twice comes soon.
        let deadline = Instant::now() + REST;
        while let Some(left) = deadline.checked_duration_since(Instant::now()) {
            pump.turn(left.min(Duration::from_millis(50)), &mut crowd)?;
        }
        crowd.check()?;
        let (server, generator) = meters.stop(crowd.frames())?;
        pump.close()?;
        if crowd.frames() == 0 {
            return Err(BenchError::NoPresence { url: on.urls() });
        }
        let of_last = |at: Option<Instant>| {
            at.zip(crowd.last_in()).map(|(at, last)| at.saturating_duration_since(last).as_secs_f64() * 1e3)
        };
        Ok(PresenceReport {
            url: on.urls(),
            members,
            seconds,
            frames_per_member_mean: crowd.frames() as f64 / members as f64,
            frames_per_member_max: crowd.most_frames(),
            kib_per_member_mean: crowd.bytes() as f64 / 1024.0 / members as f64,
            told_of_all: crowd.told(),
            all_told_ms: of_last(crowd.all_told_at()),
            last_right_ms: of_last(crowd.last_right_at()),
            server,
            generator,
            came: crowd.came.clone(),
            told: crowd.first_told.clone(),
        })
    }

    /// Opens the connections, each when it is due.
    fn let_in(&self, pump: &mut Pump, crowd: &mut Crowd, every: f64) -> Result<(), BenchError> {
        let (start, members) = (Instant::now(), self.members);
        let mut progress = Progress::new(&self.output);
        let (mut next, mut moved_at) = (0, start);
        while crowd.opened() < members {
            let now = Instant::now();
            let due = start + Duration::from_secs_f64(every * next as f64);
            if next < members && due <= now && next - crowd.opened() < AT_ONCE {
                let socket = Socket { from: pump.sources.of(next), receive_buffer: None };
                pump.connect(next, next, socket)
                    .map_err(|end| end.into_error(&pump.protocol.targets.of(next).url, crowd.opened()))?;
                next += 1;
                continue;
            }
            if next < members && due > now {
                pump.wake_at(due)?;
            }
            let before = crowd.opened();
            pump.turn(Duration::from_millis(50), crowd)?;
            crowd.check()?;
            progress.connecting(crowd.opened(), members);
            if crowd.opened() > before || next == before {
                moved_at = now;
            }
            if moved_at.elapsed() > self.server.patience {
                let why = std::io::ErrorKind::TimedOut.into();
                return Err(BenchError::Handshake { url: self.server.urls(), number: before, source: why });
            }
        }
        Ok(())
    }
}

impl Report for PresenceReport {
    fn is_clean(&self) -> bool {
        self.told_of_all == self.members && self.last_right_ms.is_some()
    }

    fn plot(&self) -> Plot {
        let Self { url, members, frames_per_member_mean: mean, frames_per_member_max: max, .. } = self;
        Plot {
            title: format!("{members} members came in {:.1} s", self.seconds),
            subtitle: format!("{mean:.1} frames for each, at most {max} · {url}"),
            panels: vec![Panel::Curve {
                title: "Who is there, and of whom the first one was told".to_owned(),
                x: "seconds",
                series: vec![
                    Series { name: "there".to_owned(), pieces: vec![self.came.clone()] },
                    Series { name: "told".to_owned(), pieces: vec![self.told.clone()] },
                ],
            }],
        }
    }
}

impl fmt::Display for PresenceReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { url, members, frames_per_member_mean, frames_per_member_max, .. } = self;
        writeln!(f, "{members} members came to {url} in {:.1} s", self.seconds)?;
        writeln!(
            f,
            "  frames       {frames_per_member_mean:.2} for each, at most {frames_per_member_max}; {:.1} KiB for each",
            self.kib_per_member_mean
        )?;
        let told = |ms: Option<f64>| ms.map_or("never".to_owned(), |ms| format!("{ms:.0} ms later"));
        writeln!(f, "  told of all  {}, {}", self.told_of_all, told(self.all_told_ms))?;
        writeln!(f, "  the last one has it right {}", told(self.last_right_ms))?;
        if let Some(server) = &self.server {
            server.write(f, "server", "frames")?;
        }
        self.generator.fmt(f)
    }
}
