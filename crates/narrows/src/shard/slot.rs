use std::collections::VecDeque;
use std::task::Waker;

use narrows_core::Gap;

use super::outbox::Outbox;
use super::socket::Socket;
use crate::capacity::Capacity;
use crate::hub::Delivery;
use crate::identity::Identity;
use crate::live::About;
use crate::sync::Arc;
use crate::transport::RouteSettings;

/// Names one connection of a shard; the generation tells it from an earlier one in the same place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct SlotKey {
    pub(crate) index: u32,
    pub(crate) generation: u32,
}

/// Why the shard ends a connection; the session task says it to the client and to the consumer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// The socket failed.
    Lost,
    PingTimeout,
    Idle,
    /// The outbox or inbox overflowed, or the socket stayed full for too long.
    Slow,
    Drain,
    /// Its client came back, and goes on in another connection.
    Resumed,
    /// Its identity holds no longer.
    SessionEnded,
    /// Somebody ended it by its id.
    Ended,
}

impl End {
    /// Whether the client is told at once, and not when the handler that runs is done.
    pub(crate) fn is_urgent(self) -> bool {
        matches!(self, Self::SessionEnded | Self::Ended)
    }
}

/// What `listen` has for the consumer.
#[derive(Debug)]
pub(crate) enum InboxItem {
    Message(Arc<Delivery>),
    Gap(Gap),
    /// Messages of this topic are lost to its client.
    Lost(u64),
}

/// The events that a consumer has not yet been handed.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    queue: VecDeque<InboxItem>,
    bytes: usize,
    /// A notice of a gap waits. One stands for any number of losses, and costs no place.
    has_gap: bool,
    /// The topics of which messages are lost to the client, once each: no more than it is in.
    lost: Vec<u64>,
}

impl Inbox {
    pub(super) fn has_room(&self, bytes: usize, capacity: &Capacity) -> bool {
        self.messages() == 0
            || (self.messages() < capacity.max_messages && self.bytes + bytes <= capacity.max_bytes)
    }

    pub(super) fn messages(&self) -> usize {
        self.queue.len() - usize::from(self.has_gap)
    }

    pub(super) fn push(&mut self, delivery: Arc<Delivery>) {
        self.bytes += delivery.payload.len();
        self.queue.push_back(InboxItem::Message(delivery));
    }

    /// Notes a gap behind what waits, or in front of it.
    pub(super) fn note_gap(&mut self, gap: Gap, in_front: bool) {
        if std::mem::replace(&mut self.has_gap, true) {
            return;
        }
        if in_front {
            self.queue.push_front(InboxItem::Gap(gap));
        } else {
            self.queue.push_back(InboxItem::Gap(gap));
        }
    }

    pub(super) fn note_lost(&mut self, topic: u64) {
        if !self.lost.contains(&topic) {
            self.lost.push(topic);
        }
    }

    /// Its topic was left: what is lost of it is no matter any more.
    pub(super) fn forget_lost(&mut self, topic: u64) {
        self.lost.retain(|lost| *lost != topic);
    }

    pub(super) fn pop(&mut self) -> Option<InboxItem> {
        if !self.lost.is_empty() {
            return Some(InboxItem::Lost(self.lost.remove(0)));
        }
        let item = self.queue.pop_front();
        match &item {
            Some(InboxItem::Message(delivery)) => self.bytes -= delivery.payload.len(),
            Some(InboxItem::Gap(_)) => self.has_gap = false,
            Some(InboxItem::Lost(_)) | None => {}
        }
        item
    }

    /// Drops the message that has waited longest; a notice stays.
    pub(super) fn drop_oldest(&mut self) -> bool {
        let is_message = |item: &InboxItem| matches!(item, InboxItem::Message(_));
        let oldest = self.queue.iter().position(is_message).and_then(|at| self.queue.remove(at));
        let Some(InboxItem::Message(delivery)) = oldest else { return false };
        self.bytes -= delivery.payload.len();
        true
    }
}

/// Which of a tick's frames are due to a connection: their numbers, a few of them in place.
#[derive(Debug, Default)]
pub(super) struct Due {
    count: u8,
    first: [u16; Due::INLINE],
    #[expect(clippy::box_collection, reason = "8 bytes in every connection in place of 24, for a rare need")]
    more: Option<Box<Vec<u16>>>,
}

