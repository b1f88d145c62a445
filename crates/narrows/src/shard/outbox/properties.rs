//! Whatever is pushed and however little the socket takes: the wire carries whole frames in their order, and
//! every frame is accounted for.
//!
//! A property test and no loom model: only the shard's own thread ever touches an outbox.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::Waker;

use proptest::prelude::*;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::*;

/// A socket that takes so many bytes more, and remembers them.
#[derive(Clone, Default)]
struct Wire(Arc<Mutex<(usize, Vec<u8>)>>);

impl AsyncRead for Wire {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Poll::Pending
    }
}

impl AsyncWrite for Wire {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(bytes)])
    }
    fn poll_write_vectored(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let (room, wire) = &mut *self.0.lock().unwrap();
        let before = wire.len();
        for slice in slices {
            let taken = slice.len().min(*room);
            wire.extend_from_slice(&slice[..taken]);
            *room -= taken;
        }
        if wire.len() == before { Poll::Pending } else { Poll::Ready(Ok(wire.len() - before)) }
    }
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[derive(Debug, Clone)]
enum Step {
    Push { kind: FrameKind, key: u64, filling: usize },
    Write { room: usize },
    Clear,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let kind =
        prop_oneof![8 => Just(FrameKind::Data), 1 => Just(FrameKind::Ping), 1 => Just(FrameKind::Pong)];
    let push = (kind, 0..4u64, 0..20usize).prop_map(|(kind, key, filling)| Step::Push { kind, key, filling });
    let write = prop_oneof![Just(0), 1..12usize, 1..200usize].prop_map(|room| Step::Write { room });
    prop::collection::vec(prop_oneof![8 => push, 4 => write, 1 => Just(Step::Clear)], 1..60)
}

fn capacities() -> impl Strategy<Value = Capacity> {
    let policy = prop::sample::select(vec![
        Overflow::Close,
        Overflow::DropOldest,
        Overflow::DropNewest,
        Overflow::KeepLatest,
    ]);
    (1..6usize, 1..60usize, policy)
        .prop_map(|(m, b, p)| Capacity::default().max_messages(m).max_bytes(b).overflow(p))
}

/// A frame's bytes: its number, its length, and filling.
fn frame(number: u8, kind: FrameKind, key: u64, filling: usize) -> Frame {
    let mut bytes = vec![number; 2 + filling];
    bytes[1] = filling as u8;
    Frame { bytes: bytes.into(), key, kind }
}

/// The numbers of the frames on the wire, and how many bytes the last one still lacks.
fn read_wire(mut wire: &[u8]) -> (Vec<u8>, usize) {
    let mut numbers = Vec::new();
    while let [number, rest @ ..] = wire {
        numbers.push(*number);
        let Some((filling, rest)) = rest.split_first() else { return (numbers, usize::MAX) };
        let filling = usize::from(*filling);
        assert!(rest[..filling.min(rest.len())].iter().all(|b| b == number), "frames are mixed");
        if rest.len() < filling {
            return (numbers, filling - rest.len());
        }
        wire = &rest[filling..];
    }
    (numbers, 0)
}

/// What a reader of the documentation expects to wait: the simplest thing that could be right.
#[derive(Default)]
struct Expected {
    /// Frames of which nothing is on the wire.
    waiting: Vec<Frame>,
    numbers: Vec<u8>,
    dropped: usize,
}

impl Expected {
    fn remove(&mut self, is_it: impl Fn(&Frame) -> bool) -> bool {
        let Some(at) = self.waiting.iter().position(is_it) else { return false };
        self.waiting.remove(at);
        self.numbers.remove(at);
        true
    }

    fn messages(&self) -> usize {
        self.waiting.iter().filter(|f| f.kind == FrameKind::Data).count()
    }

