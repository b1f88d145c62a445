use std::collections::HashMap;

use bytes::Bytes;
use narrows_core::Topic;

use super::{Delivery, Hub, Subscribed};
use crate::stats::{Counters, DropReason};
use crate::sync::{Arc, Mutex, lock};

/// The number under which the registry counts members without a shard; a node has fewer shards than that.
pub(super) const SEATS: u16 = u16::MAX;

/// Takes a topic's messages where they arrive: under the topic's lock, on any thread. It never waits.
pub(crate) trait Taker: Send + Sync {
    /// `false` when there is no room.
    fn take_in(&self, payload: &Bytes) -> bool;

    /// Messages may have been lost.
    fn gap(&self) {}
}

/// A member of a topic without a shard, until it is dropped.
pub(crate) struct Seat {
    hub: Arc<Hub>,
    id: u64,
    taker: Option<Arc<dyn Taker>>,
}

impl Seat {
    /// Without a taker it only keeps the topic wanted. What is returned beside it ends when the layer has promised
    /// delivery.
    pub(crate) fn new<T: Taker + 'static>(
        hub: Arc<Hub>,
        topic: &Topic,
        taker: Option<Arc<T>>,
    ) -> (Self, Subscribed) {
        let (id, subscribed) = hub.acquire(topic, SEATS);
        let taker = taker.map(|taker| taker as Arc<dyn Taker>);
        if let Some(taker) = &taker {
            hub.seats.insert(id, taker.clone());
        }
        (Self { hub, id, taker }, subscribed)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        if let Some(taker) = &self.taker {
            self.hub.seats.remove(self.id, taker);
        }
        self.hub.release(self.id, SEATS);
    }
}

/// The takers of this node by the id of their topic.
#[derive(Default)]
pub(super) struct Seats(Mutex<HashMap<u64, Vec<Arc<dyn Taker>>>>);

impl Seats {
    /// Hands a message to the topic's takers; never waits.
    pub(super) fn deliver(&self, delivery: &Delivery, counters: &Counters) {
        for taker in lock(&self.0).get(&delivery.topic).into_iter().flatten() {
            if !taker.take_in(&delivery.payload) {
                counters.drop_of(DropReason::WorkerBacklog, 1);
            }
        }
    }

    /// Tells the takers of a topic, or all, that messages may have been lost.
    pub(super) fn gap(&self, id: Option<u64>) {
        let seats = lock(&self.0);
        match id {
            Some(id) => seats.get(&id).into_iter().flatten().for_each(|taker| taker.gap()),
            None => seats.values().flatten().for_each(|taker| taker.gap()),
        }
    }

    fn insert(&self, id: u64, taker: Arc<dyn Taker>) {
        lock(&self.0).entry(id).or_default().push(taker);
    }

    fn remove(&self, id: u64, taker: &Arc<dyn Taker>) {
        let mut seats = lock(&self.0);
        if let Some(of_topic) = seats.get_mut(&id) {
            of_topic.retain(|other| !std::ptr::addr_eq(Arc::as_ptr(other), Arc::as_ptr(taker)));
            if of_topic.is_empty() {
                seats.remove(&id);
            }
        }
    }
}
