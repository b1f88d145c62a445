mod queue;

use std::io::{self, IoSlice};
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};

use self::queue::Queue;
use super::socket::Socket;
use crate::capacity::{Capacity, Overflow};

/// What a frame is to the outbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FrameKind {
    /// A message; the capacity and its overflow policy apply.
    Data,
    /// Only the newest of these waits: RFC 6455 (5.5.3) asks for an answer to the latest ping alone.
    Pong,
    Ping,
    /// What `narrows.v1` has to say: it waits for room like a message, by its bytes alone, but is never dropped.
    Control,
    /// The last frame there is.
    Close,
}

/// One encoded frame, ready for the wire.
#[derive(Debug, Clone)]
pub(crate) struct Frame {
    pub(crate) bytes: Bytes,
    /// See [`Consumer::overflow_key`](crate::Consumer::overflow_key); 0 for none.
    pub(crate) key: u64,
    pub(crate) kind: FrameKind,
}

/// What waits for a client whose socket is full. A connection owns one only then.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    queue: Queue,
    bytes: usize,
    /// Messages of which nothing is on the wire yet: those that the capacity counts.
    waiting: usize,
    /// Part of the first frame is on the wire; the rest must follow whatever happens.
    started: bool,
}

/// What became of a frame that was to wait.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Pushed {
    Stored,
    /// Stored in the place of these messages.
    MadeRoom {
        /// Of the same key; there is one at the most.
        replaced: usize,
        oldest: usize,
    },
    /// There is no room; the frame is not stored.
    Refused,
    /// As above, and the policy is to close the connection.
    Full,
}

impl Outbox {
    /// Takes the rest of a frame of which the socket has already taken a part.
    pub(super) fn push_rest(&mut self, frame: Frame) {
        debug_assert!(self.queue.is_empty());
        self.started = true;
        self.bytes += frame.bytes.len();
        self.queue.push(frame);
    }

    /// Puts a frame before all others; none of them has begun.
    pub(super) fn push_first(&mut self, frame: Frame) {
        debug_assert!(!self.started && frame.kind != FrameKind::Data);
        self.bytes += frame.bytes.len();
        self.queue.push_first(frame);
    }

    pub(super) fn push(&mut self, frame: Frame, capacity: &Capacity) -> Pushed {
        if frame.kind == FrameKind::Control {
            return self.push_control(frame, capacity);
        }
        if frame.kind != FrameKind::Data {
            if frame.kind != FrameKind::Close {
                self.remove_first(frame.kind);
            }
            self.store(frame, false);
            return Pushed::Stored;
        }
        let keyed = capacity.overflow == Overflow::KeepLatest && frame.key != 0;
        let replaced = usize::from(keyed && self.remove_key(frame.key));
        let mut oldest = 0;
        while !self.has_room(frame.bytes.len(), capacity) {
            match capacity.overflow {
                Overflow::Close => return Pushed::Full,
                Overflow::DropNewest => return Pushed::Refused,
                Overflow::DropOldest | Overflow::KeepLatest => {
                    if !self.remove_first(FrameKind::Data) {
                        break;
                    }
                    oldest += 1;
                }
            }
        }
        self.store(frame, keyed);
        if replaced + oldest == 0 { Pushed::Stored } else { Pushed::MadeRoom { replaced, oldest } }
    }

    fn push_control(&mut self, frame: Frame, capacity: &Capacity) -> Pushed {
        let mut oldest = 0;
        while self.bytes > 0 && self.bytes + frame.bytes.len() > capacity.max_bytes {
            if capacity.overflow == Overflow::Close || !self.remove_first(FrameKind::Data) {
                return Pushed::Full;
            }
            oldest += 1;
        }
        self.store(frame, false);
        if oldest == 0 { Pushed::Stored } else { Pushed::MadeRoom { replaced: 0, oldest } }
    }

