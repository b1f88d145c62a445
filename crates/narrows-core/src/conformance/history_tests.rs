//! The checks of histories pass a layer that keeps them as promised, and each way to break that is caught by its check.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use super::{Failure, Suite};
use crate::{
    ChannelLayer, History, HistoryFrom, HistoryRange, HistoryStore, Inbound, KeepHistory, Kept, KeptPage,
    LayerError, Position, Topic,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    SkipsOffsets,
    HandsInUnordered,
    HandsInWithoutPosition,
    KeepsPlainMessages,
    KeepsTooMany,
    KeepsForever,
    ForgetsThePosition,
    BeginsAnewForEachReader,
    OneEpochForAll,
    CountsPagesWrong,
    PagesFromTheWrongEnd,
    BelievesAnyEpoch,
    BelievesAnyPosition,
    ForgetsIds,
    MixesIds,
    HalfPublishes,
}

#[derive(Default)]
struct Ring {
    epoch: u64,
    last: u64,
    messages: Vec<(u64, Instant, Bytes)>,
    ttl: Duration,
    ids: HashMap<String, u64>,
}

struct Bus {
    fault: Fault,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    nodes: Vec<(HashSet<Topic>, Inbound)>,
    rings: HashMap<Topic, Ring>,
    epochs: u64,
    late: Option<(Topic, Bytes, Position)>,
}

#[derive(Clone)]
struct Layer {
    bus: Arc<Bus>,
    node: usize,
}

impl State {
    fn ring(&mut self, topic: &Topic, fault: Fault) -> &mut Ring {
        self.epochs += 1;
        let epoch = if fault == Fault::OneEpochForAll { 7 } else { self.epochs };
        let fresh = || Ring { epoch, ..Ring::default() };
        let ring = self.rings.entry(topic.clone()).or_insert_with(fresh);
        let (now, ttl) = (Instant::now(), ring.ttl);
        if fault != Fault::KeepsForever {
            ring.messages.retain(|(_, published, _)| *published + ttl > now);
        }
        if fault == Fault::ForgetsThePosition && ring.last > 0 && ring.messages.is_empty()
            || fault == Fault::BeginsAnewForEachReader && ring.last == 0
        {
            *ring = fresh();
        }
        ring
    }

    fn hand_in(&self, topic: &Topic, payload: &Bytes, position: Option<Position>) {
        for (_, inbound) in self.nodes.iter().filter(|(topics, _)| topics.contains(topic)) {
            match position {
                None => inbound.deliver(topic, payload.clone()),
                Some(position) => inbound.deliver_at(topic, payload.clone(), position),
            }
        }
    }
}

impl Bus {
    fn append(&self, topic: &Topic, payload: &Bytes, history: History, id: Option<&str>) -> Position {
        let (fault, mut state) = (self.fault, self.state.lock().unwrap());
        let ring = if fault == Fault::MixesIds { Topic::group("all".into()) } else { topic.clone() };
        let of_ids = state.ring(&ring, fault);
        let known = id.and_then(|id| of_ids.ids.get(id)).copied();
        let ring = state.ring(topic, fault);
        if let Some(offset) = known
            && fault != Fault::ForgetsIds
        {
            return Position { epoch: ring.epoch, offset };
        }
        ring.last += if fault == Fault::SkipsOffsets && ring.last % 10 == 9 { 2 } else { 1 };
        ring.ttl = history.ttl();
        let position = Position { epoch: ring.epoch, offset: ring.last };
        ring.messages.push((ring.last, Instant::now(), payload.clone()));
        let spare = ring.messages.len().saturating_sub(history.size() as usize);
        ring.messages.drain(..spare.saturating_sub(usize::from(fault == Fault::KeepsTooMany)));
        if let Some(id) = id {
            let topic = if fault == Fault::MixesIds { Topic::group("all".into()) } else { topic.clone() };
            state.ring(&topic, fault).ids.insert(id.to_owned(), position.offset);
        }
        match fault {
            Fault::HandsInWithoutPosition => state.hand_in(topic, payload, None),
            Fault::HandsInUnordered if state.late.is_none() && position.offset % 10 == 5 => {
                state.late = Some((topic.clone(), payload.clone(), position));
            }
            _ => state.hand_in(topic, payload, Some(position)),
        }
        if position.offset % 10 != 5
            && let Some((topic, payload, position)) = state.late.take()
        {
            state.hand_in(&topic, &payload, Some(position));
        }
        position
    }

    fn page(&self, topic: &Topic, range: HistoryRange) -> KeptPage {
        let (fault, mut state) = (self.fault, self.state.lock().unwrap());
        let ring = state.ring(topic, fault);
        let (top, limit) = (Position { epoch: ring.epoch, offset: ring.last }, range.limit as usize);
        let kept: Vec<_> =
            ring.messages.iter().map(|(offset, _, payload)| (*offset, payload.clone())).collect();
        let first = kept.first().map_or(ring.last + 1, |(offset, _)| *offset);
        let ours = |at: Position| at.epoch == ring.epoch || fault == Fault::BelievesAnyEpoch;
        let (messages, complete) = match range.from {
            HistoryFrom::After(at) => {
                let inside = at.offset.saturating_add(1) >= first && at.offset <= ring.last;
                let after = kept.into_iter().filter(|(offset, _)| *offset > at.offset);
                (after.take(limit).collect(), ours(at) && (inside || fault == Fault::BelievesAnyPosition))
            }
            from => {
                let before = match from {
                    HistoryFrom::Before(at) if ours(at) => at.offset,
                    HistoryFrom::Before(_) => 0,
                    _ => u64::MAX,
                };
                let mut older: Vec<_> = kept.into_iter().filter(|(offset, _)| *offset < before).collect();
                let spare = older.len().saturating_sub(limit);
                let rest = if fault == Fault::PagesFromTheWrongEnd {
                    older.truncate(limit);
                    older
                } else {
                    older.split_off(spare)
                };
                (rest, spare == 0 || fault == Fault::CountsPagesWrong)
            }
        };
        KeptPage { top, messages, complete }
    }
}

