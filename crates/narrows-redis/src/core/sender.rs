use std::collections::HashMap;
use std::sync::atomic::Ordering;

use futures_util::future::join_all;
use narrows_core::{LayerError, Skipped};
use redis::FromRedisValue;
use tokio::time::Instant;

use super::{NODE, Shared, now, seconds};
use crate::wire::To;

/// One message, written for one process or named channel.
pub(super) struct Addition {
    pub(super) key: String,
    pub(super) capacity: usize,
    pub(super) message: Vec<u8>,
    pub(super) is_node: bool,
    /// For whom in that process.
    names: Vec<String>,
}

/// One message for all members of a group, by host.
pub(super) struct FanOut {
    hosts: HashMap<usize, Vec<Addition>>,
    /// Whether it was too large for some.
    result: Result<(), LayerError>,
}

/// What became of it, as the script numbers it.
const ADDED: u8 = 0;
const FULL: u8 = 1;
const GONE: u8 = 2;
const TAKEN: u8 = 3;

impl Shared {
    pub(super) async fn send_to(&self, channel: &str, payload: &[u8]) -> Result<(), LayerError> {
        let (host, addition) = match process_of(channel) {
            Some(process) => {
                let message = self.wire.seal_for(payload, Some(To::One(channel)));
                (self.host_of(process), self.addition(process, channel, message))
            }
            None => {
                let turn = self.turn.fetch_add(1, Ordering::Relaxed);
                let message = self.wire.seal_for(payload, None);
                (turn % self.hosts.len(), self.addition(channel, channel, message))
            }
        };
        self.options.fits(&addition.message)?;
        match self.add(host, &[addition], self.hosts[host].link.deadline()).await?.first() {
            Some(&FULL) => Err(LayerError::ChannelFull { channel: channel.to_owned() }),
            Some(&TAKEN) => {
                let why = format!("in redis, something that is no channel stands in the place of {channel}");
                Err(LayerError::Refused(why.into()))
            }
            // Nobody has it open: the message is gone, as with any channel.
            _ => Ok(()),
        }
    }

    pub(super) async fn send_to_group(&self, group: &str, payload: &[u8]) -> Result<(), LayerError> {
        self.options.fits(payload)?;
        // One for both steps.
        let deadline = self.hosts[self.host_of(group)].link.deadline();
        let members = self.members(group, deadline).await?;
        let fan_out = self.fan_out(group, &members, |_, names| {
            let message = self.wire.seal_for(payload, Some(To::List(names)));
            (message.len(), message)
        });
        self.send_out(group, fan_out, deadline).await
    }

    /// The channels in a group, as they stand in Redis.
    pub(super) async fn members(&self, group: &str, deadline: Instant) -> Result<Vec<Vec<u8>>, LayerError> {
        let (home, key) = (self.host_of(group), self.group_key(group));
        let mut members = redis::pipe();
        let oldest = now() - self.options.group_expiry.as_secs_f64();
        members.cmd("ZREMRANGEBYSCORE").arg(&key).arg("-inf").arg(format!("({oldest:.6}"));
        members.cmd("ZRANGE").arg(&key).arg(0).arg(-1);
        let mut answers = self.hosts[home].link.call_all(&members, deadline).await?;
        let members = answers.pop().and_then(|members| Vec::from_redis_value(members).ok());
        Ok(members.unwrap_or_default())
    }

    /// Writes a message for each process that has members. `seal` is told whether it is a Narrows node, and says how
    /// large the message will be.
    pub(super) fn fan_out(
        &self,
        group: &str,
        members: &[Vec<u8>],
        seal: impl Fn(bool, &[&str]) -> (usize, Vec<u8>),
    ) -> FanOut {
        let mut processes: HashMap<&str, Vec<&str>> = HashMap::new();
        for member in members {
            let member = std::str::from_utf8(member).ok();
            let process = member.map(|member| process_of(member).unwrap_or(member));
            match member.zip(process.filter(|process| is_legal(process))) {
                Some((member, process)) => processes.entry(process).or_default().push(member),
                // No channel has such a name; the others are not to suffer from it.
                None => self.inlet.skip(Skipped::Foreign, group),
            }
        }
        let mut fan_out = FanOut { hosts: HashMap::new(), result: Ok(()) };
        for (process, names) in &processes {
            // A Narrows node listens everywhere: through the group's own host all of them see one order.
            let host = self.host_of(if process.starts_with(NODE) { group } else { process });
            let (len, message) = seal(is_node(process), names);
            if let Err(error) = self.options.fits_bytes(len) {
                // The list of one process's members may be what makes it too large: the others get it.
                self.inlet.skip(Skipped::Oversized, names[0]);
                fan_out.result = Err(error);
                continue;
            }
            let mut addition = self.addition(process, names[0], message);
            addition.names = names.iter().map(|&name| name.to_owned()).collect();
            fan_out.hosts.entry(host).or_default().push(addition);
        }
        fan_out
    }

