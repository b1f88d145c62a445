//! The tick: frames get numbers, connections note the numbers due to them, one write each at the end.

use std::io;

use super::outbox::{Frame, FrameKind, Pushed};
use super::slot::{Due, End, Slot};
use super::socket::Sent;
use super::state::{State, lose};
use crate::stats::{Counters, DropReason};

/// A tick ends early at so many frames (their numbers are `u16`) or bytes: nothing grows without bound.
const MAX_FRAMES: usize = 60_000;
const MAX_FRAME_BYTES: usize = 4 << 20;

impl State {
    /// Makes a frame due to one connection.
    pub(super) fn push(&mut self, index: u32, frame: Frame) {
        let number = self.number(frame);
        self.due(index, number);
    }

    /// Makes one of this tick's frames due to one connection.
    pub(super) fn due(&mut self, index: u32, number: u16) {
        note(self.slots.at(index), index, number, &mut self.touched);
    }

    /// Makes a frame due to every member of one of a topic's lists.
    pub(super) fn spread(&mut self, topic: u64, list: usize, frame: Frame) {
        let is_message = frame.kind == FrameKind::Data;
        let number = self.number(frame);
        let Some((_, members)) = self.topics.get(topic).and_then(|lists| lists.relays.get(list)) else {
            return;
        };
        let mut lost = 0;
        for &index in members {
            let slot = self.slots.at(index);
            if slot.closing {
                lost += 1;
                continue;
            }
            note(slot, index, number, &mut self.touched);
        }
        if is_message {
            self.tally.deliver(members.len() - lost);
            self.counters.drop_of(DropReason::ConnectionEnded, lost);
        }
    }

    /// Gives a frame its number in this tick. It holds until the next call, which may end the tick.
    pub(super) fn number(&mut self, frame: Frame) -> u16 {
        if self.frames.len() >= MAX_FRAMES || self.frame_bytes >= MAX_FRAME_BYTES {
            self.flush();
        }
        if self.frames.is_empty()
            && let Some(ticker) = &self.ticker
        {
            ticker.wake_by_ref();
        }
        self.frame_bytes += frame.bytes.len();
        self.frames.push(frame);
        (self.frames.len() - 1) as u16
    }

    /// Ends the tick: writes to every touched connection what is due to it.
    pub(crate) fn flush(&mut self) {
        if self.frames.is_empty() {
            return;
        }
        let mut frames = std::mem::take(&mut self.frames);
        let mut touched = std::mem::take(&mut self.touched);
        // Neighbours in a group mostly have the same frames due: they share the joined bytes.
        let mut joined_numbers: Vec<u16> = Vec::new();
        let now = self.wheel.now;
        for &index in &touched {
            let slot = self.slots.at(index);
            slot.touched = false;
            if !slot.live || slot.due.is_empty() {
                continue;
            }
            let (bytes, sent) = if slot.blocked {
                (usize::MAX, Ok(Sent { bytes: 0, flushed: true }))
            } else if let Some(number) = slot.due.only() {
                let bytes = &frames[usize::from(number)].bytes;
                (bytes.len(), slot.socket.send(bytes))
            } else {
                if !slot.due.iter().eq(joined_numbers.iter().copied()) {
                    joined_numbers.clear();
                    joined_numbers.extend(slot.due.iter());
                    self.joined.clear();
                    for number in &joined_numbers {
                        self.joined.extend_from_slice(&frames[usize::from(*number)].bytes);
                    }
                }
                (self.joined.len(), slot.socket.send(&self.joined))
            };
            // Nearly always.
            if matches!(sent, Ok(Sent { bytes: sent, flushed: true }) if sent == bytes) {
                slot.due.clear();
                continue;
            }
            let unflushed = matches!(sent, Ok(Sent { flushed: false, .. }));
            let sent = match sent {
                Ok(sent) => sent.bytes,
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => 0,
                Err(_) => {
                    let lost = slot.due.iter().filter(|n| frames[usize::from(*n)].kind == FrameKind::Data);
                    self.counters.drop_of(DropReason::ConnectionEnded, lost.count());
                    slot.due.clear();
                    lose(slot);
                    continue;
                }
            };
            if unflushed {
                // Our bytes are taken but not on their way: the session sees to that.
                (slot.blocked, slot.blocked_at) = (true, now);
                slot.wake();
            }
            let due = std::mem::take(&mut slot.due);
            spill(slot, &due, &frames, sent, now, &self.counters);
        }
        touched.clear();
        frames.clear();
        self.frame_bytes = 0;
        // Kept for the next tick, unless an unusual one made them large.
        if frames.capacity() <= 4096 {
            self.frames = frames;
        }
        if touched.capacity() <= 65_536 {
            self.touched = touched;
        }
        if self.joined.capacity() > 1 << 20 {
            self.joined = Vec::new();
        }
    }
}

/// Notes that a frame is due to a connection, and that the end of the tick has to look at it.
fn note(slot: &mut Slot, index: u32, number: u16, touched: &mut Vec<u32>) {
    slot.due.push(number);
    if !slot.touched {
        slot.touched = true;
        touched.push(index);
    }
}

/// Moves what the socket did not take into the outbox, where the connection's policy decides.
fn spill(slot: &mut Slot, due: &Due, frames: &[Frame], mut sent: usize, now: u32, counters: &Counters) {
    for number in due.iter() {
        let frame = &frames[usize::from(number)];
        if sent >= frame.bytes.len() {
            sent -= frame.bytes.len();
            continue;
        }
        if !slot.blocked {
            slot.blocked = true;
            slot.blocked_at = now;
        }
        let waking = slot.outbox.is_none();
        let outbox = slot.outbox.get_or_insert_default();
        if sent > 0 {
            outbox.push_rest(Frame { bytes: frame.bytes.slice(sent..), ..frame.clone() });
            sent = 0;
        } else if slot.closing && frame.kind == FrameKind::Data && slot.end == Some(End::Slow) {
            counters.drop_of(DropReason::SlowConsumer, 1);
        } else {
            let settings = slot.settings.as_ref().expect("a live slot has settings");
            match outbox.push(frame.clone(), &settings.outbox) {
                Pushed::Stored => {}
                Pushed::MadeRoom { replaced, oldest } => {
                    counters.drop_of(DropReason::OutboxReplaced, replaced);
                    counters.drop_of(DropReason::OutboxOldest, oldest);
                }
                Pushed::Refused => counters.drop_of(DropReason::OutboxNewest, 1),
                Pushed::Full => {
                    let dropped = outbox.clear() + 1;
                    counters.drop_of(DropReason::SlowConsumer, dropped);
                    slot.finish(End::Slow);
                    slot.closing = true;
                }
            }
        }
        if waking {
            slot.wake();
        }
    }
}
