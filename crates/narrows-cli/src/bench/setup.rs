use super::descriptors;
use super::drive::rehearse;
use super::error::BenchError;
use super::groups::Groups;
use super::opening::open;
use super::options::{MessageOptions, OutputOptions, ServerOptions};
use super::progress::Progress;
use super::protocol::{Protocol, Rooms};
use super::pump::Pump;
use super::recorder::Recorder;
use super::target::Targets;
use super::usage::Server;

/// Groups to load, all alike.
#[derive(Debug)]
pub(super) struct Setup<'a> {
    pub(super) server: &'a ServerOptions,
    pub(super) messages: &'a MessageOptions,
    pub(super) output: &'a OutputOptions,
    pub(super) rooms: Rooms,
    pub(super) groups: usize,
    /// Of each group.
    pub(super) members: usize,
    /// How many connections there may be besides.
    pub(super) others: usize,
}

/// Groups whose members are there and get their messages.
pub(super) struct Ready {
    pub(super) server: Option<Server>,
    pub(super) pump: Pump,
    pub(super) groups: Groups,
}

impl Setup<'_> {
    /// Checks what can be checked, then opens the connections.
    pub(super) fn open(self) -> Result<Ready, BenchError> {
        let Self { server: on, messages, output, rooms, groups, members, others } = self;
        messages.check()?;
        let connections = groups.saturating_mul(members);
        let targets = Targets::new(&on.url)?;
        let server = Server::new(&on.pid);
        descriptors::allow(connections.saturating_add(others), server.as_ref())?;
        let mut pump = Pump::new(Protocol { targets, envelope: on.envelope, rooms })?;
        pump.sources.check(connections.saturating_add(others))?;
        let mut progress = Progress::new(output);
        open(&mut pump, 0..connections, None, on.patience, |opened| {
            progress.connecting(opened, connections);
            Ok(())
        })?;
        let mut groups = Groups::new(groups, members, on.envelope, messages, Recorder::new(progress));
        rehearse(&mut pump, &mut groups, on.patience)?;
        Ok(Ready { server, pump, groups })
    }
}
