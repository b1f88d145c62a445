mod ids;
mod ring;
mod sweep;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::future::ready;
use std::sync::mpsc;

use bytes::Bytes;
use narrows_core::{History, HistoryRange, Kept, KeptPage, LayerError, Position, Topic};
use tokio::time::Instant;

use self::ring::Ring;
pub(super) use self::sweep::Sweeper;
use super::{Bus, Part};
use crate::sync::Arc;

/// The histories of all groups on a bus; its nodes share them, as they share the order of messages.
pub(super) struct MemoryHistory(pub(super) Arc<Bus>);

impl narrows_core::KeepHistory for MemoryHistory {
    fn publish<'a>(
        &'a self,
        group: &'a Topic,
        payload: Bytes,
        history: History,
        id: Option<&'a str>,
    ) -> Kept<'a, Position> {
        Box::pin(ready(Ok(self.append(group, &payload, history, id))))
    }

    fn publish_now(
        &self,
        group: &Topic,
        payload: &Bytes,
        history: History,
        id: Option<&str>,
    ) -> Option<Result<Position, LayerError>> {
        Some(Ok(self.append(group, payload, history, id)))
    }

    fn read<'a>(&'a self, group: &'a Topic, range: HistoryRange) -> Kept<'a, KeptPage> {
        let now = Instant::now();
        let (mut part, _) = self.0.topics.of(group);
        let Part { nodes, histories, .. } = &mut *part;
        let page = histories.of(group, now, || nodes.contains_key(group)).read(range, now);
        histories.note_due(group, now);
        self.wake_sweeper(&part);
        drop(part);
        Box::pin(ready(Ok(page)))
    }
}

impl MemoryHistory {
    /// One step under the part's lock: the position, the place in the history, and all nodes in the topic's order.
    fn append(&self, group: &Topic, payload: &Bytes, history: History, id: Option<&str>) -> Position {
        let now = Instant::now();
        let (mut part, _) = self.0.topics.of(group);
        let Part { nodes, histories, .. } = &mut *part;
        let ring = histories.of(group, now, || nodes.contains_key(group));
        let position = match ring.append(payload, history, id, now) {
            Ok(position) => position,
            Err(known) => return known,
        };
        for (_, inbound) in nodes.get(group).into_iter().flatten() {
            inbound.deliver_at(group, payload.clone(), position);
        }
        histories.note_due(group, now);
        self.wake_sweeper(&part);
        position
    }

    fn wake_sweeper(&self, part: &Part) {
        if !part.histories.is_empty() {
            self.0.sweeper.start(&self.0);
        }
    }
}

/// The histories of the groups in one part of the bus.
#[derive(Debug, Default)]
pub(super) struct Histories {
    rings: HashMap<Topic, Ring>,
    /// When each of them has something to free, at the latest: one entry a ring, mostly.
    due: BinaryHeap<Reverse<(Instant, Due)>>,
}

/// Compared by nothing: the heap goes by time.
#[derive(Debug)]
struct Due(Topic);

impl PartialEq for Due {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Due {}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Due {
    fn cmp(&self, _: &Self) -> std::cmp::Ordering {
        std::cmp::Ordering::Equal
    }
}

impl Histories {
    /// So many entries more than twice the rings are no matter.
    const STALE: usize = 64;

    pub(super) fn is_empty(&self) -> bool {
        self.rings.is_empty()
    }

    /// A group's history; a new one where there is none, or where its position is to be forgotten by now: not while the group
    /// has members.
    fn of(&mut self, group: &Topic, now: Instant, has_members: impl FnOnce() -> bool) -> &mut Ring {
        let ring = self.rings.entry(group.clone()).or_insert_with(|| Ring::new(now));
        if ring.is_forgotten(now) && !has_members() {
            let noted = ring.noted;
            *ring = Ring::new(now);
            // Its entry among those that are due stays.
            ring.noted = noted;
        }
        ring.used(now);
        ring
    }

    /// The last member on a node left the group.
    pub(super) fn left(&mut self, group: &Topic) {
        if let Some(ring) = self.rings.get_mut(group) {
            ring.used(Instant::now());
        }
    }

    /// Makes sure that a ring which was used is looked at when it has something to free.
    fn note_due(&mut self, group: &Topic, now: Instant) {
        if let Some(ring) = self.rings.get_mut(group)
            && let due = ring.due(now)
            && ring.noted.is_none_or(|noted| due < noted)
        {
            ring.noted = Some(due);
            self.due.push(Reverse((due, Due(group.clone()))));
        }
    }

