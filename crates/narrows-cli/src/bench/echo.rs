use clap::Args;

use super::error::BenchError;
use super::load::{LoadReport, Plan};
use super::options::{MessageOptions, OutputOptions, ServerOptions, TimeOptions, count};
use super::protocol::Rooms;

/// Measures a server that answers: each connection sends and gets its own messages back, and nobody else's.
#[derive(Debug, Args)]
pub(crate) struct Echo {
    #[command(flatten)]
    server: ServerOptions,
    /// How many connections.
    #[arg(long, default_value = "1000", value_parser = count)]
    connections: usize,
    #[command(flatten)]
    messages: MessageOptions,
    #[command(flatten)]
    time: TimeOptions,
    #[command(flatten)]
    pub(super) output: OutputOptions,
}

impl Echo {
    pub(super) fn run(&self) -> Result<LoadReport, BenchError> {
        let Self { server, connections, messages, time, output } = self;
        let title = format!("{connections} connections that get their own back");
        let (groups, rooms) = (*connections, Rooms::None);
        Plan { title, server, backend: &[], messages, time, output, groups, members: 1, rooms }.run()
    }
}
