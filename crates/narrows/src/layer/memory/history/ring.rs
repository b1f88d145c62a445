use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use narrows_core::{History, HistoryFrom, HistoryRange, KeptPage, Position};
use tokio::time::Instant;

use super::ids::Ids;

/// How long a position is known that nobody asks for: longer than anybody comes back with one.
pub(super) const DAY: Duration = Duration::from_secs(24 * 3600);

/// The same for a group to which nothing was ever sent: whoever may join can make up names of groups.
pub(super) const HOUR: Duration = Duration::from_secs(3600);

/// The newest messages of one group. One without messages owns no heap.
#[derive(Debug)]
pub(super) struct Ring {
    epoch: u64,
    last: u64,
    /// When each message was published; the last of them has the offset `last`.
    messages: VecDeque<(Instant, Bytes)>,
    ttl: Duration,
    ids: Option<Box<Ids>>,
    used: Instant,
    /// For when the ring is noted among those with something to free.
    pub(super) noted: Option<Instant>,
}

impl Ring {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            epoch: rand::random(),
            last: 0,
            messages: VecDeque::new(),
            ttl: Duration::ZERO,
            ids: None,
            used: now,
            noted: None,
        }
    }

    pub(super) fn used(&mut self, now: Instant) {
        self.used = now;
    }

    /// Takes a message in, unless its id is known: then it says where that message stands.
    pub(super) fn append(
        &mut self,
        payload: &Bytes,
        history: History,
        id: Option<&str>,
        now: Instant,
    ) -> Result<Position, Position> {
        if let Some(offset) = id.and_then(|id| self.ids.as_deref_mut()?.known(id, now)) {
            return Err(self.at(offset));
        }
        self.ttl = history.ttl();
        self.last += 1;
        self.messages.push_back((now, payload.clone()));
        let size = history.size() as usize;
        if self.messages.len() > size {
            self.messages.drain(..self.messages.len() - size);
            // A publisher made the history much smaller.
            if self.messages.capacity() / 4 > size {
                self.messages.shrink_to_fit();
            }
        }
        self.drop_old(now);
        if let Some(id) = id {
            self.ids.get_or_insert_default().add(id, self.last, now);
        }
        Ok(self.at(self.last))
    }

    pub(super) fn read(&mut self, range: HistoryRange, now: Instant) -> KeptPage {
        self.drop_old(now);
        let (limit, first) = (range.limit as usize, self.first());
        let numbered = |from: usize, to: usize| {
            let messages = self.messages.range(from..to).zip(first + from as u64..);
            messages.map(|((_, payload), offset)| (offset, payload.clone())).collect()
        };
        let kept = self.messages.len();
        let (messages, complete) = match range.from {
            HistoryFrom::After(after) if after.epoch != self.epoch => (Vec::new(), false),
            HistoryFrom::After(after) => {
                let next = after.offset.saturating_add(1);
                let from = usize::try_from(next.saturating_sub(first)).unwrap_or(kept).min(kept);
                let complete = after.offset <= self.last && next >= first;
                (numbered(from, kept.min(from.saturating_add(limit))), complete)
            }
            HistoryFrom::Before(before) if before.epoch != self.epoch => (Vec::new(), true),
            backwards => {
                let to = match backwards {
                    HistoryFrom::Before(before) => {
                        usize::try_from(before.offset.saturating_sub(first)).unwrap_or(kept).min(kept)
                    }
                    _ => kept,
                };
                let from = to.saturating_sub(limit);
                (numbered(from, to), from == 0)
            }
        };
        KeptPage { top: self.at(self.last), messages, complete }
    }

    /// Frees what is over.
    pub(super) fn expire(&mut self, now: Instant) {
        self.drop_old(now);
        if self.messages.is_empty() {
            self.messages = VecDeque::new();
        }
        if let Some(ids) = &mut self.ids {
            ids.expire(now);
        }
        self.ids.take_if(|ids| ids.is_empty());
    }

    /// When something is over next.
    pub(super) fn due(&self, now: Instant) -> Instant {
        let message = self.messages.front().map(|(published, _)| *published + self.ttl);
        let id = self.ids.as_ref().and_then(|ids| ids.due());
        // Not twice in a row for what falls on one moment.
        let soonest = now + Duration::from_millis(500);
        message.into_iter().chain(id).fold(self.used + self.known_for(), Instant::min).max(soonest)
    }

    pub(super) fn is_forgotten(&self, now: Instant) -> bool {
        let kept = self.messages.back().is_some_and(|(published, _)| *published + self.ttl > now);
        self.used + self.known_for() <= now && !kept
    }

    fn known_for(&self) -> Duration {
        if self.last == 0 { HOUR } else { DAY }
    }

    fn drop_old(&mut self, now: Instant) {
        while self.messages.front().is_some_and(|(published, _)| *published + self.ttl <= now) {
            self.messages.pop_front();
        }
    }

    /// The offset of the first message that is kept; the next one's when there is none.
    fn first(&self) -> u64 {
        self.last + 1 - self.messages.len() as u64
    }

    fn at(&self, offset: u64) -> Position {
        Position { epoch: self.epoch, offset }
    }

    #[cfg(all(test, not(narrows_loom)))]
    pub(super) fn room(&self) -> usize {
        self.messages.capacity()
    }
}

