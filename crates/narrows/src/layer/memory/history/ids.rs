use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};

use narrows_core::ONCE;
use tokio::time::Instant;

/// The ids of one group's messages, each known for [`ONCE`]: the newest [`Ids::MAX`] of them. With more than that in so
/// short a time, which is 54 a second, the oldest are forgotten early, and such a message that comes again is taken for a new one.
///
/// Only digests of 128 bits are kept, with keys of this process's own: no client can make two alike.
#[derive(Debug, Default)]
pub(super) struct Ids {
    keys: (RandomState, RandomState),
    offsets: HashMap<u128, u64>,
    order: VecDeque<(Instant, u128)>,
}

impl Ids {
    pub(super) const MAX: usize = 16_384;

    /// The offset of the message with this id.
    pub(super) fn known(&mut self, id: &str, now: Instant) -> Option<u64> {
        self.drop_old(now);
        self.offsets.get(&self.digest(id)).copied()
    }

    /// Notes an id that is not known.
    pub(super) fn add(&mut self, id: &str, offset: u64, now: Instant) {
        if self.order.len() >= Self::MAX {
            self.drop_oldest();
        }
        let digest = self.digest(id);
        self.offsets.insert(digest, offset);
        self.order.push_back((now, digest));
    }

    pub(super) fn expire(&mut self, now: Instant) {
        self.drop_old(now);
        if self.offsets.len() < self.offsets.capacity() / 4 {
            self.offsets.shrink_to_fit();
            self.order.shrink_to_fit();
        }
    }

    /// When the oldest is over.
    pub(super) fn due(&self) -> Option<Instant> {
        self.order.front().map(|(added, _)| *added + ONCE)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    fn drop_old(&mut self, now: Instant) {
        while self.due().is_some_and(|due| due <= now) {
            self.drop_oldest();
        }
    }

    fn drop_oldest(&mut self) {
        if let Some((_, digest)) = self.order.pop_front() {
            self.offsets.remove(&digest);
        }
    }

    fn digest(&self, id: &str) -> u128 {
        let (one, two) = &self.keys;
        u128::from(one.hash_one(id)) << 64 | u128::from(two.hash_one(id))
    }
}

#[cfg(all(test, not(narrows_loom)))]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn an_id_is_known_for_its_time_and_among_the_newest_only() {
        let (mut ids, start) = (Ids::default(), Instant::now());
        ids.add("a", 7, start);
        assert_eq!(ids.known("a", start + ONCE - Duration::from_millis(1)), Some(7));
        assert_eq!((ids.known("a", start + ONCE), ids.is_empty()), (None, true));
        for n in 0..=Ids::MAX as u64 {
            ids.add(&n.to_string(), n, start);
        }
        assert_eq!((ids.known("0", start), ids.known("1", start)), (None, Some(1)));
        assert_eq!((ids.order.len(), ids.offsets.len()), (Ids::MAX, Ids::MAX));
        ids.expire(start + ONCE);
        assert_eq!((ids.offsets.capacity(), ids.order.capacity()), (0, 0));
    }
}
