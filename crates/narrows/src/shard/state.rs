use std::collections::HashMap;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use super::outbox::{Frame, FrameKind, Outbox};
use super::slot::{End, InboxItem, Membership, Slot, SlotKey, Slots};
use super::socket::Socket;
use super::topics::Topics;
use super::wheel::Wheel;
use crate::hub::Relay;
use crate::stats::{Counters, DropReason, Tally};
use crate::sync::Arc;
use crate::transport::RouteSettings;

/// Everything that a shard's connections share. Only the shard's thread ever touches it.
///
/// No code of a user runs while it is borrowed: methods take and give encoded frames, nothing else.
pub(crate) struct State {
    pub(super) slots: Slots,
    pub(super) topics: Topics,
    pub(super) wheel: Wheel,
    /// This tick's frames; connections hold their numbers.
    pub(super) frames: Vec<Frame>,
    pub(super) frame_bytes: usize,
    /// The slots that have frames due in this tick.
    pub(super) touched: Vec<u32>,
    pub(super) joined: Vec<u8>,
    pub(super) counters: Arc<Counters>,
    pub(super) tally: Arc<Tally>,
    /// Wakes the shard's own future, which ends the tick; `None` while that is at it.
    pub(super) ticker: Option<Waker>,
    read_buffer: Option<Box<[u8]>>,
    /// What is to be said to connections that somebody ended.
    pub(super) reasons: HashMap<SlotKey, Box<str>>,
}

/// What a connection's session has to do next.
pub(crate) enum Ready {
    End(End),
    /// Bytes from the client, in the shard's read buffer; give it back with [`State::give_back`].
    Bytes(Box<[u8]>, usize),
    /// The client's direction ended.
    Eof,
    Inbox(InboxItem),
}

/// Why a frame was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    Slow,
    Closed,
}

impl State {
    const READ_BUFFER: usize = 64 * 1024;

    pub(super) fn new(tick: Duration, counters: Arc<Counters>, tally: Arc<Tally>) -> Self {
        Self {
            slots: Slots::new(),
            topics: Topics::default(),
            wheel: Wheel::new(tick),
            frames: Vec::new(),
            frame_bytes: 0,
            touched: Vec::new(),
            joined: Vec::new(),
            counters,
            tally,
            ticker: None,
            read_buffer: None,
            reasons: HashMap::new(),
        }
    }

    /// A place for a connection whose handshake has begun; what is sent to it waits for [`attach`](Self::attach).
    pub(crate) fn insert(&mut self, settings: Arc<RouteSettings>) -> SlotKey {
        let now = self.wheel.now;
        let key = self.slots.insert();
        let slot = self.slots.get(key).expect("just inserted");
        slot.settings = Some(settings);
        (slot.heard_at, slot.message_at, slot.blocked_at) = (now, now, now);
        key
    }

    /// Gives a connection its socket; what waited goes out with the session's first poll.
    pub(crate) fn attach(&mut self, key: SlotKey, socket: Socket) {
        let now = self.wheel.now;
        let Some(slot) = self.slots.get(key) else { return };
        slot.socket = socket;
        (slot.heard_at, slot.message_at, slot.blocked_at) = (now, now, now);
        self.wheel.insert(key, 1);
    }

    /// Queues a frame for one connection; the end of the tick writes it.
    pub(crate) fn send(&mut self, key: SlotKey, frame: Frame) -> Result<(), Refused> {
        let Some(slot) = self.slots.get(key) else { return Err(Refused::Closed) };
        if slot.closing {
            return Err(if slot.end == Some(End::Slow) { Refused::Slow } else { Refused::Closed });
        }
        self.push(key.index, frame);
        Ok(())
    }

    /// Puts a frame before all that waits for a connection without a socket yet. No policy touches it.
    pub(crate) fn send_first(&mut self, key: SlotKey, frame: Frame) {
        self.flush();
        if let Some(slot) = self.slots.get(key) {
            slot.outbox.get_or_insert_default().push_first(frame);
        }
    }

    /// Sends the last frame, if there is to be one; nothing is sent to this connection after it.
    pub(crate) fn close(&mut self, key: SlotKey, last: Option<Frame>) {
        let Some(slot) = self.slots.get(key) else { return };
        // Nothing else closes before the session does: its last frame is sent.
        if slot.closing && slot.end.is_some_and(End::is_urgent) {
            return;
        }
        slot.closing = true;
        if let Some(frame) = last {
            self.push(key.index, frame);
            self.flush();
        }
    }

    /// Ends a connection from outside its session.
    pub(crate) fn finish(&mut self, key: SlotKey, end: End) {
        if let Some(slot) = self.slots.get(key) {
            slot.finish(end);
        }
    }