    /// Drops every message that has not begun, for a connection that ends; gives their number.
    pub(super) fn clear(&mut self) -> usize {
        let begun = if self.started { self.queue.pop() } else { None };
        self.queue = Queue::default();
        self.bytes = 0;
        if let Some(begun) = begun {
            self.push_rest(begun);
        }
        std::mem::take(&mut self.waiting)
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The messages that the capacity counts.
    pub(super) fn waiting(&self) -> usize {
        self.waiting
    }

    pub(super) fn messages(&self) -> usize {
        self.queue.iter().filter(|f| f.kind == FrameKind::Data).count()
    }

    /// Writes until the socket is full or nothing is left.
    pub(super) fn poll_write(&mut self, socket: &mut Socket, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.queue.is_empty() {
            let mut slices = [IoSlice::new(&[]); 64];
            let mut count = 0;
            for (slice, frame) in slices.iter_mut().zip(self.queue.iter()) {
                *slice = IoSlice::new(&frame.bytes);
                count += 1;
            }
            match std::task::ready!(socket.poll_write_vectored(cx, &slices[..count]))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                written => self.advance(written),
            }
        }
        self.queue = Queue::default();
        socket.poll_flush(cx)
    }

    fn advance(&mut self, mut written: usize) {
        self.bytes -= written;
        while let Some(first) = self.queue.front_mut() {
            if written < first.bytes.len() {
                first.bytes.advance(written);
                if written > 0 && !self.started {
                    self.started = true;
                    self.waiting -= usize::from(first.kind == FrameKind::Data);
                    self.queue.forget_first();
                }
                return;
            }
            written -= first.bytes.len();
            self.waiting -= usize::from(first.kind == FrameKind::Data && !self.started);
            self.started = false;
            self.queue.pop();
        }
    }

    fn has_room(&self, bytes: usize, capacity: &Capacity) -> bool {
        self.waiting == 0
            || (self.waiting < capacity.max_messages && self.bytes + bytes <= capacity.max_bytes)
    }

    fn store(&mut self, frame: Frame, keyed: bool) {
        self.waiting += usize::from(frame.kind == FrameKind::Data);
        self.bytes += frame.bytes.len();
        if keyed {
            self.queue.push_keyed(frame);
        } else {
            self.queue.push(frame);
        }
    }

    fn remove_key(&mut self, key: u64) -> bool {
        let removed = self.queue.remove_key(key);
        self.removed(removed)
    }

    /// What is on the wire in part stays.
    fn remove_first(&mut self, kind: FrameKind) -> bool {
        let removed = self.queue.remove_first(kind, self.started);
        self.removed(removed)
    }

    fn removed(&mut self, frame: Option<Frame>) -> bool {
        let Some(frame) = frame else { return false };
        self.bytes -= frame.bytes.len();
        self.waiting -= usize::from(frame.kind == FrameKind::Data);
        true
    }
}

#[cfg(test)]
mod properties;

#[cfg(test)]
mod tests {
    use super::*;

    fn data(text: &'static str, key: u64) -> Frame {
        Frame { bytes: Bytes::from_static(text.as_bytes()), key, kind: FrameKind::Data }
    }

    fn texts(outbox: &Outbox) -> Vec<&str> {
        outbox.queue.iter().map(|f| std::str::from_utf8(&f.bytes).unwrap()).collect()
    }

    fn filled(policy: Overflow) -> (Outbox, Capacity) {
        let capacity = Capacity::default().max_messages(2).overflow(policy);
        let mut outbox = Outbox::default();
        for frame in [data("a", 1), data("b", 2)] {
            assert_eq!(outbox.push(frame, &capacity), Pushed::Stored);
        }
        (outbox, capacity)
    }

    #[test]
    fn each_policy_does_what_it_says_when_there_is_no_room() {
        let (mut outbox, capacity) = filled(Overflow::Close);
        assert_eq!(outbox.push(data("c", 3), &capacity), Pushed::Full);
        assert_eq!(texts(&outbox), ["a", "b"]);
        let (mut outbox, capacity) = filled(Overflow::DropNewest);
        assert_eq!(outbox.push(data("c", 3), &capacity), Pushed::Refused);
        assert_eq!(texts(&outbox), ["a", "b"]);
        let (mut outbox, capacity) = filled(Overflow::DropOldest);
        assert_eq!(outbox.push(data("c", 3), &capacity), Pushed::MadeRoom { replaced: 0, oldest: 1 });
        assert_eq!(texts(&outbox), ["b", "c"]);
        let (mut outbox, capacity) = filled(Overflow::KeepLatest);
        assert_eq!(outbox.push(data("B", 2), &capacity), Pushed::MadeRoom { replaced: 1, oldest: 0 });
        assert_eq!(texts(&outbox), ["a", "B"]);
        assert_eq!(outbox.push(data("c", 0), &capacity), Pushed::MadeRoom { replaced: 0, oldest: 1 });
        assert_eq!(texts(&outbox), ["B", "c"]);
    }

