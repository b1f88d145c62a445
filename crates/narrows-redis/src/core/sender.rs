use std::collections::HashMap;
use std::sync::atomic::Ordering;

use futures_util::future::join_all;
use narrows_core::{LayerError, Skipped};
use redis::FromRedisValue;
use tokio::time::Instant;

use super::{NODE, Shared, now, seconds};
use crate::wire::To;

/// One message, written for one process or named channel.
struct Addition {
    key: String,
    capacity: usize,
    message: Vec<u8>,
    is_node: bool,
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
        let (home, key) = (self.host_of(group), self.group_key(group));
        let link = &self.hosts[home].link;
        // One for both steps.
        let deadline = link.deadline();
        let mut members = redis::pipe();
        let oldest = now() - self.options.group_expiry.as_secs_f64();
        members.cmd("ZREMRANGEBYSCORE").arg(&key).arg("-inf").arg(format!("({oldest:.6}"));
        members.cmd("ZRANGE").arg(&key).arg(0).arg(-1);
        let mut answers = link.call_all(&members, deadline).await?;
        let members = answers.pop().and_then(|members| Vec::<Vec<u8>>::from_redis_value(members).ok());
        let members = members.unwrap_or_default();
        let mut processes: HashMap<&str, Vec<&str>> = HashMap::new();
        for member in &members {
            let member = std::str::from_utf8(member).ok();
            let process = member.map(|member| process_of(member).unwrap_or(member));
            match member.zip(process.filter(|process| is_legal(process))) {
                Some((member, process)) => processes.entry(process).or_default().push(member),
                // No channel has such a name; the others are not to suffer from it.
                None => self.inlet.skip(Skipped::Foreign, &key),
            }
        }
        let mut result = Ok(());
        let mut hosts: HashMap<usize, (Vec<Addition>, Vec<&[&str]>)> = HashMap::new();
        for (process, names) in &processes {
            // A Narrows node listens everywhere: through the group's own host all of them see one order.
            let host = if process.starts_with(NODE) { home } else { self.host_of(process) };
            let message = self.wire.seal_for(payload, Some(To::List(names)));
            if let Err(error) = self.options.fits(&message) {
                // The list of one process's members may be what makes it too large: the others get it.
                self.inlet.skip(Skipped::Oversized, names[0]);
                result = Err(error);
                continue;
            }
            let (additions, members) = hosts.entry(host).or_default();
            additions.push(self.addition(process, names[0], message));
            members.push(names);
        }
        let sent =
            join_all(hosts.iter().map(|(&host, (additions, _))| self.add(host, additions, deadline))).await;
        let mut gone = Vec::new();
        for (answer, (_, names)) in sent.into_iter().zip(hosts.values()) {
            match answer {
                Ok(done) => {
                    for (done, names) in done.iter().zip(names) {
                        match *done {
                            ADDED => {}
                            GONE => gone.extend(names.iter().copied()),
                            TAKEN => self.inlet.skip(Skipped::Foreign, names[0]),
                            _ => self.inlet.skip(Skipped::Full, names[0]),
                        }
                    }
                }
                Err(error) => result = Err(error),
            }
        }
        if !gone.is_empty() {
            self.bury(home, &key, &gone).await;
        }
        result
    }

    fn addition(&self, process: &str, channel: &str, message: Vec<u8>) -> Addition {
        let is_node = process.starts_with(NODE) && process.ends_with('!');
        let capacity = if is_node { self.options.node_capacity } else { self.options.capacities.of(channel) };
        Addition { key: format!("{}{process}", self.options.prefix), capacity, message, is_node }
    }

    async fn add(
        &self,
        host: usize,
        additions: &[Addition],
        deadline: Instant,
    ) -> Result<Vec<u8>, LayerError> {
        let mut call = self.add.prepare_invoke();
        call.arg(format!("{:.6}", now())).arg(seconds(self.options.expiry));
        for Addition { key, capacity, message, is_node } in additions {
            call.key(key).arg(*capacity).arg(&message[..]).arg(u8::from(*is_node));
        }
        let done = self.hosts[host].link.call_script(&call, deadline).await?;
        Ok(done.into_iter().map(|done| done as u8).collect())
    }

    /// Takes nodes that are gone out of a group, so that nothing more is kept for them.
    async fn bury(&self, home: usize, key: &str, members: &[&str]) {
        let mut remove = redis::cmd("ZREM");
        remove.arg(key).arg(members);
        let link = &self.hosts[home].link;
        match link.call(&remove, link.deadline()).await {
            Ok(_) => tracing::warn!(?members, "a node is gone without leaving its groups; it is taken out"),
            Err(error) => tracing::debug!(?error, "a node that is gone could not be taken out of a group"),
        }
    }
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
