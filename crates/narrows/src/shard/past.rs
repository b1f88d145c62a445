//! Topics with a history, as a shard knows them: where they stand, and who is on the way to be a member.
//!
//! Who joins from a position is *held* first: what comes meanwhile waits, for what was missed is to come before it. It is
//! then *caught up*, and takes part when the shard has reached the position that it has.

use std::sync::atomic::Ordering;

use narrows_core::{Gap, Position, Topic};

use super::outbox::{Frame, FrameKind};
use super::slot::{Membership, SlotKey};
use super::state::State;
use super::topics::HELD;
use crate::capacity::Capacity;
use crate::codec::Codec;
use crate::hub::{Delivery, Relay};
use crate::protocol::Control;
use crate::sync::Arc;

#[derive(Debug, Default)]
pub(super) struct Past {
    /// The newest position that came to this shard; `None` before the first.
    at: Option<Position>,
    held: Vec<Held>,
}

#[derive(Debug)]
struct Held {
    slot: u32,
    relay: Relay,
    phase: Phase,
}

#[derive(Debug)]
enum Phase {
    /// What it missed is being read.
    Reading(Waiting),
    /// It has everything up to here.
    CaughtUp(Position),
}

/// What came for a held member.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    pub(crate) deliveries: Vec<Arc<Delivery>>,
    bytes: usize,
    /// More came than its outbox may hold, and nothing of it is here.
    pub(crate) dropped: bool,
    /// Where the shard stands.
    pub(crate) stands: Option<Position>,
    /// What may be sent to it besides.
    pub(crate) room: Room,
}

/// So much an outbox still takes.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Room {
    messages: usize,
    bytes: usize,
}

impl Room {
    pub(crate) fn of(capacity: &Capacity) -> Self {
        Self { messages: capacity.max_messages, bytes: capacity.max_bytes }
    }

    /// Whether so much takes half of it at the most: the rest is for what is new.
    pub(crate) fn takes(self, messages: usize, bytes: usize) -> bool {
        messages <= self.messages.div_ceil(2) && bytes <= self.bytes / 2
    }
}

/// What a member that is caught up has to do next.
pub(crate) enum CaughtUp {
    /// Nothing: it is a member, or will be without its doing.
    Member,
    /// Something came in between.
    More(Waiting),
    /// Its connection has ended, or it left.
    Gone,
}

impl Past {
    pub(super) fn holds(&self) -> bool {
        !self.held.is_empty()
    }

    /// Takes a held one out. The last moves to its place: that slot is returned.
    pub(super) fn remove(&mut self, at: u32) -> Option<u32> {
        self.held.swap_remove(at as usize);
        self.held.get(at as usize).map(|held| held.slot)
    }

    fn get(&mut self, slot: u32) -> Option<&mut Held> {
        self.held.iter_mut().find(|held| held.slot == slot)
    }

    /// Those who have what the shard has had.
    fn arrived(&self, at: Position) -> impl Iterator<Item = u32> {
        let arrived = move |held: &&Held| match held.phase {
            Phase::Reading(_) => false,
            Phase::CaughtUp(has) => has.epoch != at.epoch || has.offset <= at.offset,
        };
        self.held.iter().filter(arrived).map(|held| held.slot)
    }
}

impl State {
    /// Adds a connection to a topic as one that is held; `false` when it is there already.
    pub(crate) fn join_held(&mut self, key: SlotKey, topic: u64, relay: Relay) -> bool {
        if self.slots.get(key).is_none() || self.is_in(key, topic, false) {
            return false;
        }
        let past = self.topics.past(topic);
        past.held.push(Held { slot: key.index, relay, phase: Phase::Reading(Waiting::default()) });
        let at = past.held.len() as u32 - 1;
        let memberships = &mut self.slots.at(key.index).memberships;
        memberships.reserve_exact(1);
        memberships.push(Membership { topic, list: HELD, at });
        true
    }