    fn push(&mut self, number: u8, frame: &Frame, capacity: &Capacity, rest: usize) {
        let data = frame.kind == FrameKind::Data;
        if !data {
            self.remove(|f| f.kind == frame.kind);
        } else if capacity.overflow == Overflow::KeepLatest && frame.key != 0 {
            let same = |f: &Frame| f.kind == FrameKind::Data && f.key == frame.key;
            self.dropped += usize::from(self.remove(same));
        }
        let bytes =
            |e: &Self| rest + frame.bytes.len() + e.waiting.iter().map(|f| f.bytes.len()).sum::<usize>();
        while data
            && self.messages() > 0
            && (self.messages() >= capacity.max_messages || bytes(self) > capacity.max_bytes)
        {
            self.dropped += 1;
            if matches!(capacity.overflow, Overflow::Close | Overflow::DropNewest) {
                return;
            }
            self.remove(|f| f.kind == FrameKind::Data);
        }
        self.waiting.push(frame.clone());
        self.numbers.push(number);
    }
}

proptest! {
    #[test]
    fn the_wire_has_whole_frames_in_order_and_every_frame_is_accounted_for(
        capacity in capacities(),
        steps in steps(),
    ) {
        let wire = Wire::default();
        let mut socket = Socket::Other(Box::new(wire.clone()));
        let (mut outbox, mut expected) = (Outbox::default(), Expected::default());
        let (mut dropped, mut pushed) = (0, BTreeMap::new());
        for (step, number) in steps.into_iter().zip(0u8..) {
            match step {
                Step::Push { kind, key, filling } => {
                    let frame = frame(number, kind, key, filling);
                    pushed.insert(number, kind);
                    let waiting: usize = expected.waiting.iter().map(|f| f.bytes.len()).sum();
                    expected.push(number, &frame, &capacity, outbox.bytes() - waiting);
                    dropped += match outbox.push(frame, &capacity) {
                        Pushed::Stored => 0,
                        Pushed::MadeRoom { replaced, oldest } => replaced + oldest,
                        Pushed::Refused | Pushed::Full => 1,
                    };
                }
                Step::Write { room } => {
                    wire.0.lock().unwrap().0 = room;
                    let cx = &mut Context::from_waker(Waker::noop());
                    let done = outbox.poll_write(&mut socket, cx).is_ready();
                    prop_assert_eq!(done, outbox.queue.is_empty());
                    let (numbers, _) = read_wire(&wire.0.lock().unwrap().1);
                    while expected.numbers.first().is_some_and(|n| numbers.contains(n)) {
                        expected.numbers.remove(0);
                        expected.waiting.remove(0);
                    }
                }
                Step::Clear => {
                    let messages = expected.messages();
                    expected.dropped += messages;
                    dropped += outbox.clear();
                    expected.waiting.clear();
                    expected.numbers.clear();
                }
            }
            let begun = usize::from(outbox.started);
            let waiting: Vec<_> = outbox.queue.iter().skip(begun).map(|f| f.bytes.clone()).collect();
            prop_assert_eq!(&waiting, &expected.waiting.iter().map(|f| f.bytes.clone()).collect::<Vec<_>>());
            prop_assert_eq!(outbox.bytes(), outbox.queue.iter().map(|f| f.bytes.len()).sum::<usize>());
            prop_assert_eq!(outbox.waiting, expected.messages());
            prop_assert_eq!(dropped, expected.dropped);
            prop_assert!(outbox.waiting <= capacity.max_messages);
            let (numbers, missing) = read_wire(&wire.0.lock().unwrap().1);
            prop_assert!(numbers.is_sorted(), "frames changed places: {numbers:?}");
            prop_assert_eq!(missing > 0, outbox.started);
            let on_wire: BTreeSet<_> = numbers.iter().copied().collect();
            prop_assert_eq!(on_wire.len(), numbers.len(), "a frame was sent twice");
            let messages = |numbers: &mut dyn Iterator<Item = &u8>| {
                numbers.filter(|n| pushed[*n] == FrameKind::Data).count()
            };
            let all = messages(&mut pushed.keys());
            prop_assert_eq!(all, messages(&mut on_wire.iter()) + expected.messages() + dropped);
        }
    }
}
