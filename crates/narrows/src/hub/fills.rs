use std::collections::VecDeque;
use std::sync::Weak;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use narrows_core::{HistoryRange, HistoryStore, KeptPage, Position, Topic};
use tokio::time::{Instant, sleep, timeout};

use super::registry::Members;
use super::seat::SEATS;
use super::track::{Out, Track};
use super::{Delivery, Hub};
use crate::shard::Mail;
use crate::sync::{Arc, Mutex, lock};

/// The topics with a history of which messages are or may be missing here, for the few workers that read them from the
/// store. However many there are, no more than [`Fills::WORKERS`] reads are on their way at once.
#[derive(Default)]
pub(super) struct Fills(Mutex<Queue>);

#[derive(Default)]
struct Queue {
    topics: VecDeque<Fill>,
    workers: usize,
    /// When it was looked at last for what waits for too long.
    looked_at: Option<Instant>,
}

/// What is missing of one topic.
#[derive(Clone)]
struct Fill {
    topic: Topic,
    id: u64,
}

/// What the next step is.
enum Next {
    Done,
    Again,
    /// The store could not be asked.
    Later,
}

impl Fills {
    /// Takes in what is to be done; `true` when the caller is to start a worker, which counts from now on.
    fn push(&self, fill: Fill, urgent: bool) -> bool {
        let mut queue = lock(&self.0);
        if urgent {
            queue.topics.push_front(fill);
        } else {
            queue.topics.push_back(fill);
        }
        let starts = queue.workers < Self::WORKERS;
        queue.workers += usize::from(starts);
        starts
    }

    /// What a worker does next. With nothing to do it counts no longer, from the same moment on.
    fn next(&self) -> Option<Fill> {
        let mut queue = lock(&self.0);
        let next = queue.topics.pop_front();
        queue.workers -= usize::from(next.is_none());
        next
    }

    /// Counts out a worker that ends early. The last one is given what nobody else will do.
    fn abandon(&self) -> VecDeque<Fill> {
        let mut queue = lock(&self.0);
        queue.workers -= 1;
        if queue.workers == 0 { std::mem::take(&mut queue.topics) } else { VecDeque::new() }
    }

    /// All that wait for a worker, to look at the time; not twice in a second.
    fn look(&self) -> Vec<Fill> {
        let (mut queue, now) = (lock(&self.0), Instant::now());
        if queue.looked_at.is_some_and(|looked_at| now < looked_at + Self::LOOK) {
            return Vec::new();
        }
        queue.looked_at = Some(now);
        queue.topics.iter().cloned().collect()
    }

    const WORKERS: usize = if cfg!(narrows_loom) { 1 } else { 8 };
    /// How many messages are read at once.
    const PAGE: u32 = 256;
    /// A store answers in this time, whatever it promised.
    const READ_TIMEOUT: Duration = Duration::from_secs(10);
    /// So long messages wait for a store that is away; then what is missing before them counts as lost.
    const GIVE_UP: Duration = Duration::from_secs(30);
    const LOOK: Duration = Duration::from_secs(1);
    const BACKOFF: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(3));
}

impl Hub {
    /// The histories of the layer's groups, where it keeps any.
    pub(crate) fn history(&self) -> Option<&HistoryStore> {
        self.history.as_ref()
    }

    /// Where a topic with a history stands here, unless messages of it are or may be missing.
    pub(crate) fn position(&self, topic: &Topic) -> Option<Position> {
        let mut position = None;
        self.registry.with(topic, |members| {
            position = members.track.as_deref().filter(|track| track.is_whole()).map(Track::last);
        });
        position
    }

    /// Tells the hub the newest position, read by a member of the topic on this shard. The shard is told where the topic
    /// stands: all that is behind that position is older.
    pub(crate) fn settle(self: &Arc<Self>, topic: &Topic, shard: u16, top: Option<Position>) {
        let mut asks = None;
        self.registry.with(topic, |members| {
            let Some(top) = top.or_else(|| members.track.as_deref().map(Track::last)) else { return };
            let track = members.track.get_or_insert_with(|| Box::new(Track::new(top)));
            let last = track.last();
            if (last.epoch != top.epoch || last.offset < top.offset) && track.suspect() {
                asks = Some(members.id);
            }
            if let Some(shard) = self.started_shards().get(usize::from(shard)) {
                shard.post(Mail::Settle(topic.clone(), members.id, last));
            }
        });
        if let Some(id) = asks {
            self.fill(topic.clone(), id, false);
        }
    }