impl KeepHistory for Layer {
    fn publish<'a>(
        &'a self,
        group: &'a Topic,
        payload: Bytes,
        history: History,
        id: Option<&'a str>,
    ) -> Kept<'a, Position> {
        Box::pin(async move {
            if self.bus.fault == Fault::HalfPublishes {
                self.bus.state.lock().unwrap().ring(group, Fault::None).last += 1;
                tokio::task::yield_now().await;
                self.bus.state.lock().unwrap().ring(group, Fault::None).last -= 1;
            }
            Ok(self.bus.append(group, &payload, history, id))
        })
    }

    fn publish_now(
        &self,
        group: &Topic,
        payload: &Bytes,
        history: History,
        id: Option<&str>,
    ) -> Option<Result<Position, LayerError>> {
        (self.bus.fault != Fault::HalfPublishes).then(|| Ok(self.bus.append(group, payload, history, id)))
    }

    fn read<'a>(&'a self, group: &'a Topic, range: HistoryRange) -> Kept<'a, KeptPage> {
        Box::pin(async move { Ok(self.bus.page(group, range)) })
    }
}

impl ChannelLayer for Layer {
    fn start(&self, inbound: Inbound) {
        self.bus.state.lock().unwrap().nodes.push((HashSet::new(), inbound));
    }
    async fn subscribe(&self, topic: &Topic) -> Result<(), LayerError> {
        self.bus.state.lock().unwrap().nodes[self.node].0.insert(topic.clone());
        Ok(())
    }
    async fn unsubscribe(&self, topic: &Topic) -> Result<(), LayerError> {
        self.bus.state.lock().unwrap().nodes[self.node].0.remove(topic);
        Ok(())
    }
    async fn publish(&self, topic: &Topic, payload: Bytes) -> Result<(), LayerError> {
        if self.bus.fault == Fault::KeepsPlainMessages {
            self.bus.append(topic, &payload, History::new(100, Duration::from_secs(60)), None);
        } else {
            self.bus.state.lock().unwrap().hand_in(topic, &payload, None);
        }
        Ok(())
    }
    fn new_channel(&self) -> String {
        unreachable!("no check of histories asks for one")
    }
    fn history(&self) -> Option<HistoryStore> {
        Some(HistoryStore::new(self.clone()))
    }
}

/// The names of the checks that a layer with this fault does not pass.
async fn failed(fault: Fault) -> Vec<&'static str> {
    let nodes = async move |count| {
        let bus = Arc::new(Bus { fault, state: Mutex::default() });
        (0..count).map(|node| Layer { bus: bus.clone(), node }).collect::<Vec<_>>()
    };
    let suite = Suite::new(nodes).patience(Duration::from_secs(2));
    let results: Vec<(_, Result<(), Failure>)> = vec![
        ("one order", suite.a_history_is_one_order_without_holes_on_all_nodes().await),
        ("plain", suite.plain_messages_come_in_between_and_are_not_kept().await),
        ("newest", suite.a_history_keeps_the_newest_messages_only().await),
        ("time", suite.a_history_keeps_messages_for_their_time().await),
        ("pages", suite.a_history_is_read_in_pages_both_ways().await),
        ("missing", suite.a_history_says_when_messages_are_missing().await),
        ("unknown", suite.an_unknown_history_says_where_it_will_begin().await),
        ("ids", suite.an_id_is_published_once().await),
        ("dropped", suite.dropped_publishes_leave_no_hole_in_a_history().await),
    ];
    results.into_iter().filter(|(_, result)| result.is_err()).map(|(check, _)| check).collect()
}

#[tokio::test(start_paused = true)]
async fn each_fault_of_a_history_is_caught_by_the_check_of_its_promise() {
    assert_eq!(failed(Fault::None).await, [""; 0]);
    for (fault, check) in [
        (Fault::SkipsOffsets, "one order"),
        (Fault::HandsInUnordered, "one order"),
        (Fault::HandsInWithoutPosition, "one order"),
        (Fault::KeepsPlainMessages, "plain"),
        (Fault::KeepsTooMany, "newest"),
        (Fault::KeepsForever, "time"),
        (Fault::ForgetsThePosition, "time"),
        (Fault::BeginsAnewForEachReader, "unknown"),
        (Fault::OneEpochForAll, "unknown"),
        (Fault::CountsPagesWrong, "pages"),
        (Fault::PagesFromTheWrongEnd, "pages"),
        (Fault::BelievesAnyEpoch, "missing"),
        (Fault::BelievesAnyPosition, "missing"),
        (Fault::ForgetsIds, "ids"),
        (Fault::MixesIds, "ids"),
        (Fault::HalfPublishes, "dropped"),
    ] {
        let failed = failed(fault).await;
        assert!(failed.contains(&check), "{fault:?} failed {failed:?}");
    }
}
