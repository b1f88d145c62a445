use std::collections::HashMap;

use narrows_core::{LayerError, Topic};
use tokio::sync::oneshot;

use crate::sync::{Arc, Mutex, lock};

/// Which topics this node wants: how many members each has on which shard, and what the layer knows of it.
///
/// Subscribing takes time while members come and go. One driver at a time works on a topic: it asks
/// [`step`](Self::step) what to do, does it, and asks again, until the layer is where it should be.
#[derive(Default)]
pub(super) struct Registry(Mutex<Topics>);

#[derive(Default)]
struct Topics {
    by_topic: HashMap<Topic, u64>,
    by_id: HashMap<u64, Entry>,
    last_id: u64,
}

struct Entry {
    topic: Topic,
    members: u32,
    /// The shards that have members, and how many.
    shards: Vec<(u16, u32)>,
    phase: Phase,
    waiting: Vec<oneshot::Sender<Result<(), Arc<LayerError>>>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Off,
    /// A driver is at work.
    Busy,
    On,
}

pub(super) type Waiting = oneshot::Receiver<Result<(), Arc<LayerError>>>;

pub(super) enum Acquired {
    Ready,
    Wait(Waiting),
    /// The caller starts a driver.
    Start(Waiting),
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    Subscribe,
    Unsubscribe,
    Rest,
}

impl Registry {
    pub(super) fn acquire(&self, topic: &Topic, shard: u16) -> (u64, Acquired) {
        let mut topics = lock(&self.0);
        let id = topics.id(topic);
        let entry = topics.by_id.get_mut(&id).expect("an id has an entry");
        entry.members += 1;
        match entry.shards.iter_mut().find(|(s, _)| *s == shard) {
            Some((_, members)) => *members += 1,
            None => entry.shards.push((shard, 1)),
        }
        if entry.phase == Phase::On {
            return (id, Acquired::Ready);
        }
        let (done, waiting) = oneshot::channel();
        entry.waiting.push(done);
        if entry.phase == Phase::Busy {
            return (id, Acquired::Wait(waiting));
        }
        entry.phase = Phase::Busy;
        (id, Acquired::Start(waiting))
    }

    /// Takes one member out; the topic comes back when the caller is to start a driver that unsubscribes.
    pub(super) fn release(&self, id: u64, shard: u16) -> Option<Topic> {
        let mut topics = lock(&self.0);
        let entry = topics.by_id.get_mut(&id)?;
        entry.members -= 1;
        if let Some(at) = entry.shards.iter().position(|(s, _)| *s == shard) {
            entry.shards[at].1 -= 1;
            if entry.shards[at].1 == 0 {
                entry.shards.swap_remove(at);
            }
        }
        match (entry.members, entry.phase) {
            (0, Phase::On) => {
                entry.phase = Phase::Busy;
                Some(entry.topic.clone())
            }
            (0, Phase::Off) => {
                topics.forget(id);
                None
            }
            _ => None,
        }
    }

    /// The id of a topic that has members here.
    pub(super) fn id(&self, topic: &Topic) -> Option<u64> {
        lock(&self.0).by_topic.get(topic).copied()
    }

    /// What a driver does next, given whether the layer has the topic now.
    pub(super) fn step(&self, topic: &Topic, subscribed: bool) -> Step {
        let mut topics = lock(&self.0);
        let Some(&id) = topics.by_topic.get(topic) else { return Step::Rest };
        let entry = topics.by_id.get_mut(&id).expect("an id has an entry");
        match (entry.members > 0, subscribed) {
            (true, false) => Step::Subscribe,
            (false, true) => Step::Unsubscribe,
            (true, true) => {
                entry.phase = Phase::On;
                for waiting in entry.waiting.drain(..) {
                    // Whoever no longer waits has left, or is about to.
                    let _ = waiting.send(Ok(()));
                }
                Step::Rest
            }
            (false, false) => {
                topics.forget(id);
                Step::Rest
            }
        }
    }

    /// The layer refused: those who wait are told, and take themselves out.
    pub(super) fn failed(&self, topic: &Topic, error: LayerError) {
        let mut topics = lock(&self.0);
        let Some(&id) = topics.by_topic.get(topic) else { return };
        let entry = topics.by_id.get_mut(&id).expect("an id has an entry");
        entry.phase = Phase::Off;
        let error = Arc::new(error);
        for waiting in entry.waiting.drain(..) {
            // As above.
            let _ = waiting.send(Err(error.clone()));
        }
        if entry.members == 0 {
            topics.forget(id);
        }
    }

    /// Runs `work` with the topic's id and shards, if the topic has members here.
    pub(super) fn with(&self, topic: &Topic, work: impl FnOnce(u64, &[(u16, u32)])) {
        let topics = lock(&self.0);
        let Some(id) = topics.by_topic.get(topic) else { return };
        let entry = &topics.by_id[id];
        if !entry.shards.is_empty() {
            work(*id, &entry.shards);
        }
    }
}

impl Topics {
    fn id(&mut self, topic: &Topic) -> u64 {
        if let Some(id) = self.by_topic.get(topic) {
            return *id;
        }
        self.last_id += 1;
        let entry = Entry {
            topic: topic.clone(),
            members: 0,
            shards: Vec::with_capacity(1),
            phase: Phase::Off,
            waiting: Vec::new(),
        };
        self.by_id.insert(self.last_id, entry);
        self.by_topic.insert(topic.clone(), self.last_id);
        self.last_id
    }

    fn forget(&mut self, id: u64) {
        if let Some(entry) = self.by_id.remove(&id) {
            self.by_topic.remove(&entry.topic);
        }
    }
}
