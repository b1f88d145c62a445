use std::collections::{BTreeSet, HashMap};

use tokio::time::Instant;

use crate::sync::Arc;

/// Which groups' changes are published when: each stands once.
#[derive(Debug, Default)]
pub(super) struct Due {
    at: HashMap<Arc<str>, Instant>,
    order: BTreeSet<(Instant, Arc<str>)>,
}

impl Due {
    /// Notes a group, unless it is noted for an earlier time already. `true` when it is the first of all then.
    pub(super) fn note(&mut self, group: &Arc<str>, at: Instant) -> bool {
        if let Some(noted) = self.at.get(group).copied() {
            if noted <= at {
                return false;
            }
            self.order.remove(&(noted, group.clone()));
        }
        self.at.insert(group.clone(), at);
        self.order.insert((at, group.clone()));
        self.order.first().is_some_and(|(_, first)| first == group)
    }

    /// Takes a group that is due, of those that are free.
    pub(super) fn take(&mut self, now: Instant, is_free: impl Fn(&str) -> bool) -> Option<Arc<str>> {
        let mut due = self.order.iter().take_while(|(at, _)| *at <= now);
        let found = due.find(|(_, group)| is_free(group)).cloned()?;
        self.order.remove(&found);
        self.at.remove(&found.1);
        if self.at.is_empty() {
            // A rush of thousands leaves nothing behind.
            self.at.shrink_to(64);
        }
        Some(found.1)
    }

    /// When the first of the free ones is due.
    pub(super) fn next(&self, is_free: impl Fn(&str) -> bool) -> Option<Instant> {
        self.order.iter().find(|(_, group)| is_free(group)).map(|(at, _)| *at)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.order.is_empty()
    }
}
