use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::layer::{for_each, list, optional};
use super::process::Process;
use super::{Pending, call};

/// A consumer, or a worker, that runs in Python.
#[derive(Clone, Debug)]
pub struct Consumer {
    pub(crate) process: Arc<Process>,
    pub(crate) name: String,
    pub(crate) channel: Option<String>,
}

impl Consumer {
    /// The consumer's own channel.
    ///
    /// # Panics
    ///
    /// For a worker, which has named ones.
    #[must_use]
    pub fn channel(&self) -> &str {
        self.channel.as_deref().expect("a worker has no channel of its own")
    }

    /// The next message that a handler was called with, or `None` when there is none within this time.
    ///
    /// When the consumer has died it raises what that died of, after all that was handled.
    pub fn handled(&self, within: Duration) -> Pending<Option<Value>> {
        let arguments = json!({"name": self.name, "timeout": within.as_secs_f64()});
        call(&self.process, "handled", arguments, within, optional)
    }

    /// So many of them, or fewer once none has come for so long.
    pub fn handled_many(&self, count: usize, quiet: Duration) -> Pending<Vec<Value>> {
        let arguments = json!({"name": self.name, "count": count, "quiet": quiet.as_secs_f64()});
        call(&self.process, "handled_many", arguments, quiet + for_each(count), list)
    }

    /// Closes the consumer's socket, so that it leaves its groups; cancels a worker. Done when it has ended.
    pub fn stop(&self) -> Pending<()> {
        call(&self.process, "stop", json!({"name": self.name}), Duration::ZERO, drop)
    }
}