    /// Adds a message everywhere.
    pub(super) async fn send_out(
        &self,
        group: &str,
        fan_out: FanOut,
        deadline: Instant,
    ) -> Result<(), LayerError> {
        let FanOut { hosts, mut result } = fan_out;
        let adding = hosts.iter().map(|(&host, additions)| self.add(host, additions, deadline));
        for (answer, additions) in join_all(adding).await.into_iter().zip(hosts.values()) {
            match answer {
                Ok(done) => self.settle(group, additions, &done).await,
                Err(error) => result = Err(error),
            }
        }
        result
    }

    /// Draws the consequences from what became of a message.
    pub(super) async fn settle(&self, group: &str, additions: &[Addition], done: &[u8]) {
        let mut gone: Vec<&str> = Vec::new();
        for (done, Addition { names, .. }) in done.iter().zip(additions) {
            match *done {
                ADDED => {}
                GONE => gone.extend(names.iter().map(String::as_str)),
                TAKEN => self.inlet.skip(Skipped::Foreign, &names[0]),
                _ => self.inlet.skip(Skipped::Full, &names[0]),
            }
        }
        if !gone.is_empty() {
            self.bury(group, &gone).await;
        }
    }

    fn addition(&self, process: &str, channel: &str, message: Vec<u8>) -> Addition {
        let is_node = is_node(process);
        let capacity = if is_node { self.options.node_capacity } else { self.options.capacities.of(channel) };
        let key = format!("{}{process}", self.options.prefix);
        Addition { key, capacity, message, is_node, names: Vec::new() }
    }

    async fn add(
        &self,
        host: usize,
        additions: &[Addition],
        deadline: Instant,
    ) -> Result<Vec<u8>, LayerError> {
        let mut call = self.add.prepare_invoke();
        call.arg(format!("{:.6}", now())).arg(seconds(self.options.expiry));
        for Addition { key, capacity, message, is_node, .. } in additions {
            call.key(key).arg(*capacity).arg(&message[..]).arg(u8::from(*is_node));
        }
        let done = self.hosts[host].link.call_script(&call, deadline).await?;
        let done = Vec::<u8>::from_redis_value(done);
        done.map_err(|error| LayerError::Refused(error.into()))
    }

    /// Takes nodes that are gone out of a group, so that nothing more is kept for them.
    async fn bury(&self, group: &str, members: &[&str]) {
        let mut remove = redis::cmd("ZREM");
        remove.arg(self.group_key(group)).arg(members);
        let link = &self.hosts[self.host_of(group)].link;
        match link.call(&remove, link.deadline()).await {
            Ok(_) => tracing::warn!(?members, "a node is gone without leaving its groups; it is taken out"),
            Err(error) => tracing::debug!(?error, "a node that is gone could not be taken out of a group"),
        }
    }
}

impl FanOut {
    /// What is for one host, taken out.
    pub(super) fn take(&mut self, host: usize) -> Vec<Addition> {
        self.hosts.remove(&host).unwrap_or_default()
    }
}

fn is_node(process: &str) -> bool {
    process.starts_with(NODE) && process.ends_with('!')
}

/// The part of a channel's name that is its process: up to and including the `!`.
fn process_of(channel: &str) -> Option<&str> {
    channel.find('!').map(|at| &channel[..=at])
}

/// Whether a key may be made of this: else a member could name any key at all, and its group's own.
fn is_legal(process: &str) -> bool {
    let name = process.strip_suffix('!').unwrap_or(process);
    // The numbers of other scripts, too, as in Python.
    !name.is_empty()
        && name.chars().all(|c| c.is_ascii_alphabetic() || c.is_numeric() || matches!(c, '-' | '_' | '.'))
}
