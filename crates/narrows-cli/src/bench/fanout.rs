use clap::Args;

use super::error::BenchError;
use super::load::{LoadReport, Plan};
use super::options::{BackendOptions, MessageOptions, OutputOptions, ServerOptions, TimeOptions, count};
use super::protocol::Rooms;

/// Measures a group: its first member publishes numbered messages, and all members receive them.
#[derive(Debug, Args)]
pub(crate) struct Fanout {
    #[command(flatten)]
    server: ServerOptions,
    #[command(flatten)]
    backend: BackendOptions,
    /// How many connections are in the group, the publisher among them.
    #[arg(long, default_value = "1000", value_parser = count)]
    members: usize,
    /// The room, for {room} in the address and for Socket.IO.
    #[arg(long, default_value = "bench")]
    room: String,
    #[command(flatten)]
    messages: MessageOptions,
    #[command(flatten)]
    time: TimeOptions,
    #[command(flatten)]
    pub(super) output: OutputOptions,
}

impl Fanout {
    pub(super) fn run(&self) -> Result<LoadReport, BenchError> {
        let Self { server, backend, members, room, messages, time, output } = self;
        let backend = &backend.backend_pid;
        let title = format!("{members} members");
        let rooms = Rooms::One(room.clone());
        Plan { title, server, backend, messages, time, output, groups: 1, members: *members, rooms }.run()
    }
}