    #[test]
    fn a_frame_of_which_a_part_is_sent_is_never_dropped_or_replaced() {
        let capacity = Capacity::default().max_messages(1).overflow(Overflow::KeepLatest);
        let mut outbox = Outbox::default();
        outbox.push_rest(data("rest", 7));
        assert_eq!(outbox.push(data("x", 7), &capacity), Pushed::Stored);
        assert_eq!(outbox.push(data("y", 7), &capacity), Pushed::MadeRoom { replaced: 1, oldest: 0 });
        assert_eq!(texts(&outbox), ["rest", "y"]);
        assert_eq!(outbox.clear(), 1);
        assert_eq!((texts(&outbox), outbox.bytes), (vec!["rest"], 4));
    }

    #[test]
    fn bytes_are_bounded_too_but_one_large_message_passes() {
        let capacity = Capacity::default().max_bytes(4).overflow(Overflow::DropNewest);
        let mut outbox = Outbox::default();
        assert_eq!(outbox.push(data("large one", 0), &capacity), Pushed::Stored);
        assert_eq!(outbox.push(data("b", 0), &capacity), Pushed::Refused);
    }

    #[test]
    fn only_the_newest_pong_waits_and_the_policy_leaves_control_frames_alone() {
        let pong = |text: &'static str| Frame { kind: FrameKind::Pong, ..data(text, 0) };
        let (mut outbox, capacity) = filled(Overflow::Close);
        for text in ["1", "2", "3"] {
            assert_eq!(outbox.push(pong(text), &capacity), Pushed::Stored);
        }
        let close = Frame { kind: FrameKind::Close, ..data("close", 0) };
        assert_eq!(outbox.push(close, &capacity), Pushed::Stored);
        assert_eq!(texts(&outbox), ["a", "b", "3", "close"]);
    }

    #[test]
    fn a_control_frame_takes_no_place_from_a_message() {
        let ping = Frame { kind: FrameKind::Ping, ..data("ping", 0) };
        let capacity = Capacity::default().max_messages(1).max_bytes(8);
        let mut outbox = Outbox::default();
        assert_eq!(outbox.push(ping, &capacity), Pushed::Stored);
        assert_eq!(outbox.push(data("a large message", 0), &capacity), Pushed::Stored);
        assert_eq!(outbox.push(data("b", 0), &capacity), Pushed::Full);
    }

    #[test]
    fn a_frame_of_the_protocol_is_never_dropped_and_never_without_bound() {
        let control = |text: &'static str| Frame { kind: FrameKind::Control, ..data(text, 0) };
        for policy in [Overflow::DropNewest, Overflow::DropOldest, Overflow::KeepLatest] {
            let capacity = Capacity::default().max_messages(2).max_bytes(8).overflow(policy);
            let mut outbox = Outbox::default();
            outbox.push_first(control("hi"));
            assert_eq!(outbox.push(data("a", 0), &capacity), Pushed::Stored);
            assert_eq!(outbox.push(data("b", 0), &capacity), Pushed::Stored);
            assert_eq!(outbox.push(control("1234"), &capacity), Pushed::Stored);
            assert_eq!(outbox.push(control("5"), &capacity), Pushed::MadeRoom { replaced: 0, oldest: 1 });
            assert_eq!(texts(&outbox), ["hi", "b", "1234", "5"]);
            assert_eq!(outbox.push(control("12"), &capacity), Pushed::Full);
        }
        let (mut outbox, capacity) = filled(Overflow::Close);
        assert_eq!(outbox.push(control("1"), &capacity), Pushed::Stored);
        assert_eq!(outbox.push(control("12"), &capacity.max_bytes(4)), Pushed::Full);
    }

    #[test]
    fn a_message_that_replaces_one_and_displaces_another_counts_each_as_what_it_is() {
        let capacity = Capacity::default().max_bytes(4).overflow(Overflow::KeepLatest);
        let mut outbox = Outbox::default();
        for frame in [data("aa", 1), data("b", 2)] {
            assert_eq!(outbox.push(frame, &capacity), Pushed::Stored);
        }
        let pushed = outbox.push(data("BBB", 2), &capacity);
        assert_eq!(pushed, Pushed::MadeRoom { replaced: 1, oldest: 1 });
        assert_eq!(texts(&outbox), ["BBB"]);
    }
}
