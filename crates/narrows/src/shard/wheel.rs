use std::time::Duration;

use super::slot::SlotKey;

/// Calls every connection up now and then for its heartbeat, at the cost of one timer for the whole shard.
///
/// It counts its own ticks rather than the clock: a shard that was held up does not take its own silence for
/// that of its clients.
#[derive(Debug)]
pub(super) struct Wheel {
    buckets: Vec<Vec<SlotKey>>,
    pub(super) now: u32,
    pub(super) tick: Duration,
}

impl Wheel {
    const BUCKETS: u32 = 256;

    pub(super) fn new(tick: Duration) -> Self {
        Self { buckets: (0..Self::BUCKETS).map(|_| Vec::new()).collect(), now: 0, tick }
    }

    /// How many ticks make up at least this time.
    pub(super) fn ticks(&self, time: Duration) -> u32 {
        let ticks = time.as_nanos().div_ceil(self.tick.as_nanos().max(1));
        u32::try_from(ticks).unwrap_or(u32::MAX / 4).min(u32::MAX / 4)
    }

    /// Calls the connection up after so many ticks; sooner when that is further than one turn of the wheel.
    pub(super) fn insert(&mut self, key: SlotKey, after: u32) {
        let due = self.now.wrapping_add(after.clamp(1, Self::BUCKETS - 1));
        self.buckets[(due % Self::BUCKETS) as usize].push(key);
    }

    /// Moves on by one tick and gives those that are due.
    pub(super) fn advance(&mut self) -> Vec<SlotKey> {
        self.now = self.now.wrapping_add(1);
        std::mem::take(&mut self.buckets[(self.now % Self::BUCKETS) as usize])
    }
}
