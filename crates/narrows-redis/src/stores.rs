use std::sync::Arc;
use std::time::Duration;

use narrows_core::LayerError;
use redis::{ScriptInvocation, Value};
use tokio::runtime::Handle;

use crate::link::{Ask, Link};
use crate::pubsub::Servers;
use crate::shard::shard_of;
use crate::thread::run_on;

/// The way of what a layer keeps in Redis beside its messages: which server has it, and calls of scripts there.
///
/// It does not keep the layer alive: when that ends, each call answers with [`LayerError::Closed`].
#[derive(Debug, Clone)]
pub(crate) struct Stores {
    servers: Where,
    prefix: Arc<str>,
    thread: Handle,
}

#[derive(Debug, Clone)]
enum Where {
    /// By the names of Redis channels: several hosts, or a cluster.
    PubSub(Arc<Servers>),
    /// By the names of groups: several hosts.
    Core(Arc<[Link]>),
}

/// Where things are kept that belong together: on one server, in one slot. A script may use all keys of one home.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Home {
    /// What decides which server it is.
    name: String,
    /// What stands around the kind of thing in its keys.
    keys: (String, String),
}

impl Stores {
    pub(crate) fn on_pubsub(servers: Arc<Servers>, prefix: &str, thread: Handle) -> Self {
        Self { servers: Where::PubSub(servers), prefix: prefix.into(), thread }
    }

    pub(crate) fn on_core(links: impl IntoIterator<Item = Link>, prefix: &str, thread: Handle) -> Self {
        Self { servers: Where::Core(links.into_iter().collect()), prefix: prefix.into(), thread }
    }

    /// Where what belongs to a group is: with its Redis channel, or the set of its members.
    pub(crate) fn of_group(&self, group: &str) -> Home {
        match &self.servers {
            Where::PubSub(_) => self.home(format!("{}__group__{group}", self.prefix)),
            Where::Core(_) => self.home(group.to_owned()),
        }
    }

    /// Where what belongs to any other name is. It must not be that of a group.
    pub(crate) fn of(&self, name: &str) -> Home {
        match &self.servers {
            Where::PubSub(_) => self.home(format!("{}__{name}", self.prefix)),
            Where::Core(_) => self.home(name.to_owned()),
        }
    }

    fn home(&self, name: String) -> Home {
        let prefix = &self.prefix;
        let keys = match &self.servers {
            // In braces, so that the slot is that of the name.
            Where::PubSub(_) => (format!("{prefix}__"), format!("__{{{name}}}")),
            Where::Core(_) => (format!("{prefix}:"), format!(":{name}")),
        };
        Home { name, keys }
    }

    /// Whether all keys of a home are in its slot, whatever the prefix is: one with a single brace can spoil that.
    pub(crate) fn is_possible(&self) -> bool {
        match &self.servers {
            Where::PubSub(servers) if servers.is_cluster() => {
                let home = self.of_group("group");
                Servers::slot_of(&home.name) == Servers::slot_of(&home.key("any"))
            }
            Where::PubSub(_) | Where::Core(_) => true,
        }
    }

    /// Whether there are several servers.
    pub(crate) fn is_spread(&self) -> bool {
        match &self.servers {
            Where::PubSub(servers) => !servers.is_alone(),
            Where::Core(links) => links.len() > 1,
        }
    }

    /// Calls a script at home. All its keys must be of that home.
    pub(crate) async fn call(&self, home: &Home, script: &ScriptInvocation<'_>) -> Result<Value, LayerError> {
        match &self.servers {
            Where::PubSub(servers) => servers.ask(&home.name, Ask::Script(script), servers.deadline()).await,
            Where::Core(links) => {
                let link = &links[shard_of(&home.name, links.len())];
                Ok(link.call_script(script, link.deadline()).await?)
            }
        }
    }

    /// Does a piece of work on the layer's thread, to its end, also when the caller goes.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, LayerError>> + Send + 'static,
    ) -> Result<T, LayerError> {
        run_on(&self.thread, work).await
    }
}

impl Home {
    /// The key of a kind of thing that is kept here.
    pub(crate) fn key(&self, kind: &str) -> String {
        let (before, after) = &self.keys;
        [before, kind, after].concat()
    }

    /// What decides which server it is: on the pub/sub layer the Redis channel, for a home of a group.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }
}

/// An answer of a script that it does not give: something else has its name, or a proxy is in between.
pub(crate) fn unexpected(answer: &Value) -> LayerError {
    LayerError::Refused(format!("redis answers a script with {answer:?}").into())
}

/// What Redis takes for a time: whole milliseconds, at least one.
pub(crate) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_micros().div_ceil(1000)).unwrap_or(u64::MAX).clamp(1, MAX_MILLIS)
}

/// A hundred years: beyond some time Redis refuses what it cannot add to its clock.
const MAX_MILLIS: u64 = 100 * 365 * 86_400_000;