    /// Frees what is over by now.
    fn sweep(&mut self, now: Instant, has_members: impl Fn(&Topic) -> bool) {
        while self.due.peek().is_some_and(|Reverse((due, _))| *due <= now) {
            let Some(Reverse((due, Due(group)))) = self.due.pop() else { break };
            // Of several entries of one ring the newest counts.
            let Some(ring) = self.rings.get_mut(&group).filter(|ring| ring.noted == Some(due)) else {
                continue;
            };
            if ring.is_forgotten(now) {
                if !has_members(&group) {
                    self.rings.remove(&group);
                    continue;
                }
                ring.used(now);
            }
            ring.expire(now);
            let due = ring.due(now);
            ring.noted = Some(due);
            self.due.push(Reverse((due, Due(group))));
        }
        // A group that is used now and then leaves an entry for the day after each time.
        if self.due.len() > 2 * self.rings.len() + Self::STALE {
            let rings = &self.rings;
            self.due.retain(|Reverse((due, Due(group)))| {
                rings.get(group).is_some_and(|ring| ring.noted == Some(*due))
            });
        }
        if self.rings.len() < self.rings.capacity() / 4 {
            self.rings.shrink_to(self.rings.len() * 2);
            self.due.shrink_to(self.due.len() * 2);
        }
    }

    fn next_due(&self) -> Option<Instant> {
        self.due.peek().map(|Reverse((due, _))| *due)
    }
}

/// Tells the sweeper that the bus has ended: the other end is dropped with it.
type Ended = mpsc::Sender<()>;

#[cfg(all(test, not(narrows_loom)))]
mod tests {
    use std::time::Duration;

    use narrows_core::Group;

    use super::*;

    fn topic(name: &str) -> Topic {
        Group::<()>::new(name).expect("the name is legal").topic()
    }

    fn publish(histories: &mut Histories, group: &Topic, ttl: u64, now: Instant) -> Position {
        let history = History::new(10, Duration::from_secs(ttl));
        let position = histories
            .of(group, now, || false)
            .append(&Bytes::from_static(b"x"), history, None, now)
            .expect("it has no id");
        histories.note_due(group, now);
        position
    }

    #[test]
    fn rooms_used_once_give_their_memory_back_and_are_forgotten_after_a_day() {
        let (mut histories, start) = (Histories::default(), Instant::now());
        for n in 0..100_000 {
            publish(&mut histories, &topic(&format!("room.{n}")), 60, start);
        }
        let messages = |h: &Histories| h.rings.values().map(Ring::room).sum::<usize>();
        assert!(messages(&histories) >= 100_000);
        histories.sweep(start + Duration::from_secs(61), |_| false);
        assert_eq!((messages(&histories), histories.rings.len(), histories.due.len()), (0, 100_000, 100_000));
        histories.sweep(start + ring::DAY + Duration::from_secs(61), |_| false);
        assert!(histories.is_empty() && histories.due.is_empty());
        assert!(histories.rings.capacity() + histories.due.capacity() < 1000);
    }

    #[test]
    fn a_shorter_time_than_before_is_noted_and_costs_no_second_entry_for_long() {
        let (mut histories, start, room) = (Histories::default(), Instant::now(), topic("room"));
        let later = |seconds| start + Duration::from_secs(seconds);
        publish(&mut histories, &room, 3600, start);
        publish(&mut histories, &room, 5, later(1));
        histories.sweep(later(7), |_| false);
        assert_eq!(histories.rings[&room].room(), 0, "the last publisher's time counts for all");
        histories.sweep(later(4000), |_| false);
        assert_eq!(histories.due.len(), 1);
    }

    #[test]
    fn a_group_to_which_nothing_was_sent_is_forgotten_soon_once_nobody_is_in_it() {
        let (mut histories, start, room) = (Histories::default(), Instant::now(), topic("room"));
        let later = |minutes: u64| start + Duration::from_secs(60 * minutes);
        let top = histories.of(&room, start, || true).read(HistoryRange::newest(0), start).top;
        histories.note_due(&room, start);
        for minutes in [61, 122, 183] {
            histories.sweep(later(minutes), |group| *group == room);
        }
        assert_eq!(histories.of(&room, later(200), || false).read(HistoryRange::newest(0), start).top, top);
        histories.sweep(later(259), |_| false);
        assert_eq!(histories.rings.len(), 1);
        histories.sweep(later(261), |_| false);
        assert!(histories.is_empty() && histories.due.is_empty());
    }

    #[test]
    fn a_group_that_is_quiet_now_and_then_has_a_few_entries_at_the_most() {
        let (mut histories, start) = (Histories::default(), Instant::now());
        for n in 0..1000 {
            publish(&mut histories, &topic("room"), 1, start + Duration::from_secs(3 * n));
            histories.sweep(start + Duration::from_secs(3 * n + 2), |_| false);
        }
        assert!(histories.due.len() < 100, "{}", histories.due.len());
    }

    #[test]
    fn a_group_that_was_away_for_a_day_begins_anew_without_a_sweep() {
        let (mut histories, start, room) = (Histories::default(), Instant::now(), topic("room"));
        let first = publish(&mut histories, &room, 60, start);
        let second = publish(&mut histories, &room, 60, start + ring::DAY - Duration::from_secs(1));
        assert_eq!((second.epoch, second.offset), (first.epoch, 2));
        assert!(
            histories.of(&room, start + 3 * ring::DAY, || true).read(HistoryRange::newest(0), start).top
                == second
        );
        let third = publish(&mut histories, &room, 60, start + 5 * ring::DAY);
        assert!(third.epoch != first.epoch && third.offset == 1);
    }
}