    /// What waits for a held member by now; from here on more may.
    pub(crate) fn take_waiting(&mut self, key: SlotKey, topic: u64) -> Option<Waiting> {
        self.slots.get(key)?;
        let room = self.room(key.index);
        let past = self.topics.get_mut(topic)?.past.as_mut()?;
        let stands = past.at;
        match &mut past.get(key.index)?.phase {
            Phase::Reading(waiting) => Some(Waiting { stands, room, ..std::mem::take(waiting) }),
            Phase::CaughtUp(_) => None,
        }
    }

    /// What a connection's outbox takes besides all that waits in it or is on its way there.
    fn room(&mut self, index: u32) -> Room {
        let slot = self.slots.at(index);
        let (mut messages, mut bytes) =
            slot.outbox.as_deref().map_or((0, 0), |outbox| (outbox.waiting(), outbox.bytes()));
        for number in slot.due.iter() {
            let frame = &self.frames[usize::from(number)];
            messages += usize::from(frame.kind == FrameKind::Data);
            bytes += frame.bytes.len();
        }
        let whole = Room::of(&slot.settings().outbox);
        Room { messages: whole.messages.saturating_sub(messages), bytes: whole.bytes.saturating_sub(bytes) }
    }

    /// Sends a held member what it missed, all of it up to `at`: frames, so many of which are messages. It goes on as a
    /// member, unless more came meanwhile.
    pub(crate) fn catch_up(
        &mut self,
        key: SlotKey,
        topic: u64,
        (frames, messages): (Vec<Frame>, usize),
        at: Position,
    ) -> CaughtUp {
        let Some(waiting) = self.take_waiting(key, topic) else { return CaughtUp::Gone };
        let closing = self.slots.get(key).is_none_or(|slot| slot.closing);
        if !closing {
            self.tally.deliver(messages);
            for frame in frames {
                self.push(key.index, frame);
            }
        }
        if !waiting.deliveries.is_empty() || waiting.dropped {
            return CaughtUp::More(waiting);
        }
        if let Some(held) = self.topics.past(topic).get(key.index) {
            held.phase = Phase::CaughtUp(at);
        }
        if let Some(stands) = waiting.stands {
            self.promote(topic, stands);
        }
        CaughtUp::Member
    }

    /// Notes where a topic stands: nothing older is on its way here. What did not come until now was turned away.
    pub(super) fn settle(&mut self, topic: &Topic, id: u64, at: Position) {
        let Some(lists) = self.topics.get_mut(id) else { return };
        match &mut lists.past.get_or_insert_default().at {
            Some(stands) if stands.epoch != at.epoch || stands.offset < at.offset => {
                self.turned_away(topic, id, at);
            }
            stands => {
                stands.get_or_insert(at);
                self.promote(id, at);
            }
        }
    }

    /// A message with a position comes: who has all before it takes part from now on.
    pub(super) fn pass(&mut self, topic: &Topic, id: u64, at: Position) {
        let Some(lists) = self.topics.get_mut(id) else { return };
        let past = lists.past.get_or_insert_default();
        let before = Position { offset: at.offset.saturating_sub(1), ..at };
        let stood = past.at.replace(at);
        if stood.is_some_and(|stood| stood.epoch != at.epoch || stood.offset < before.offset) {
            self.turned_away(topic, id, before);
            self.topics.past(id).at = Some(at);
        } else if past.holds() {
            self.promote(id, before);
        }
    }

    /// Too much came at once, and what came last of it up to this position found no room.
    fn turned_away(&mut self, topic: &Topic, id: u64, at: Position) {
        self.counters.unrecovered.fetch_add(1, Ordering::Relaxed);
        self.lose(topic, id, at);
    }

