mod stripe;

use std::hash::BuildHasher;

use narrows_core::{LayerError, Topic};
use tokio::sync::oneshot;

use self::stripe::{Phase, Stripe};
use super::seat::SEATS;
use super::track::Track;
use crate::stripes::{STRIPES, Stripes};
use crate::sync::Arc;

/// Which topics this node wants: how many members each has on which shard, and what the layer knows of it.
///
/// Subscribing takes time while members come and go. One driver at a time works on a topic: it asks
/// [`step`](Self::step) what to do, does it, and asks again, until the layer is where it should be.
///
/// The stripe of a topic is named in the lowest bits of the topic's id.
pub(super) struct Registry(Stripes<Stripe>);

pub(super) type Waiting = oneshot::Receiver<Result<(), Arc<LayerError>>>;

pub(super) enum Acquired {
    Ready,
    Wait(Waiting),
    /// The caller starts a driver.
    Start(Waiting),
}

/// Who wants a topic's messages here, and where a topic with a history stands.
pub(super) struct Members<'a> {
    pub(super) id: u64,
    /// The shards that have members, and how many.
    pub(super) shards: &'a [(u16, u32)],
    pub(super) track: &'a mut Option<Box<Track>>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    Subscribe,
    Unsubscribe,
    Rest,
}

impl Default for Registry {
    fn default() -> Self {
        Self(Stripes::new(|number| Stripe::new(number, STRIPES)))
    }
}

impl Registry {
    pub(super) fn acquire(&self, topic: &Topic, shard: u16) -> (u64, Acquired) {
        let (mut stripe, hash) = self.0.of(topic);
        let (id, entry) = stripe.find_or_insert(topic, hash, self.0.hasher());
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
        let mut stripe = self.0.at(id);
        let entry = stripe.by_id(id)?;
        entry.members -= 1;
        if let Some(at) = entry.shards.iter().position(|(s, _)| *s == shard) {
            entry.shards[at].1 -= 1;
            if entry.shards[at].1 == 0 {
                entry.shards.swap_remove(at);
            }
        }
        if entry.members == 0 {
            // What comes from now on is nobody's: a position from before would only be wrong.
            entry.track = None;
        }
        match (entry.members, entry.phase) {
            (0, Phase::On) => {
                entry.phase = Phase::Busy;
                Some(entry.topic.clone())
            }
            (0, Phase::Off) => {
                let hash = self.0.hasher().hash_one(&entry.topic);
                stripe.forget(id, hash);
                None
            }
            _ => None,
        }
    }

    /// The id of a topic that has members here.
    pub(super) fn id(&self, topic: &Topic) -> Option<u64> {
        let (mut stripe, hash) = self.0.of(topic);
        stripe.find(topic, hash).map(|(id, _)| id)
    }

    /// What a driver does next, given whether the layer has the topic now.
    pub(super) fn step(&self, topic: &Topic, subscribed: bool) -> Step {
        let (mut stripe, hash) = self.0.of(topic);
        let Some((id, entry)) = stripe.find(topic, hash) else { return Step::Rest };
        match (entry.members > 0, subscribed) {
            (true, false) => Step::Subscribe,
            (false, true) => Step::Unsubscribe,
            (true, true) => {
                entry.phase = Phase::On;
                for waiting in std::mem::take(&mut entry.waiting) {
                    // Whoever no longer waits has left, or is about to.
                    let _ = waiting.send(Ok(()));
                }
                Step::Rest
            }
            (false, false) => {
                stripe.forget(id, hash);
                Step::Rest
            }
        }
    }

    /// The layer refused: those who wait are told, and take themselves out.
    pub(super) fn failed(&self, topic: &Topic, error: LayerError) {
        let (mut stripe, hash) = self.0.of(topic);
        let Some((id, entry)) = stripe.find(topic, hash) else { return };
        entry.phase = Phase::Off;
        let error = Arc::new(error);
        for waiting in std::mem::take(&mut entry.waiting) {
            // As above.
            let _ = waiting.send(Err(error.clone()));
        }
        if entry.members == 0 {
            stripe.forget(id, hash);
        }
    }

    /// The name of a topic that has members here.
    pub(super) fn topic(&self, id: u64) -> Option<Topic> {
        self.0.at(id).by_id(id).map(|entry| entry.topic.clone())
    }

    /// Runs `work` with the topic's members, if it has any here. The stripe's lock is held throughout.
    pub(super) fn with(&self, topic: &Topic, work: impl FnOnce(Members<'_>)) {
        let (mut stripe, hash) = self.0.of(topic);
        if let Some((id, entry)) = stripe.find(topic, hash)
            && !entry.shards.is_empty()
        {
            work(Members { id, shards: &entry.shards, track: &mut entry.track });
        }
    }

    /// Runs `work` with the topics of some places, from a stripe's number and a place in it on, and their members on shards.
    /// Gives where to go on. The stripe's lock is held for as long as that takes.
    pub(super) fn some(&self, from: (u64, usize), mut work: impl FnMut(&Topic, u64)) -> Option<(u64, usize)> {
        const PLACES: usize = 1024;
        let (number, first) = from;
        let stripe = self.0.at(number);
        for entry in stripe.entries(first, PLACES) {
            let members =
                entry.shards.iter().filter(|(shard, _)| *shard != SEATS).map(|(_, m)| u64::from(*m));
            match members.sum() {
                0 => {}
                members => work(&entry.topic, members),
            }
        }
        if stripe.has_place(first + PLACES) {
            return Some((number, first + PLACES));
        }
        Some((number + 1, 0)).filter(|(number, _)| *number < STRIPES)
    }

    /// Runs `work` with each topic that has a track.
    pub(super) fn each_track(&self, mut work: impl FnMut(&Topic, u64, &mut Track)) {
        for number in 0..STRIPES {
            for (id, topic, track) in self.0.at(number).tracks() {
                work(topic, id, track);
            }
        }
    }
}