    pub(super) fn deliver_at(self: &Arc<Self>, topic: &Topic, payload: Bytes, position: Position) {
        let mut missing = None;
        self.registry.with(topic, |members| {
            if self.history.is_none() {
                return self.hand_out(topic, &members, Out::Message(Some(position), payload));
            }
            // What came before the first message is not known here, and nobody was promised it.
            let before = Position { offset: position.offset.saturating_sub(1), ..position };
            let mut track = members.track.take().unwrap_or_else(|| Box::new(Track::new(before)));
            if track.arrived(position, payload, |out| self.hand_out(topic, &members, out)) {
                missing = Some(members.id);
            }
            *members.track = Some(track);
        });
        if let Some(id) = missing {
            self.fill(topic.clone(), id, true);
        }
    }

    /// Takes a message without a position of a topic that has a track.
    pub(super) fn deliver_between(&self, topic: &Topic, members: &mut Members<'_>, payload: Bytes) {
        let Some(mut track) = members.track.take() else { return };
        track.arrived_plain(payload, |out| self.hand_out(topic, members, out));
        *members.track = Some(track);
    }

    /// Has the store asked about one topic, or about all with a history: messages of them may be missing.
    pub(super) fn suspect(self: &Arc<Self>, topic: Option<&Topic>) {
        if self.history.is_none() {
            return;
        }
        let mut suspects = Vec::new();
        let mut suspect = |topic: &Topic, id, track: &mut Track| {
            if track.suspect() {
                suspects.push((topic.clone(), id));
            }
        };
        match topic {
            None => self.registry.each_track(suspect),
            Some(topic) => self.registry.with(topic, |members| {
                if let Some(track) = members.track {
                    suspect(topic, members.id, track);
                }
            }),
        }
        for (topic, id) in suspects {
            self.fill(topic, id, false);
        }
    }

    /// Hands on what a track gives out, under the lock of its topic.
    fn hand_out(&self, topic: &Topic, members: &Members<'_>, out: Out) {
        let (position, payload) = match out {
            Out::Message(position, payload) => (position, payload),
            Out::Refilled(position, payload) => {
                self.counters.refilled.fetch_add(1, Ordering::Relaxed);
                (Some(position), payload)
            }
            Out::Lost(at) => return self.lost(topic, members, at),
        };
        let delivery = match position {
            None => Delivery::new(members.id, payload, self.format),
            Some(position) => Delivery::at(members.id, topic, position, payload, self.format),
        };
        self.spread(&Arc::new(delivery), members.shards);
    }

    fn lost(&self, topic: &Topic, members: &Members<'_>, at: Position) {
        self.counters.unrecovered.fetch_add(1, Ordering::Relaxed);
        tracing::warn!(%topic, %at, "messages of a history are lost");
        for &(shard, _) in members.shards {
            match shard {
                SEATS => self.seats.gap(Some(members.id)),
                _ => {
                    self.started_shards()[usize::from(shard)].post(Mail::Lost(topic.clone(), members.id, at));
                }
            }
        }
    }

    /// Has a worker read what is missing; in front of those of which nobody waits for more.
    fn fill(self: &Arc<Self>, topic: Topic, id: u64, urgent: bool) {
        let turn = (id % 64) as usize;
        if !self.fills.push(Fill { topic, id }, urgent) {
            return;
        }
        let (worker, shards) =
            (Worker { hub: Arc::downgrade(self), busy: true, fill: None }, self.started_shards());
        let shard = shards.get(turn % shards.len().max(1));
        match shard {
            Some(shard) => shard.spawn_task(worker.run()),
            None => match tokio::runtime::Handle::try_current() {
                Ok(runtime) => drop(runtime.spawn(worker.run())),
                // It gives up what it was to do.
                Err(_) => drop(worker),
            },
        }
    }

