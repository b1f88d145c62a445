use futures_util::task::AtomicWaker;
use narrows_core::Gap;
use tokio::sync::Notify;

use super::state::State;
use crate::hub::Delivery;
use crate::sync::{Arc, Mutex, lock};

/// What other threads, and the hub, have for a shard.
pub(crate) enum Mail {
    Deliver(Arc<Delivery>),
    Gap(Option<u64>, Gap),
    /// Work on the shard's state for a caller that is not on its thread.
    Run(Box<dyn FnOnce(&mut State) + Send>),
    /// A connection accepted elsewhere, to be served here.
    Adopt(Box<dyn FnOnce() + Send>),
    Stop,
}

/// A shard's one way in from other threads: bounded for messages, in order.
pub(crate) struct Mailbox {
    queue: Mutex<Queue>,
    waker: AtomicWaker,
    /// Tells publishers who wait that there is room again.
    room: Notify,
}

#[derive(Default)]
struct Queue {
    mail: Vec<Mail>,
    deliveries: usize,
    bytes: usize,
}

impl Mailbox {
    /// What a shard keeps at the most; publishers on this node are held back at half of it.
    const MAX_DELIVERIES: usize = 65_536;
    const MAX_BYTES: usize = 64 << 20;

    pub(super) fn new() -> Self {
        Self { queue: Mutex::new(Queue::default()), waker: AtomicWaker::new(), room: Notify::new() }
    }

    pub(super) fn post(&self, mail: Mail) {
        let mut queue = lock(&self.queue);
        queue.mail.push(mail);
        let first = queue.mail.len() == 1;
        drop(queue);
        if first {
            self.waker.wake();
        }
    }

    /// Posts a message for the shard's members; `false` when it already has more than it keeps.
    pub(super) fn deliver(&self, delivery: Arc<Delivery>) -> bool {
        let mut queue = lock(&self.queue);
        if queue.deliveries >= Self::MAX_DELIVERIES || queue.bytes >= Self::MAX_BYTES {
            return false;
        }
        queue.deliveries += 1;
        queue.bytes += delivery.payload.len();
        queue.mail.push(Mail::Deliver(delivery));
        let first = queue.mail.len() == 1;
        drop(queue);
        if first {
            self.waker.wake();
        }
        true
    }

    /// Takes all there is, leaving `spare` for what comes next.
    pub(super) fn take(&self, spare: Vec<Mail>) -> Vec<Mail> {
        let mut queue = lock(&self.queue);
        let crowded = queue.crowded();
        (queue.deliveries, queue.bytes) = (0, 0);
        let taken = std::mem::replace(&mut queue.mail, spare);
        drop(queue);
        if crowded {
            self.room.notify_waiters();
        }
        taken
    }

    pub(super) fn register(&self, waker: &std::task::Waker) {
        self.waker.register(waker);
    }

    /// Waits until the shard has caught up with most of what is posted.
    pub(super) async fn room(&self) {
        loop {
            let room = self.room.notified();
            if !lock(&self.queue).crowded() {
                return;
            }
            room.await;
        }
    }
}

impl Queue {
    fn crowded(&self) -> bool {
        self.deliveries >= Mailbox::MAX_DELIVERIES / 2 || self.bytes >= Mailbox::MAX_BYTES / 2
    }
}
