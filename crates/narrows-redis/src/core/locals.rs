use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use narrows_core::Topic;
use tokio::sync::Notify;

/// The part of this process's channel names behind the `!`: which topic each stands for.
///
/// A group is one name, however many connections are in it; a name of its own each time it is joined, so that what
/// was sent to the one before is not taken for its own.
#[derive(Debug, Default)]
pub(super) struct Locals {
    next: AtomicU64,
    names: Mutex<Names>,
    /// Woken when there is something owed, or overdue.
    pub(super) work: Notify,
    overdue: AtomicBool,
}

#[derive(Debug, Default)]
struct Names {
    topics: HashMap<String, Topic>,
    groups: HashMap<Topic, String>,
    /// Left while Redis was away, by the name that stood for each.
    owed: HashMap<String, Topic>,
}

/// So many are remembered; what is beyond ends when its group does, or when the node is found to be gone.
const MAX_OWED: usize = 100_000;

/// Whom a message for this process is for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    Topic(Topic),
    /// One that has left since.
    Gone,
    /// A name that this process never gave.
    Foreign,
}

impl Locals {
    pub(super) fn new_channel(&self, process: &str) -> String {
        format!("{process}c{:x}", self.next.fetch_add(1, Ordering::Relaxed))
    }

    pub(super) fn enter(&self, group: &Topic) -> String {
        let local = format!("g{:x}", self.next.fetch_add(1, Ordering::Relaxed));
        let mut names = self.names();
        names.topics.insert(local.clone(), group.clone());
        if let Some(before) = names.groups.insert(group.clone(), local.clone()) {
            names.topics.remove(&before);
        }
        local
    }

    pub(super) fn leave(&self, group: &Topic) -> Option<String> {
        let mut names = self.names();
        let local = names.groups.remove(group)?;
        names.topics.remove(&local);
        Some(local)
    }

    /// Remembers a membership that could not be taken out of Redis.
    pub(super) fn owe(&self, group: &Topic, local: String) {
        let mut names = self.names();
        if names.owed.len() < MAX_OWED {
            names.owed.insert(local, group.clone());
        }
        drop(names);
        self.work.notify_one();
    }

    pub(super) fn is_owing(&self) -> bool {
        !self.names().owed.is_empty()
    }

    /// Those of the memberships owed that are to be paid at this place.
    pub(super) fn owed(&self, here: impl Fn(&Topic) -> bool) -> Vec<(Topic, String)> {
        let names = self.names();
        let owed = names.owed.iter().filter(|(_, group)| here(group));
        owed.map(|(local, group)| (group.clone(), local.clone())).collect()
    }

    pub(super) fn paid(&self, memberships: &[(Topic, String)]) {
        let mut names = self.names();
        for (_, local) in memberships {
            names.owed.remove(local);
        }
    }

    /// Says that not all memberships could be renewed.
    pub(super) fn set_overdue(&self) {
        self.overdue.store(true, Ordering::Release);
        self.work.notify_one();
    }

    pub(super) fn take_overdue(&self) -> bool {
        self.overdue.swap(false, Ordering::AcqRel)
    }

    pub(super) fn open(&self, channel: &Topic, local: &str) {
        self.names().topics.insert(local.to_owned(), channel.clone());
    }

    pub(super) fn close(&self, local: &str) {
        self.names().topics.remove(local);
    }

    pub(super) fn find(&self, local: &str) -> Found {
        if let Some(topic) = self.names().topics.get(local) {
            return Found::Topic(topic.clone());
        }
        let number = local.strip_prefix(['c', 'g']).and_then(|number| u64::from_str_radix(number, 16).ok());
        match number {
            Some(number) if number < self.next.load(Ordering::Relaxed) => Found::Gone,
            _ => Found::Foreign,
        }
    }

    /// The groups that this node is in, with the name that stands for each.
    pub(super) fn groups(&self) -> Vec<(Topic, String)> {
        self.names().groups.iter().map(|(group, local)| (group.clone(), local.clone())).collect()
    }

    /// All that this node listens to under a name of its own.
    pub(super) fn topics(&self) -> Vec<Topic> {
        self.names().topics.values().cloned().collect()
    }

    pub(super) fn is_in(&self, group: &Topic, local: &str) -> bool {
        self.names().groups.get(group).is_some_and(|now| now == local)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.names().topics.is_empty()
    }

    fn names(&self) -> MutexGuard<'_, Names> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use narrows_core::{Channel, Group};

    use super::*;

    #[test]
    fn a_name_that_was_given_is_told_from_one_that_never_was() {
        let (locals, group) = (Locals::default(), Group::<()>::new("room").expect("legal").topic());
        let first = locals.enter(&group);
        assert_eq!(locals.find(&first), Found::Topic(group.clone()));
        assert_eq!(locals.leave(&group), Some(first.clone()));
        let second = locals.enter(&group);
        assert_ne!(first, second);
        assert_eq!(locals.find(&first), Found::Gone);
        let channel = locals.new_channel("narrows.0!");
        let topic = Channel::<()>::new(&channel).expect("legal").topic();
        let local = channel.strip_prefix("narrows.0!").expect("it is this process's");
        assert_eq!(locals.find(local), Found::Gone, "it is not open yet");
        locals.open(&topic, local);
        assert_eq!(locals.find(local), Found::Topic(topic));
        for foreign in ["", "x", "gfff", "0123456789abcdef0123456789abcdef"] {
            assert_eq!(locals.find(foreign), Found::Foreign, "{foreign:?}");
        }
    }
}
