use std::collections::VecDeque;
use std::future::poll_fn;
use std::task::Poll;

use bytes::Bytes;
use narrows_core::{LayerError, Topic};

use super::seat::{Seat, Taker};
use super::{Hub, Subscribed};
use crate::stats::{Counters, DropReason};
use crate::sync::{Arc, AtomicWaker, Mutex, MutexGuard, lock};

/// A member of a topic that is no connection's: it needs no shard, and holds what has come until it is taken.
pub(crate) struct Tap {
    backlog: Arc<Backlog>,
    /// `None` once it has been let go.
    seat: Option<(Seat, Subscribed)>,
    counters: Arc<Counters>,
}

impl Tap {
    pub(super) fn new(hub: Arc<Hub>, topic: &Topic, backlog: usize) -> Self {
        let backlog = Arc::new(Backlog::new(backlog));
        let counters = hub.counters.clone();
        Self { seat: Some(Seat::new(hub, topic, Some(backlog.clone()))), backlog, counters }
    }

    /// Waits until the layer has promised delivery.
    ///
    /// # Errors
    /// When it did not: this tap will get nothing then.
    ///
    /// # Cancel safety
    /// A dropped call changes nothing.
    pub(crate) async fn subscribed(&mut self) -> Result<(), Arc<LayerError>> {
        match &mut self.seat {
            Some((_, subscribed)) => subscribed.told().await,
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
        self.seat = None;
    }
}

impl Drop for Tap {
    fn drop(&mut self) {
        self.let_go();
        let left = self.backlog.waiting().messages.len();
        self.counters.drop_of(DropReason::WorkerEnded, left);
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
}

impl Taker for Backlog {
    fn take_in(&self, payload: &Bytes) -> bool {
        let mut waiting = self.waiting();
        if waiting.messages.len() >= self.max_messages || waiting.bytes >= Self::MAX_BYTES {
            waiting.lost += 1;
            return false;
        }
        waiting.bytes += payload.len();
        waiting.messages.push_back(payload.clone());
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