impl Due {
    const INLINE: usize = 11;

    pub(super) fn push(&mut self, number: u16) {
        if usize::from(self.count) < Self::INLINE {
            self.first[usize::from(self.count)] = number;
            self.count += 1;
        } else {
            self.more.get_or_insert_default().push(number);
        }
    }

    /// The number, when only one frame is due.
    pub(super) fn only(&self) -> Option<u16> {
        (self.count == 1).then(|| self.first[0])
    }

    pub(super) fn is_empty(&self) -> bool {
        self.count == 0
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = u16> {
        let more = self.more.as_deref().map(Vec::as_slice).unwrap_or_default();
        self.first[..usize::from(self.count)].iter().chain(more).copied()
    }

    pub(super) fn clear(&mut self) {
        self.count = 0;
        self.more = None;
    }
}

/// One place in a topic's lists.
#[derive(Debug, Clone, Copy)]
pub(super) struct Membership {
    pub(super) topic: u64,
    /// Which list of the topic: a relay's, or [`LISTENERS`](super::topics::LISTENERS).
    pub(super) list: u32,
    /// Where in that list.
    pub(super) at: u32,
}

impl Membership {
    /// Whether it is a listener's, and not that of a member whose client gets the messages.
    pub(super) fn listens(&self) -> bool {
        self.list == super::topics::LISTENERS
    }
}

/// What the shard holds of one connection. An idle one owns no heap but its memberships and what is known about it.
pub(super) struct Slot {
    // Touched by every delivery.
    pub(super) due: Due,
    pub(super) touched: bool,
    /// The socket is full or not there yet: frames go to the outbox.
    pub(super) blocked: bool,
    /// No further message goes out: the connection ends or has ended.
    pub(super) closing: bool,
    pub(super) live: bool,
    pub(super) socket: Socket,
    // Touched now and then.
    /// The session waits for bytes, so silence is the client's.
    pub(super) reading: bool,
    pub(super) wants_gaps: bool,
    pub(super) end: Option<End>,
    pub(super) generation: u32,
    /// Ticks of the heartbeat: the last byte, the last message, the unanswered ping, the full socket.
    pub(super) heard_at: u32,
    pub(super) message_at: u32,
    pub(super) pinged_at: Option<u32>,
    pub(super) blocked_at: u32,
    pub(super) outbox: Option<Box<Outbox>>,
    pub(super) inbox: Option<Box<Inbox>>,
    pub(super) waker: Option<Waker>,
    pub(super) memberships: Vec<Membership>,
    pub(super) settings: Option<Arc<RouteSettings>>,
    /// For those who ask who is here; looked at by nobody else.
    pub(super) about: About,
    pub(super) identity: Option<Identity>,
}

impl Slot {
    pub(super) fn empty() -> Self {
        Self {
            due: Due::default(),
            touched: false,
            blocked: true,
            closing: false,
            live: false,
            socket: Socket::Pending,
            reading: false,
            wants_gaps: false,
            end: None,
            generation: 0,
            heard_at: 0,
            message_at: 0,
            pinged_at: None,
            blocked_at: 0,
            outbox: None,
            inbox: None,
            waker: None,
            memberships: Vec::new(),
            settings: None,
            about: About::default(),
            identity: None,
        }
    }

    pub(super) fn wake(&self) {
        if let Some(waker) = &self.waker {
            waker.wake_by_ref();
        }
    }

    /// Ends the connection for the first reason that is given; an urgent one does not wait behind another.
    pub(super) fn finish(&mut self, end: End) {
        let is_urgent = end.is_urgent() && !self.end.is_some_and(End::is_urgent);
        if (self.end.is_none() || is_urgent) && !self.closing {
            self.end = Some(end);
        }
        self.wake();
    }

    pub(super) fn settings(&self) -> &Arc<RouteSettings> {
        self.settings.as_ref().expect("a live slot has settings")
    }
}

/// All connections of a shard, in places that never move.
pub(super) struct Slots {
    pieces: Vec<Box<[Slot]>>,
    free: Vec<u32>,
}

impl Slots {
    const PIECE: usize = 256;