#[cfg(all(test, not(narrows_loom)))]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn later(start: Instant, seconds: u64) -> Instant {
        start + Duration::from_secs(seconds)
    }

    proptest! {
        /// Against a list of all that was ever published, each with its time.
        #[test]
        fn a_ring_reads_as_a_list_of_everything_would(
            size in 1u32..8,
            ttl in 1u64..8,
            steps in prop::collection::vec(
                (0u64..4, prop_oneof![20 => 0u64..20, 1 => Just(u64::MAX)], 0u32..10, 0u8..3),
                1..60,
            ),
        ) {
            let start = Instant::now();
            let (mut ring, mut all, mut clock) = (Ring::new(start), Vec::new(), 0);
            let history = History::new(size, Duration::from_secs(ttl));
            for (pass, offset, limit, kind) in steps {
                clock += pass;
                let now = later(start, clock);
                if offset.is_multiple_of(2) {
                    all.push(clock);
                    let position = ring.append(&Bytes::from(all.len().to_string()), history, None, now);
                    prop_assert_eq!(position.map(|p| p.offset), Ok(all.len() as u64));
                }
                // By size first, as publishing evicts; then by time.
                let from_size = all.len().saturating_sub(size as usize);
                let kept: Vec<u64> = (1..).zip(&all).skip(from_size)
                    .filter(|(_, published)| **published + ttl > clock).map(|(n, _)| n).collect();
                let top = all.len() as u64;
                let at = ring.at(offset);
                let (range, expected, complete): (_, Vec<u64>, _) = match kind {
                    0 => (HistoryRange::after(at, limit),
                        kept.iter().copied().filter(|n| *n > offset).take(limit as usize).collect(),
                        offset <= top && kept.first().map_or(offset >= top, |first| offset + 1 >= *first)),
                    1 => {
                        let before: Vec<_> = kept.iter().copied().filter(|n| *n < offset).collect();
                        let skip = before.len().saturating_sub(limit as usize);
                        (HistoryRange::before(at, limit), before[skip..].to_vec(), skip == 0)
                    }
                    _ => {
                        let skip = kept.len().saturating_sub(limit as usize);
                        (HistoryRange::newest(limit), kept[skip..].to_vec(), skip == 0)
                    }
                };
                let page = ring.read(range, now);
                let texts: Vec<_> = expected.iter().map(|n| (*n, Bytes::from(n.to_string()))).collect();
                prop_assert_eq!(page.messages, texts);
                prop_assert_eq!((page.complete, page.top.offset), (complete, top));
            }
        }
    }
}
