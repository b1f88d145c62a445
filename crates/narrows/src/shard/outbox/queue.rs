use std::collections::{HashMap, VecDeque};

use super::{Frame, FrameKind};

/// Frames in their order, of which one can be found by its key: at a cost that does not grow with their number.
///
/// What is taken out of the middle leaves a gap behind; the gaps go when they are more than the frames.
#[derive(Debug, Default)]
pub(super) struct Queue {
    places: VecDeque<Option<Frame>>,
    /// The number of the first place. Numbers go on rising, so that the index need not follow what leaves in front.
    first: u64,
    gaps: usize,
    /// The number of the message with a key. Only a policy that asks for keys makes one.
    #[expect(clippy::box_collection, reason = "8 bytes in every outbox in place of 48, for a rare policy")]
    by_key: Option<Box<HashMap<u64, u64>>>,
}

impl Queue {
    pub(super) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Never a gap, if there is anything.
    pub(super) fn front_mut(&mut self) -> Option<&mut Frame> {
        self.places.front_mut()?.as_mut()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Frame> {
        self.places.iter().flatten()
    }

    pub(super) fn push(&mut self, frame: Frame) {
        self.places.push_back(Some(frame));
    }

    pub(super) fn push_first(&mut self, frame: Frame) {
        self.places.push_front(Some(frame));
        for number in self.by_key.iter_mut().flat_map(|index| index.values_mut()) {
            *number += 1;
        }
    }

    /// Pushes a message that [`remove_key`](Self::remove_key) finds.
    pub(super) fn push_keyed(&mut self, frame: Frame) {
        let number = self.first + self.places.len() as u64;
        self.by_key.get_or_insert_default().insert(frame.key, number);
        self.push(frame);
    }

    pub(super) fn pop(&mut self) -> Option<Frame> {
        self.forget_first();
        let popped = self.places.pop_front().flatten();
        self.first += u64::from(popped.is_some());
        self.strip();
        popped
    }

    /// Lets nobody find the first frame by its key any more: a part of it is on the wire.
    pub(super) fn forget_first(&mut self) {
        let Some(index) = &mut self.by_key else { return };
        let Some(Some(frame)) = self.places.front() else { return };
        if index.get(&frame.key) == Some(&self.first) {
            index.remove(&frame.key);
        }
    }

    /// Takes out the message that was pushed with a key.
    pub(super) fn remove_key(&mut self, key: u64) -> Option<Frame> {
        let number = self.by_key.as_mut()?.remove(&key)?;
        let removed = self.places[(number - self.first) as usize].take();
        self.gap();
        removed
    }

    /// Takes out the first frame of a kind, the very first not counted if it is to be `kept`.
    pub(super) fn remove_first(&mut self, kind: FrameKind, kept: bool) -> Option<Frame> {
        if kept {
            self.strip_behind_first();
        }
        let is_it = |place: &Option<Frame>| place.as_ref().is_some_and(|frame| frame.kind == kind);
        let at = usize::from(kept) + self.places.iter().skip(usize::from(kept)).position(is_it)?;
        let removed = self.places[at].take();
        if let (Some(index), Some(frame)) = (&mut self.by_key, &removed)
            && index.get(&frame.key) == Some(&(self.first + at as u64))
        {
            index.remove(&frame.key);
        }
        self.gap();
        removed
    }

    /// A place has become empty.
    fn gap(&mut self) {
        self.gaps += 1;
        self.strip();
        if self.gaps > self.places.len() / 2 + 16 {
            self.close_gaps();
        }
    }

    fn strip(&mut self) {
        while let Some(None) = self.places.front() {
            self.places.pop_front();
            self.first += 1;
            self.gaps -= 1;
        }
    }

    /// Nobody is to pass the same gaps again and again on the way to the oldest message.
    fn strip_behind_first(&mut self) {
        if let Some(None) = self.places.get(1) {
            let first = self.places.pop_front();
            self.first += 1;
            self.strip();
            if let Some(first) = first {
                self.places.push_front(first);
                self.first -= 1;
            }
        }
    }

    fn close_gaps(&mut self) {
        let Some(index) = &mut self.by_key else {
            self.places.retain(Option::is_some);
            self.gaps = 0;
            return;
        };
        let mut number = self.first;
        let mut kept = VecDeque::with_capacity(self.places.len() - self.gaps);
        for (place, before) in self.places.drain(..).zip(self.first..) {
            let Some(frame) = place else { continue };
            if let Some(known) = index.get_mut(&frame.key)
                && *known == before
            {
                *known = number;
            }
            kept.push_back(Some(frame));
            number += 1;
        }
        self.places = kept;
        self.gaps = 0;
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn frame(key: u64) -> Frame {
        Frame { bytes: Bytes::from(key.to_string()), key, kind: FrameKind::Data }
    }

    fn keys(queue: &Queue) -> Vec<u64> {
        queue.iter().map(|frame| frame.key).collect()
    }

    #[test]
    fn gaps_do_not_outgrow_the_frames() {
        let mut queue = Queue::default();
        for key in 1..=100 {
            queue.push_keyed(frame(key));
        }
        // The same few again and again, behind many that stay.
        for round in 0..10_000 {
            let key = 91 + round % 10;
            assert_eq!(queue.remove_key(key).map(|frame| frame.key), Some(key));
            queue.push_keyed(frame(key));
            assert!(queue.places.len() <= 2 * 100 + 34, "{} places", queue.places.len());
        }
        assert_eq!(queue.iter().count(), 100);
        assert_eq!(queue.by_key.as_ref().unwrap().len(), 100);
        while queue.pop().is_some() {}
        assert!(queue.is_empty() && queue.by_key.unwrap().is_empty());
    }

    #[test]
    fn the_first_is_kept_while_those_behind_it_go() {
        let mut queue = Queue::default();
        for key in 1..=40 {
            queue.push_keyed(frame(key));
        }
        queue.forget_first();
        assert!(queue.remove_key(1).is_none());
        for key in 2..=10 {
            assert!(queue.remove_key(key).is_some());
        }
        assert_eq!(queue.remove_first(FrameKind::Data, true).map(|frame| frame.key), Some(11));
        assert_eq!(queue.places.iter().filter(|place| place.is_none()).count(), queue.gaps);
        assert_eq!(queue.remove_key(12).map(|frame| frame.key), Some(12));
        assert_eq!(keys(&queue)[..3], [1, 13, 14]);
        assert_eq!(queue.pop().map(|frame| frame.key), Some(1));
        assert_eq!(queue.remove_first(FrameKind::Data, false).map(|frame| frame.key), Some(13));
        assert_eq!(queue.remove_key(40).map(|frame| frame.key), Some(40));
        assert_eq!(keys(&queue), (14..40).collect::<Vec<_>>());
    }
}
