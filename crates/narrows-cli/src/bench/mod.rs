//! `narrows bench`: one thread opens the connections, loads the server and checks what arrives.
//!
//! The generator is to cost as little as it can, as it mostly shares a machine with the server: one epoll, one read
//! buffer for all connections, a parser that looks at frame headers and sequence numbers only. It still reports
//! its own share of a core, so that nobody takes its limit for the server's.

mod descriptors;
mod error;
mod fanout;
mod frame;
mod idle;
mod member;
mod open;
mod pump;
mod sequence;
mod target;
mod usage;

use std::process::ExitCode;

use clap::Subcommand;
use serde::Serialize;

use self::error::BenchError;

#[derive(Debug, Subcommand)]
pub(crate) enum Mode {
    /// One publishes, all members of the group receive: deliveries, losses, latency, cost.
    Fanout(fanout::Fanout),
    /// Connections that say nothing: memory for each.
    Idle(idle::Idle),
}

impl Mode {
    /// Measures and prints; the exit code tells whether every message arrived.
    pub(crate) fn run(self) -> Result<ExitCode, BenchError> {
        match self {
            Self::Fanout(fanout) => {
                let report = fanout.run()?;
                show(&report, fanout.json);
                Ok(if report.is_clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
            }
            Self::Idle(idle) => {
                show(&idle.run()?, idle.json);
                Ok(ExitCode::SUCCESS)
            }
        }
    }
}

fn show(report: &(impl std::fmt::Display + Serialize), json: bool) {
    if json {
        println!("{}", serde_json::to_string(report).expect("a report is plain data"));
    } else {
        print!("{report}");
    }
}