    /// One step of filling a topic.
    async fn refill(&self, fill: &Fill) -> Next {
        let (Some(after), Some(store)) = (self.missing_after(fill), &self.history) else { return Next::Done };
        let read = store.read(&fill.topic, HistoryRange::after(after, Fills::PAGE));
        match timeout(Fills::READ_TIMEOUT, read).await {
            Ok(Ok(page)) => {
                return if self.filled(fill, after, page) { Next::Again } else { Next::Done };
            }
            Ok(Err(error)) => tracing::debug!(topic = %fill.topic, %error, "a history was not read"),
            Err(_) => tracing::debug!(topic = %fill.topic, "a history was not read in time"),
        }
        // Others have waited meanwhile; their turn may be far.
        for fill in self.fills.look().iter().chain([fill]) {
            self.give_up_late(fill);
        }
        Next::Later
    }

    /// From where on to read; `None` when nothing is missing any more, or nobody is there to miss it.
    fn missing_after(&self, fill: &Fill) -> Option<Position> {
        let mut after = None;
        self.registry.with(&fill.topic, |members| {
            let track = members.track.as_deref_mut().filter(|_| members.id == fill.id);
            after = track.and_then(Track::ask);
        });
        after
    }

    fn filled(&self, fill: &Fill, after: Position, page: KeptPage) -> bool {
        // A page may be shorter than it could be, and not the last one.
        let full = page.messages.last().is_some_and(|(last, _)| *last < page.top.offset);
        let mut again = false;
        self.with_track(fill, |track, members| {
            again = track.filled(after, page, full, |out| self.hand_out(&fill.topic, members, out));
        });
        again
    }

    /// Where messages have waited for long enough, they go on. Where none wait, asking on costs nobody anything.
    fn give_up_late(&self, fill: &Fill) {
        self.with_track(fill, |track, members| {
            if track.waits_since().is_some_and(|since| since.elapsed() >= Fills::GIVE_UP) {
                track.give_up(|out| self.hand_out(&fill.topic, members, out));
            }
        });
    }

    fn abandon(&self, fill: &Fill) {
        self.with_track(fill, |track, members| {
            track.abandon(|out| self.hand_out(&fill.topic, members, out));
        });
    }

    fn with_track(&self, fill: &Fill, work: impl FnOnce(&mut Track, &Members<'_>)) {
        self.registry.with(&fill.topic, |members| {
            if members.id == fill.id
                && let Some(mut track) = members.track.take()
            {
                work(&mut track, &members);
                *members.track = Some(track);
            }
        });
    }
}

/// Reads what is missing, one topic after another. It holds the hub only while it reads.
struct Worker {
    hub: Weak<Hub>,
    /// It counts among those at work.
    busy: bool,
    fill: Option<Fill>,
}

impl Worker {
    async fn run(mut self) {
        let mut backoff = Fills::BACKOFF.0;
        while let Some(hub) = self.hub.upgrade() {
            let Some(fill) = self.next(&hub) else { break };
            let next = hub.refill(fill).await;
            if matches!(next, Next::Done) {
                self.fill = None;
            }
            if !matches!(next, Next::Later) {
                backoff = Fills::BACKOFF.0;
                continue;
            }
            // Others may have more luck: it is the store that is away, or this one topic.
            lock(&hub.fills.0).topics.extend(self.fill.take());
            drop(hub);
            sleep(backoff).await;
            backoff = (backoff * 2).min(Fills::BACKOFF.1);
        }
    }

    /// What to do next; nothing, and then this worker counts no longer.
    fn next(&mut self, hub: &Hub) -> Option<&Fill> {
        if self.fill.is_none() {
            self.fill = hub.fills.next();
            self.busy = self.fill.is_some();
        }
        self.fill.as_ref()
    }
}

impl Drop for Worker {
    /// Its runtime ended before its work: nothing is to wait forever for what nobody reads any more.
    fn drop(&mut self) {
        let Some(hub) = self.hub.upgrade().filter(|_| self.busy) else { return };
        for fill in hub.fills.abandon().into_iter().chain(self.fill.take()) {
            hub.abandon(&fill);
        }
    }
}

#[cfg(all(test, narrows_loom))]
impl Fills {
    /// Has one topic looked into as a hub would, with the worker's work done here; how many topics it looked into.
    pub(super) fn look_into(&self, topic: &Topic) -> usize {
        if !self.push(Fill { topic: topic.clone(), id: 0 }, false) {
            return 0;
        }
        std::iter::from_fn(|| self.next()).count()
    }

    pub(super) fn is_at_rest(&self) -> bool {
        let queue = lock(&self.0);
        queue.workers == 0 && queue.topics.is_empty()
    }
}
