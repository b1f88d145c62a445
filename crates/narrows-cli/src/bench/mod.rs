//! `narrows bench`: one thread opens the connections, loads the server and checks what arrives.
//!
//! The generator is to cost as little as it can, as it mostly shares a machine with the server: one epoll, one read
//! buffer for all connections, a parser that looks at frame headers and sequence numbers only. It still reports
//! its own share of a core, so that nobody takes its limit for the server's.

mod churn;
mod connect;
mod crowd;
mod cycles;
mod delivered;
mod descriptors;
mod drive;
mod echo;
mod end;
mod envelope;
mod error;
mod fanout;
mod faults;
mod flights;
mod frame;
mod groups;
mod handshake;
mod idle;
mod load;
mod member;
mod opening;
mod options;
mod plot;
mod presence;
mod progress;
mod protocol;
mod pump;
mod recorder;
mod report;
mod rooms;
mod schedule;
mod sequence;
mod setup;
mod slow;
mod sources;
mod stalled;
mod target;
mod usage;
mod visitors;

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;

use self::error::BenchError;
use self::options::OutputOptions;
use self::report::Report;

#[derive(Debug, Subcommand)]
pub(crate) enum Mode {
    /// One publishes, all members of the group receive: deliveries, losses, latency, cost.
    Fanout(fanout::Fanout),
    /// The same in many groups at once.
    Rooms(rooms::Rooms),
    /// Each connection gets its own messages back.
    Echo(echo::Echo),
    /// Connections that say nothing: memory and CPU time for each.
    Idle(idle::Idle),
    /// Many come into one room: what each is told of the others.
    Presence(presence::Presence),
    /// Connections that come and go: how many a second.
    Connect(connect::Connect),
    /// A group while others come and go.
    Churn(churn::Churn),
    /// A group in which some never read.
    Slow(slow::Slow),
}

impl Mode {
    /// Measures and prints; the exit code tells whether every message arrived.
    pub(crate) fn run(self) -> Result<ExitCode, BenchError> {
        match self {
            Self::Fanout(mode) => measure(&mode.output, || mode.run()),
            Self::Rooms(mode) => measure(&mode.output, || mode.run()),
            Self::Echo(mode) => measure(&mode.output, || mode.run()),
            Self::Idle(mode) => measure(&mode.output, || mode.run()),
            Self::Presence(mode) => measure(&mode.output, || mode.run()),
            Self::Connect(mode) => measure(&mode.output, || mode.run()),
            Self::Churn(mode) => measure(&mode.output, || mode.run()),
            Self::Slow(mode) => measure(&mode.output, || mode.run()),
        }
    }
}

/// Measures and shows the report.
fn measure<R: Report>(
    output: &OutputOptions,
    run: impl FnOnce() -> Result<R, BenchError>,
) -> Result<ExitCode, BenchError> {
    let failed = |path: &PathBuf, source| BenchError::Plot { path: path.clone(), source };
    // A file that cannot be written is not to be learned of when all is measured.
    let plot = output.plot.as_ref().map(|path| match File::create(path) {
        Ok(file) => Ok((path, file)),
        Err(source) => Err(failed(path, source)),
    });
    let plot = plot.transpose()?;
    let report = run()?;
    if let Some((path, mut file)) = plot {
        file.write_all(report.plot().svg().as_bytes()).map_err(|source| failed(path, source))?;
    }
    if output.json {
        println!("{}", serde_json::to_string(&report).expect("a report is plain data"));
    } else {
        print!("{report}");
    }
    Ok(if report.is_clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