    pub(super) fn new() -> Self {
        Self { pieces: Vec::new(), free: Vec::new() }
    }

    pub(super) fn insert(&mut self) -> SlotKey {
        if self.free.is_empty() {
            let start = self.pieces.len() * Self::PIECE;
            let end = u32::try_from(start + Self::PIECE).expect("fewer than 2^32 connections on a shard");
            self.pieces.push((0..Self::PIECE).map(|_| Slot::empty()).collect());
            self.free.extend((end - Self::PIECE as u32..end).rev());
        }
        let index = self.free.pop().expect("just filled");
        let slot = self.at(index);
        slot.live = true;
        SlotKey { index, generation: slot.generation }
    }

    pub(super) fn remove(&mut self, key: SlotKey) -> Option<Slot> {
        let slot = self.get(key)?;
        let mut removed = std::mem::replace(slot, Slot::empty());
        slot.generation = removed.generation.wrapping_add(1);
        // A tick in progress may still hold the place in its list of touched ones.
        slot.touched = removed.touched;
        removed.live = false;
        // A place that has used up its generations is given up: a name that is kept for long must never come to mean another.
        if slot.generation != 0 {
            self.free.push(key.index);
        }
        Some(removed)
    }

    /// The slot, unless its connection is gone.
    pub(super) fn get(&mut self, key: SlotKey) -> Option<&mut Slot> {
        let slot = self.pieces.get_mut(key.index as usize / Self::PIECE)?;
        let slot = &mut slot[key.index as usize % Self::PIECE];
        (slot.live && slot.generation == key.generation).then_some(slot)
    }

    pub(super) fn at(&mut self, index: u32) -> &mut Slot {
        &mut self.pieces[index as usize / Self::PIECE][index as usize % Self::PIECE]
    }

    /// The live ones among so many places from this one on, and where it goes on; `None` behind the last.
    pub(super) fn some(
        &self,
        from: u32,
        count: u32,
    ) -> (impl Iterator<Item = (SlotKey, &Slot)>, Option<u32>) {
        let (first, places) = (from as usize, self.pieces.len() * Self::PIECE);
        let slots = (first..places.min(first + count as usize)).zip(from..).map(|(at, index)| {
            let slot = &self.pieces[at / Self::PIECE][at % Self::PIECE];
            (SlotKey { index, generation: slot.generation }, slot)
        });
        let next = from.checked_add(count).filter(|next| (*next as usize) < places);
        (slots.filter(|(_, slot)| slot.live), next)
    }

    pub(super) fn keys(&self) -> Vec<SlotKey> {
        let slots = self.pieces.iter().flatten().zip(0..);
        slots
            .filter(|(slot, _)| slot.live)
            .map(|(slot, index)| SlotKey { index, generation: slot.generation })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_size_of_an_idle_connection_in_its_shard_is_known() {
        // Growing this grows every connection: do it knowingly.
        assert!(size_of::<Slot>() <= 208, "{}", size_of::<Slot>());
    }

    #[test]
    fn a_key_does_not_reach_the_next_connection_in_its_place() {
        let mut slots = Slots::new();
        let first = slots.insert();
        assert!(slots.remove(first).is_some());
        let second = slots.insert();
        assert_eq!(first.index, second.index);
        assert!(slots.get(first).is_none() && slots.remove(first).is_none());
        assert!(slots.get(second).is_some());
    }

    #[test]
    fn a_place_whose_generations_are_used_up_is_given_up() {
        let mut slots = Slots::new();
        let first = slots.insert();
        slots.at(first.index).generation = u32::MAX;
        assert!(slots.remove(SlotKey { generation: u32::MAX, ..first }).is_some());
        assert_ne!(slots.insert().index, first.index);
    }

    #[test]
    fn numbers_beyond_the_inline_ones_are_kept_in_order() {
        let mut due = Due::default();
        for n in 0..100 {
            due.push(n);
        }
        assert!(due.iter().eq(0..100));
        assert_eq!(due.only(), None);
        due.clear();
        due.push(7);
        assert_eq!(due.only(), Some(7));
    }
}