    /// Tells a topic's members that messages are lost up to a position.
    pub(super) fn lose(&mut self, topic: &Topic, id: u64, at: Position) {
        let Some(lists) = self.topics.get_mut(id) else { return };
        lists.past.get_or_insert_default().at = Some(at);
        // Who is caught up to there lost nothing.
        self.promote(id, Position { offset: at.offset.saturating_sub(1), ..at });
        let Some(lists) = self.topics.get(id) else { return };
        let relays: Vec<_> = lists.relays.iter().map(|(relay, members)| (*relay, members.clone())).collect();
        let listeners = lists.listeners.clone();
        for ((relay, members), list) in relays.into_iter().zip(0..) {
            if relay.speaks
                && let Some(frame) = lost_frame(topic, at, relay.codec())
            {
                self.spread(id, list, frame);
            }
            for index in members {
                let slot = self.slots.at(index);
                slot.inbox.get_or_insert_default().note_lost(id);
                slot.wake();
            }
        }
        for index in listeners {
            let slot = self.slots.at(index);
            if slot.wants_gaps {
                slot.inbox.get_or_insert_default().note_gap(Gap::Lost, false);
                slot.wake();
            }
        }
        self.promote(id, at);
    }

    /// Notes that a connection is to be told that it lost messages of a topic.
    pub(crate) fn note_lost(&mut self, key: SlotKey, topic: u64) {
        if let Some(slot) = self.slots.get(key) {
            slot.inbox.get_or_insert_default().note_lost(topic);
            slot.wake();
        }
    }

    /// Keeps a message for those who are held.
    pub(super) fn hold(&mut self, delivery: &Arc<Delivery>) {
        let Some(past) = self.topics.get_mut(delivery.topic).and_then(|lists| lists.past.as_mut()) else {
            return;
        };
        for held in &mut past.held {
            let Phase::Reading(waiting) = &mut held.phase else { continue };
            // Half of what may wait for it: the rest is for what it missed.
            let capacity = self.slots.at(held.slot).settings().outbox;
            waiting.bytes += delivery.payload.len();
            waiting.deliveries.push(delivery.clone());
            if waiting.dropped
                || waiting.bytes > capacity.max_bytes / 2
                || waiting.deliveries.len() > capacity.max_messages.div_ceil(2)
            {
                (waiting.deliveries, waiting.bytes) = (Vec::new(), 0);
                waiting.dropped = true;
            }
        }
    }

    pub(super) fn push_if_open(&mut self, index: u32, frame: Frame) {
        if !self.slots.at(index).closing {
            self.tally.deliver(1);
            self.push(index, frame);
        }
    }

    /// Those who are caught up and wait for the shard: a message without a position is for them, too.
    pub(super) fn caught_up(&self, topic: u64) -> Vec<(u32, Relay)> {
        let held = self.topics.get(topic).and_then(|lists| lists.past.as_ref()).map(|past| &past.held);
        let caught_up = |held: &&Held| matches!(held.phase, Phase::CaughtUp(_));
        held.into_iter().flatten().filter(caught_up).map(|held| (held.slot, held.relay)).collect()
    }

    /// Makes members of those who have what the shard has had.
    fn promote(&mut self, topic: u64, at: Position) {
        let Some(past) = self.topics.get(topic).and_then(|lists| lists.past.as_ref()) else { return };
        let arrived: Vec<_> = past.arrived(at).collect();
        for slot in arrived {
            let Some(was) = self.membership(slot, topic) else { continue };
            let Some(relay) = self.topics.past(topic).get(slot).map(|held| held.relay) else { continue };
            // In first, so that the topic's lists are never gone in between.
            let (list, at) = self.topics.add(topic, Some(relay), slot);
            self.take_out(was);
            let memberships = self.slots.at(slot).memberships.iter_mut();
            for membership in memberships.filter(|m| m.topic == topic && m.list == HELD) {
                (membership.list, membership.at) = (list, at);
            }
        }
    }

    fn membership(&mut self, slot: u32, topic: u64) -> Option<Membership> {
        self.slots.at(slot).memberships.iter().find(|m| m.topic == topic && m.list == HELD).copied()
    }
}

fn lost_frame(topic: &Topic, at: Position, codec: Codec) -> Option<Frame> {
    let lost = Control::Lost { group: topic.name().into(), at };
    lost.frame(codec).inspect_err(|error| tracing::error!(%error, "a loss cannot be written")).ok()
}