    /// Forgets a connection. The slot is returned, so that it is dropped when nothing is borrowed.
    pub(super) fn remove(&mut self, key: SlotKey) -> Option<Slot> {
        let mut slot = self.slots.remove(key)?;
        if !self.reasons.is_empty() {
            self.reasons.remove(&key);
        }
        let mut lost = slot.outbox.take().map_or(0, |outbox| outbox.messages());
        lost += slot.due.iter().filter(|n| self.frames[usize::from(*n)].kind == FrameKind::Data).count();
        self.counters.drop_of(DropReason::ConnectionEnded, lost);
        if let Some(inbox) = slot.inbox.take() {
            self.counters.drop_of(DropReason::Inbox, inbox.messages());
        }
        Some(slot)
    }

    /// Adds a connection to a topic; `false` when it is there already.
    pub(crate) fn join(&mut self, key: SlotKey, topic: u64, relay: Option<Relay>) -> bool {
        if self.slots.get(key).is_none() || self.is_in(key, topic, relay.is_none()) {
            return false;
        }
        let (list, at) = self.topics.add(topic, relay, key.index);
        let memberships = &mut self.slots.at(key.index).memberships;
        // Most connections are in one or two groups: no room to spare for more.
        memberships.reserve_exact(1);
        memberships.push(Membership { topic, list, at });
        true
    }

    /// Whether a connection is in a topic already, as listener or as member.
    pub(crate) fn is_in(&mut self, key: SlotKey, topic: u64, listens: bool) -> bool {
        let there = |m: &Membership| m.topic == topic && m.listens() == listens;
        self.slots.get(key).is_some_and(|slot| slot.memberships.iter().any(there))
    }

    /// Takes a connection out of every topic; or out of one, as listener, as member, or (`None`) both. Gives the
    /// topics it left, one entry a membership.
    pub(crate) fn leave(&mut self, key: SlotKey, which: Option<(u64, Option<bool>)>) -> Vec<u64> {
        let Some(slot) = self.slots.get(key) else { return Vec::new() };
        let mut left = Vec::new();
        slot.memberships.retain(|m| {
            let leaves = which.is_none_or(|(topic, listens)| {
                m.topic == topic && listens.is_none_or(|listens| listens == m.listens())
            });
            if leaves {
                left.push(*m);
            }
            !leaves
        });
        if let Some(inbox) = &mut slot.inbox {
            for gone in left.iter().filter(|gone| slot.memberships.iter().all(|m| m.topic != gone.topic)) {
                inbox.forget_lost(gone.topic);
            }
        }
        for membership in &left {
            self.take_out(*membership);
        }
        left.into_iter().map(|m| m.topic).collect()
    }

    pub(super) fn take_out(&mut self, gone: Membership) {
        let Some(moved) = self.topics.remove(gone.topic, gone.list, gone.at) else { return };
        let memberships = self.slots.at(moved).memberships.iter_mut();
        for m in memberships.filter(|m| m.topic == gone.topic && m.list == gone.list) {
            m.at = gone.at;
        }
    }

    /// How many groups a connection is in.
    pub(crate) fn groups(&mut self, key: SlotKey) -> usize {
        self.slots.get(key).map_or(0, |slot| slot.memberships.len())
    }

    /// Whether the connection still takes messages.
    pub(crate) fn is_open(&mut self, key: SlotKey) -> bool {
        self.slots.get(key).is_some_and(|slot| !slot.closing && slot.end.is_none())
    }

    /// Ready when the connection's identity has ended; for a handshake that is not answered yet.
    pub(crate) fn poll_session_ended(&mut self, key: SlotKey, cx: &mut Context<'_>) -> Poll<()> {
        let Some(slot) = self.slots.get(key) else { return Poll::Ready(()) };
        keep_waker(slot, cx);
        if slot.end == Some(End::SessionEnded) { Poll::Ready(()) } else { Poll::Pending }
    }

    /// Why the shard wants the connection ended, if it does.
    pub(crate) fn end_of(&mut self, key: SlotKey) -> Option<End> {
        self.slots.get(key)?.end
    }

    pub(crate) fn want_gaps(&mut self, key: SlotKey) {
        if let Some(slot) = self.slots.get(key) {
            slot.wants_gaps = true;
        }
    }

