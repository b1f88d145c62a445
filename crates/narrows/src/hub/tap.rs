use std::collections::{HashMap, VecDeque};
use std::future::poll_fn;
use std::task::Poll;

use bytes::Bytes;
use narrows_core::{LayerError, Topic};

use super::{Delivery, Hub, Subscribed};
use crate::stats::{Counters, DropReason};
use crate::sync::{Arc, AtomicWaker, Mutex, MutexGuard, lock};

/// The number under which the registry counts members that are taps; a node has fewer shards than that.
pub(super) const TAPS: u16 = u16::MAX;

/// The taps of this node by the id of their topic.
#[derive(Default)]
pub(super) struct Taps(Mutex<HashMap<u64, Vec<Arc<Backlog>>>>);

impl Taps {
    /// Hands a message to the topic's taps; never waits.
    pub(super) fn deliver(&self, delivery: &Delivery, counters: &Counters) {
        for backlog in lock(&self.0).get(&delivery.topic).into_iter().flatten() {
            if !backlog.push(delivery.payload.clone()) {
                counters.drop_of(DropReason::WorkerBacklog, 1);
            }
        }
    }

    fn insert(&self, id: u64, backlog: Arc<Backlog>) {
        lock(&self.0).entry(id).or_default().push(backlog);
    }

    fn remove(&self, id: u64, backlog: &Arc<Backlog>) {
        let mut taps = lock(&self.0);
        if let Some(of_topic) = taps.get_mut(&id) {
            of_topic.retain(|other| !Arc::ptr_eq(other, backlog));
            if of_topic.is_empty() {
                taps.remove(&id);
            }
        }
    }
}

/// A member of a topic that is no connection's: it needs no shard, and holds what has come until it is taken.
pub(crate) struct Tap {
    hub: Arc<Hub>,
    id: u64,
    backlog: Arc<Backlog>,
    /// `None` once it has been let go.
    subscribed: Option<Subscribed>,
}

impl Tap {
    pub(super) fn new(hub: Arc<Hub>, topic: &Topic, backlog: usize) -> Self {
        let (id, subscribed) = hub.acquire(topic, TAPS);
        let backlog = Arc::new(Backlog::new(backlog));
        hub.taps.insert(id, backlog.clone());
        Self { hub, id, backlog, subscribed: Some(subscribed) }
    }

    /// Waits until the layer has promised delivery.
    ///
    /// # Errors
    /// When it did not: this tap will get nothing then.
    ///
    /// # Cancel safety
    /// A dropped call changes nothing.
    pub(crate) async fn subscribed(&mut self) -> Result<(), Arc<LayerError>> {
        match &mut self.subscribed {
            Some(subscribed) => subscribed.told().await,
            None => Ok(()),
        }
    }

    /// The next message.
    ///
    /// # Cancel safety
    /// A dropped call takes nothing.
    pub(crate) async fn take(&mut self) -> Bytes {
        poll_fn(|cx| {
            // Before the look, so that nothing slips in between.
            self.backlog.waker.register(cx.waker());
            self.take_left().map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }

    /// The next message of those that have come.
    pub(crate) fn take_left(&self) -> Option<Bytes> {
        self.backlog.waiting().pop()
    }

    /// How many messages found no room since this was asked last, and how many wait now.
    pub(crate) fn pressure(&self) -> (usize, usize) {
        let mut waiting = self.backlog.waiting();
        (std::mem::take(&mut waiting.lost), waiting.messages.len())
    }

    /// Ends the membership; what has come can still be taken.
    pub(crate) fn let_go(&mut self) {
        if self.subscribed.take().is_some() {
            self.hub.taps.remove(self.id, &self.backlog);
            self.hub.release(self.id, TAPS);
        }
    }
}

impl Drop for Tap {
    fn drop(&mut self) {
        self.let_go();
        let left = self.backlog.waiting().messages.len();
        self.hub.counters.drop_of(DropReason::WorkerEnded, left);
    }
}

/// Messages that one tap has yet to take: bounded in number and bytes.
struct Backlog {
    waiting: Mutex<Waiting>,
    waker: AtomicWaker,
    max_messages: usize,
}

#[derive(Default)]
struct Waiting {
    messages: VecDeque<Bytes>,
    bytes: usize,
    lost: usize,
}

impl Backlog {
    /// As much as a shard keeps.
    const MAX_BYTES: usize = 64 << 20;

    fn new(max_messages: usize) -> Self {
        Self { waiting: Mutex::new(Waiting::default()), waker: AtomicWaker::new(), max_messages }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        lock(&self.waiting)
    }

    /// `false` when there is no room.
    fn push(&self, payload: Bytes) -> bool {
        let mut waiting = self.waiting();
        if waiting.messages.len() >= self.max_messages || waiting.bytes >= Self::MAX_BYTES {
            waiting.lost += 1;
            return false;
        }
        waiting.bytes += payload.len();
        waiting.messages.push_back(payload);
        drop(waiting);
        self.waker.wake();
        true
    }
}

impl Waiting {
    fn pop(&mut self) -> Option<Bytes> {
        let payload = self.messages.pop_front()?;
        self.bytes -= payload.len();
        Some(payload)
    }
}
