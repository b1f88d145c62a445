use std::collections::HashMap;
use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout, timeout_at};

use super::suite::{Failure, fail};
use crate::{ChannelLayer, Gap, Inbound, LayerError, PayloadFormat, Position, Receive, Topic};

/// One layer under test, and what has arrived there.
pub(super) struct Node<L> {
    pub(super) layer: L,
    number: u32,
    arrived: Arc<Arrived>,
    patience: Duration,
    publishes: AtomicUsize,
}

/// Which message this is: the how-manyth of which publisher.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "type", rename = "conformance.mark")]
pub(super) struct Mark {
    pub(super) from: u32,
    pub(super) number: u32,
}

#[derive(Default)]
struct Arrived {
    seen: Mutex<Seen>,
    more: Notify,
}

#[derive(Default)]
struct Seen {
    messages: HashMap<Topic, Vec<Bytes>>,
    /// As many as messages.
    positions: HashMap<Topic, Vec<Option<Position>>>,
    gaps: usize,
}

impl<L: ChannelLayer> Node<L> {
    pub(super) fn start(layer: L, number: u32, patience: Duration) -> Self {
        let arrived = Arc::<Arrived>::default();
        layer.start(Inbound::new(Recorder(arrived.clone())));
        Self { layer, number, arrived, patience, publishes: AtomicUsize::new(0) }
    }

    pub(super) fn format(&self) -> PayloadFormat {
        self.layer.format()
    }

    pub(super) async fn subscribe(&self, topic: &Topic) -> Result<(), Failure> {
        self.answered("subscribe", topic, self.layer.subscribe(topic)).await
    }

    pub(super) async fn unsubscribe(&self, topic: &Topic) -> Result<(), Failure> {
        self.answered("unsubscribe", topic, self.layer.unsubscribe(topic)).await
    }

    pub(super) async fn publish(&self, topic: &Topic, payload: Bytes) -> Result<(), Failure> {
        // By turns in both ways, where the layer has both: they are to be one order.
        let turn = self.publishes.fetch_add(1, Ordering::Relaxed);
        let now = if turn.is_multiple_of(2) { self.layer.publish_now(topic, &payload) } else { None };
        match now {
            Some(published) => self.answered("publish_now", topic, std::future::ready(published)).await,
            None => self.answered("publish", topic, self.layer.publish(topic, payload)).await,
        }
    }

    pub(super) async fn publish_mark(&self, topic: &Topic, mark: Mark) -> Result<(), Failure> {
        self.publish(topic, mark.payload(self.format())).await
    }

    async fn answered(
        &self,
        call: &str,
        topic: &Topic,
        answer: impl Future<Output = Result<(), LayerError>>,
    ) -> Result<(), Failure> {
        match timeout(self.patience, answer).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => fail(format!("node {}: {call} of {topic} failed: {error}", self.number)),
            Err(_) => {
                fail(format!("node {}: {call} of {topic} did not answer in {:?}", self.number, self.patience))
            }
        }
    }

    /// Everything that has arrived for a topic, in order.
    pub(super) fn payloads(&self, topic: &Topic) -> Vec<Bytes> {
        self.arrived.seen().messages.get(topic).cloned().unwrap_or_default()
    }

    pub(super) fn marks(&self, topic: &Topic) -> Result<Vec<Mark>, Failure> {
        let seen = self.arrived.seen();
        let payloads = seen.messages.get(topic).into_iter().flatten();
        payloads.map(|payload| Mark::read(payload, self.format())).collect()
    }

    /// The same, each with the position with which it came.
    pub(super) fn arrivals(&self, topic: &Topic) -> Result<Vec<(Option<Position>, Mark)>, Failure> {
        let seen = self.arrived.seen();
        let payloads = seen.messages.get(topic).into_iter().flatten();
        let positions = seen.positions.get(topic).into_iter().flatten();
        positions.zip(payloads).map(|(at, payload)| Ok((*at, Mark::read(payload, self.format())?))).collect()
    }

    /// The topics for which anything has arrived.
    pub(super) fn topics(&self) -> Vec<Topic> {
        self.arrived.seen().messages.keys().cloned().collect()
    }

    /// Waits until at least so many messages have arrived for a topic.
    pub(super) async fn wait_for(&self, topic: &Topic, count: usize) -> Result<(), Failure> {
        let enough = |messages: &[Bytes]| messages.len() >= count;
        self.wait_until(topic, enough, |messages| format!("{} of {count} messages arrived", messages.len()))
            .await
    }

    /// Waits until these have arrived for a topic, among others.
    pub(super) async fn wait_for_marks(&self, topic: &Topic, marks: &[Mark]) -> Result<(), Failure> {
        let format = self.format();
        let missing = |messages: &[Bytes]| {
            let arrived: std::collections::HashSet<_> = messages.iter().cloned().collect();
            marks.iter().filter(|m| !arrived.contains(&m.payload(format))).copied().collect::<Vec<_>>()
        };
        let all = |messages: &[Bytes]| missing(messages).is_empty();
        self.wait_until(topic, all, |messages| format!("these are missing: {:?}", missing(messages))).await
    }

    async fn wait_until(
        &self,
        topic: &Topic,
        enough: impl Fn(&[Bytes]) -> bool,
        otherwise: impl FnOnce(&[Bytes]) -> String,
    ) -> Result<(), Failure> {
        let deadline = Instant::now() + self.patience;
        loop {
            // Made before the look, so that nothing slips in between.
            let more = self.arrived.more.notified();
            if enough(self.arrived.seen().messages.get(topic).map_or(&[], Vec::as_slice)) {
                return Ok(());
            }
            if timeout_at(deadline, more).await.is_err() {
                break;
            }
        }
        let seen = self.arrived.seen();
        let short = otherwise(seen.messages.get(topic).map_or(&[], Vec::as_slice));
        let (number, patience, gaps) = (self.number, self.patience, seen.gaps);
        fail(format!("node {number}, {topic}: {short} after {patience:?} ({gaps} gaps were announced)"))
    }
}

impl Mark {
    pub(super) fn payload(&self, format: PayloadFormat) -> Bytes {
        format.encode(self).expect("a mark is a map")
    }

    pub(super) fn read(payload: &Bytes, format: PayloadFormat) -> Result<Self, Failure> {
        let unreadable = |error| Failure(format!("{payload:?} arrived, which nobody published: {error}"));
        format.decode(payload).map_err(unreadable)
    }
}

impl Arrived {
    fn take_in(&self, topic: &Topic, payload: Bytes, position: Option<Position>) {
        let seen = &mut *self.seen();
        seen.messages.entry(topic.clone()).or_default().push(payload);
        seen.positions.entry(topic.clone()).or_default().push(position);
        self.more.notify_waiters();
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Recorder(Arc<Arrived>);

impl Receive for Recorder {
    fn deliver(&self, topic: &Topic, payload: Bytes) {
        self.0.take_in(topic, payload, None);
    }

    fn deliver_at(&self, topic: &Topic, payload: Bytes, position: Position) {
        self.0.take_in(topic, payload, Some(position));
    }

    fn gap(&self, _: Option<&Topic>, _: Gap) {
        self.0.seen().gaps += 1;
    }
}