    /// What a session does next. Reading stops while the client does not read: its own messages wait in its
    /// kernel, not here.
    pub(crate) fn poll(&mut self, key: SlotKey, cx: &mut Context<'_>) -> Poll<Ready> {
        let now = self.wheel.now;
        let Some(slot) = self.slots.get(key) else { return Poll::Ready(Ready::End(End::Lost)) };
        slot.reading = false;
        poll_outbox(slot, cx, now);
        if let Some(end) = slot.end {
            return Poll::Ready(Ready::End(end));
        }
        if !slot.blocked {
            let mut buffer = self.read_buffer.take().unwrap_or_else(|| vec![0; Self::READ_BUFFER].into());
            let read = slot.socket.poll_read(cx, &mut buffer);
            if let Poll::Ready(Ok(filled @ 1..)) = read {
                slot.heard_at = now;
                return Poll::Ready(Ready::Bytes(buffer, filled));
            }
            self.read_buffer = Some(buffer);
            match read {
                Poll::Ready(Ok(_)) => return Poll::Ready(Ready::Eof),
                Poll::Ready(Err(_)) => return Poll::Ready(Ready::End(End::Lost)),
                Poll::Pending => {}
            }
        }
        if let Some(inbox) = &mut slot.inbox {
            if let Some(item) = inbox.pop() {
                return Poll::Ready(Ready::Inbox(item));
            }
            slot.inbox = None;
        }
        slot.reading = !slot.blocked;
        keep_waker(slot, cx);
        Poll::Pending
    }

    /// Goes on writing what waits while a handler runs; why the connection is to end, once it is.
    pub(crate) fn poll_aside(&mut self, key: SlotKey, cx: &mut Context<'_>) -> Option<End> {
        let now = self.wheel.now;
        let Some(slot) = self.slots.get(key) else { return Some(End::Lost) };
        poll_outbox(slot, cx, now);
        keep_waker(slot, cx);
        slot.end
    }

    /// Ready once everything up to the last frame is written, or cannot be.
    pub(crate) fn poll_drained(&mut self, key: SlotKey, cx: &mut Context<'_>) -> Poll<bool> {
        self.flush();
        let now = self.wheel.now;
        let Some(slot) = self.slots.get(key) else { return Poll::Ready(false) };
        if slot.end == Some(End::Lost) || matches!(slot.socket, Socket::Pending) {
            return Poll::Ready(false);
        }
        poll_outbox(slot, cx, now);
        keep_waker(slot, cx);
        if slot.end == Some(End::Lost) {
            return Poll::Ready(false);
        }
        if slot.blocked { Poll::Pending } else { Poll::Ready(true) }
    }

    /// Whether dropping the socket ends its stream in order; others have to say so in bytes.
    pub(crate) fn ends_when_dropped(&mut self, key: SlotKey) -> bool {
        self.slots.get(key).is_some_and(|slot| matches!(slot.socket, Socket::Tcp(_) | Socket::Unix(_)))
    }

    /// Ends our direction of the socket.
    pub(crate) fn poll_shutdown(&mut self, key: SlotKey, cx: &mut Context<'_>) -> Poll<()> {
        let Some(slot) = self.slots.get(key) else { return Poll::Ready(()) };
        slot.socket.poll_shutdown(cx).map(|_| ())
    }

    /// Reads whatever comes; `Ok(0)` at the end of the stream.
    pub(crate) fn poll_read(
        &mut self,
        key: SlotKey,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<std::io::Result<usize>> {
        let Some(slot) = self.slots.get(key) else { return Poll::Ready(Ok(0)) };
        keep_waker(slot, cx);
        slot.socket.poll_read(cx, buffer)
    }

    pub(crate) fn give_back(&mut self, buffer: Box<[u8]>) {
        self.read_buffer = Some(buffer);
    }

    /// The client sent a message: the idle clock starts anew.
    pub(crate) fn heard_message(&mut self, key: SlotKey) {
        let now = self.wheel.now;
        if let Some(slot) = self.slots.get(key) {
            slot.message_at = now;
        }
    }

    pub(super) fn live(&self) -> Vec<SlotKey> {
        self.slots.keys()
    }
}

fn keep_waker(slot: &mut Slot, cx: &Context<'_>) {
    if !slot.waker.as_ref().is_some_and(|w| w.will_wake(cx.waker())) {
        slot.waker = Some(cx.waker().clone());
    }
}

fn poll_outbox(slot: &mut Slot, cx: &mut Context<'_>, now: u32) {
    if !slot.blocked {
        return;
    }
    let mut idle = Outbox::default();
    let outbox = slot.outbox.as_deref_mut().unwrap_or(&mut idle);
    let before = outbox.bytes();
    let polled = match slot.socket {
        Socket::Pending => Poll::Pending,
        ref mut socket => outbox.poll_write(socket, cx),
    };
    if outbox.bytes() < before {
        slot.blocked_at = now;
    }
    match polled {
        Poll::Ready(Ok(())) => {
            slot.blocked = false;
            slot.outbox = None;
        }
        Poll::Ready(Err(_)) => lose(slot),
        Poll::Pending => {}
    }
}

/// The socket failed: nothing more goes out or comes in.
pub(super) fn lose(slot: &mut Slot) {
    slot.end = Some(End::Lost);
    slot.closing = true;
    slot.wake();
}
