#[cfg(all(test, narrows_loom))]
mod loom_tests;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::atomic::{AtomicBool, Ordering};

use narrows_core::{Gap, Position, Topic};

use super::state::State;
use crate::hub::Delivery;
use crate::sync::{Arc, AtomicWaker, Mutex, Notify, lock};

/// What other threads, and the hub, have for a shard.
pub(crate) enum Mail {
    Deliver(Arc<Delivery>),
    Gap(Option<u64>, Gap),
    /// Where a topic with a history stands: what is behind this was sent after that position, and all up to there came
    /// here before it, or was turned away.
    Settle(Topic, u64, Position),
    /// Messages of such a topic are lost up to a position.
    Lost(Topic, u64, Position),
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
    /// What [`Queue::crowded`] said last, for those who need not know it to the message.
    crowded: AtomicBool,
}

#[derive(Default)]
struct Queue {
    mail: Vec<Mail>,
    deliveries: usize,
    bytes: usize,
    /// The topics of which a message was turned away. One notice stands for all that follow: a shard that is
    /// stuck must not drown in notices. For a topic with a history, with the newest position that was.
    gaps: HashMap<u64, Option<(Topic, Position)>>,
}

impl Mailbox {
    /// What a shard keeps at the most; publishers on this node are held back at half of it. Models have room
    /// for a few only.
    const MAX_DELIVERIES: usize = if cfg!(narrows_loom) { 2 } else { 65_536 };
    const MAX_BYTES: usize = 64 << 20;

    pub(super) fn new() -> Self {
        Self {
            queue: Mutex::new(Queue::default()),
            waker: AtomicWaker::new(),
            room: Notify::new(),
            crowded: AtomicBool::new(false),
        }
    }

    pub(super) fn post(&self, mail: Mail) {
        let mut queue = lock(&self.queue);
        if let Mail::Lost(_, id, _) = &mail
            && let Some(turned_away) = queue.gaps.get_mut(id)
        {
            // It stands for all before it.
            *turned_away = None;
        }
        queue.mail.push(mail);
        let first = queue.mail.len() == 1;
        drop(queue);
        if first {
            self.waker.wake();
        }
    }

    /// Posts what can be refused; `false` when the shard already has more than it keeps.
    pub(super) fn post_if_room(&self, mail: Mail) -> bool {
        if lock(&self.queue).mail.len() >= Self::MAX_DELIVERIES {
            return false;
        }
        self.post(mail);
        true
    }

    /// Posts a message for the shard's members. `false` when it already has more than it keeps: those who asked
    /// for it are told of the gap; in a group with a history, all.
    pub(super) fn deliver(&self, delivery: Arc<Delivery>) -> bool {
        let mut queue = lock(&self.queue);
        if queue.deliveries >= Self::MAX_DELIVERIES || queue.bytes >= Self::MAX_BYTES {
            let turned_away = delivery.group().cloned().zip(delivery.position());
            match queue.gaps.entry(delivery.topic) {
                Entry::Occupied(mut known) if turned_away.is_some() => drop(known.insert(turned_away)),
                Entry::Occupied(_) => {}
                Entry::Vacant(new) => {
                    new.insert(turned_away);
                    queue.mail.push(Mail::Gap(Some(delivery.topic), Gap::Overflow));
                }
            }
            return false;
        }
        queue.deliveries += 1;
        queue.bytes += delivery.payload.len();
        queue.mail.push(Mail::Deliver(delivery));
        if queue.crowded() {
            self.crowded.store(true, Ordering::Relaxed);
        }
        let first = queue.mail.len() == 1;
        drop(queue);
        if first {
            self.waker.wake();
        }
        true
    }

    /// Takes all there is, leaving `spare` for what comes next. Where the topics stand of which messages were turned away
    /// is behind all else: from the first such message on, none got in.
    pub(super) fn take(&self, spare: Vec<Mail>) -> Vec<Mail> {
        let mut queue = lock(&self.queue);
        let crowded = queue.crowded();
        (queue.deliveries, queue.bytes) = (0, 0);
        let gaps = std::mem::take(&mut queue.gaps);
        if crowded {
            self.crowded.store(false, Ordering::Relaxed);
        }
        let mut taken = std::mem::replace(&mut queue.mail, spare);
        drop(queue);
        let turned_away = gaps.into_iter().filter_map(|(id, gap)| gap.map(|(topic, at)| (topic, id, at)));
        taken.extend(turned_away.map(|(topic, id, at)| Mail::Settle(topic, id, at)));
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
        // Mostly nothing is to be waited for, and one load says so without the lock.
        if !self.crowded.load(Ordering::Relaxed) {
            return;
        }
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

#[cfg(all(test, not(narrows_loom)))]
mod tests {
    use bytes::Bytes;
    use narrows_core::PayloadFormat;

    use super::*;

    #[test]
    fn a_full_mailbox_keeps_one_notice_for_each_topic_that_lost_messages() {
        let mailbox = Mailbox::new();
        let deliver = |topic| {
            let payload = Bytes::from_static(b"\x80");
            mailbox.deliver(Arc::new(Delivery::new(topic, payload, PayloadFormat::MsgPack)))
        };
        assert!((0..Mailbox::MAX_DELIVERIES).all(|_| deliver(1)));
        assert!((0..1000).all(|n| !deliver(n % 2)));
        let mail = mailbox.take(Vec::new());
        let gaps: Vec<_> = mail.iter().filter(|m| matches!(m, Mail::Gap(..))).collect();
        assert!(matches!(gaps[..], [Mail::Gap(Some(0), Gap::Overflow), Mail::Gap(Some(1), Gap::Overflow)]));
        assert!(deliver(1), "there is room again");
    }

    #[test]
    fn a_full_mailbox_says_where_a_topic_with_a_history_stands_behind_all_that_it_took() {
        let mailbox = Mailbox::new();
        let topic = narrows_core::Group::<()>::new("a").unwrap().topic();
        let at = |epoch, offset| Position { epoch, offset };
        let deliver = |at| {
            let payload = Bytes::from_static(b"\x80");
            mailbox.deliver(Arc::new(Delivery::at(1, &topic, at, payload, PayloadFormat::MsgPack)))
        };
        let full = Mailbox::MAX_DELIVERIES as u64;
        assert!((1..=full).all(|n| deliver(at(7, n))));
        assert!((1..=9).all(|n| !deliver(at(7, full + n))));
        let mail = mailbox.take(Vec::new());
        assert!(matches!(mail.last(), Some(Mail::Settle(_, 1, stands)) if *stands == at(7, full + 9)));
        assert!((1..=full).all(|n| deliver(at(7, n))) && !deliver(at(7, full + 1)));
        mailbox.post(Mail::Lost(topic.clone(), 1, at(8, 3)));
        assert!(matches!(mailbox.take(Vec::new()).last(), Some(Mail::Lost(..))), "that stands for it");
    }
}
