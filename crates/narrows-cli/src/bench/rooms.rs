use clap::Args;

use super::envelope::Envelope;
use super::error::BenchError;
use super::load::{LoadReport, Plan};
use super::options::{BackendOptions, MessageOptions, OutputOptions, ServerOptions, TimeOptions, count};
use super::protocol;

/// Measures many groups at once: in each, the first member publishes and all receive, as the window of the group or
/// the rate of them all has it.
#[derive(Debug, Args)]
pub(crate) struct Rooms {
    #[command(flatten)]
    server: ServerOptions,
    #[command(flatten)]
    backend: BackendOptions,
    /// How many rooms. `{room}` in the address stands for a room's number.
    #[arg(long, default_value = "1000", value_parser = count)]
    rooms: usize,
    /// How many connections are in each room, its publisher among them.
    #[arg(long, default_value = "10", value_parser = count)]
    members: usize,
    #[command(flatten)]
    messages: MessageOptions,
    #[command(flatten)]
    time: TimeOptions,
    #[command(flatten)]
    pub(super) output: OutputOptions,
}

impl Rooms {
    pub(super) fn run(&self) -> Result<LoadReport, BenchError> {
        let &Self { ref server, ref backend, rooms: groups, members, ref messages, ref time, ref output } =
            self;
        let backend = &backend.backend_pid;
        // Socket.IO has its own way to say which room.
        if groups > 1
            && server.envelope != Envelope::SocketIo
            && let Some(url) = server.url.iter().find(|url| !url.contains("{room}"))
        {
            return Err(BenchError::NoRoom { url: url.clone() });
        }
        let title = format!("{groups} rooms of {members} members");
        let rooms = protocol::Rooms::Each(members);
        Plan { title, server, backend, messages, time, output, groups, members, rooms }.run()
    }
}
