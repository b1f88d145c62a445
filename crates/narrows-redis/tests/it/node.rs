use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use narrows_core::{ChannelLayer, Gap, Inbound, LayerError, Message, Queue, Receive, Skipped, Topic};
use narrows_redis::RedisLayer;
use serde_json::Value;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout, timeout_at};

use crate::site::{PATIENCE, channel};

/// A node that writes down what arrives.
pub(crate) struct Node {
    pub(crate) layer: RedisLayer,
    arrived: Arc<Arrived>,
}

/// What a layer handed in, in its order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Arrival {
    Message(Topic, Bytes),
    Gap(Option<Topic>, Gap),
}

#[derive(Default)]
struct Arrived {
    seen: Mutex<Seen>,
    more: Notify,
    /// Whether who hands in is held up, and whether somebody is.
    held: Mutex<(bool, bool)>,
    freed: Condvar,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) arrivals: Vec<Arrival>,
    skipped: HashMap<Skipped, usize>,
}

impl Node {
    pub(crate) fn start(layer: RedisLayer) -> Self {
        let arrived = Arc::<Arrived>::default();
        layer.start(Inbound::new(Recorder(arrived.clone())));
        Self { layer, arrived }
    }

    pub(crate) async fn subscribe(&self, topic: &Topic) {
        answered("subscribe", self.layer.subscribe(topic)).await.unwrap();
    }

    pub(crate) async fn unsubscribe(&self, topic: &Topic) {
        answered("unsubscribe", self.layer.unsubscribe(topic)).await.unwrap();
    }

    pub(crate) fn new_channel(&self) -> String {
        self.layer.new_channel()
    }

    /// The part that a node's channels have in common on the core layer, up to and including the `!`.
    pub(crate) fn process(&self) -> String {
        self.new_channel().split_inclusive('!').next().unwrap().to_owned()
    }

    /// A channel of its own, subscribed.
    pub(crate) async fn own_channel(&self) -> Topic {
        let channel = channel(&self.new_channel());
        self.subscribe(&channel).await;
        channel
    }

    pub(crate) fn layer_has_queues(&self) -> bool {
        matches!(self.layer, RedisLayer::Core(_))
    }

    pub(crate) fn open(&self, topic: &Topic) -> Queue {
        self.layer.open(topic).expect("the core layer has queues")
    }

    pub(crate) async fn publish(&self, topic: &Topic, message: &impl Message) {
        self.try_publish(topic, message).await.unwrap();
    }

    pub(crate) async fn try_publish(&self, topic: &Topic, message: &impl Message) -> Result<(), LayerError> {
        let payload = self.layer.format().encode(message).unwrap();
        answered("publish", self.layer.publish(topic, payload)).await
    }

    /// Waits until so many messages have come for a topic; gives all that have.
    pub(crate) async fn payloads(&self, topic: &Topic, count: usize) -> Vec<Bytes> {
        let what = format!("{count} messages for {topic}");
        let seen = self.wait_until(&what, |seen| seen.of(topic).count() >= count).await;
        seen.of(topic).cloned().collect()
    }

    /// The same, read.
    pub(crate) async fn messages(&self, topic: &Topic, count: usize) -> Vec<Value> {
        self.payloads(topic, count).await.iter().map(|payload| self.read(payload)).collect()
    }

    pub(crate) fn read(&self, payload: &[u8]) -> Value {
        self.layer.format().decode(payload).unwrap()
    }

    pub(crate) fn seen(&self) -> Seen {
        self.arrived.seen().clone()
    }

    pub(crate) fn skipped(&self, why: Skipped) -> usize {
        self.arrived.seen().skipped(why)
    }

    pub(crate) async fn wait_for_skipped(&self, why: Skipped, count: usize) {
        self.wait_until(&format!("{count} skipped as {why:?}"), |seen| seen.skipped(why) >= count).await;
        assert_eq!(self.skipped(why), count, "skipped as {why:?}");
    }

    pub(crate) async fn wait_until(&self, what: &str, enough: impl Fn(&Seen) -> bool) -> Seen {
        let deadline = Instant::now() + PATIENCE;
        loop {
            // Made before the look, so that nothing slips in between.
            let more = self.arrived.more.notified();
            if enough(&self.arrived.seen()) {
                return self.seen();
            }
            if timeout_at(deadline, more).await.is_err() {
                let Seen { arrivals, skipped } = self.seen();
                let last = &arrivals[arrivals.len().saturating_sub(5)..];
                panic!(
                    "{what}: not within {PATIENCE:?}; {} arrivals, {skipped:?} skipped, at last {last:?}",
                    arrivals.len()
                );
            }
        }
    }

    /// Holds the layer up when it hands in the next message: it takes nothing more from Redis until
    /// [`go_on`](Self::go_on).
    pub(crate) fn hold(&self) {
        self.arrived.held().0 = true;
    }

    /// Waits until a message has come, with which the layer is held up now.
    pub(crate) fn wait_until_held(&self) {
        rig::wait_until("a message that holds the layer up", || self.arrived.held().1);
    }

    pub(crate) fn go_on(&self) {
        *self.arrived.held() = (false, false);
        self.arrived.freed.notify_all();
    }
}

/// A call that answers in time.
pub(crate) async fn answered<T>(call: &str, answer: impl Future<Output = T>) -> T {
    match timeout(PATIENCE, answer).await {
        Ok(answer) => answer,
        Err(_) => panic!("{call} did not answer within {PATIENCE:?}"),
    }
}

impl Seen {
    fn of(&self, topic: &Topic) -> impl Iterator<Item = &Bytes> {
        self.arrivals.iter().filter_map(move |arrival| match arrival {
            Arrival::Message(of, payload) if of == topic => Some(payload),
            _ => None,
        })
    }

    pub(crate) fn gaps(&self) -> Vec<(Option<Topic>, Gap)> {
        let gap = |arrival: &Arrival| match arrival {
            Arrival::Gap(topic, gap) => Some((topic.clone(), *gap)),
            Arrival::Message(..) => None,
        };
        self.arrivals.iter().filter_map(gap).collect()
    }

    pub(crate) fn skipped(&self, why: Skipped) -> usize {
        self.skipped.get(&why).copied().unwrap_or(0)
    }
}

impl Arrived {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn held(&self) -> MutexGuard<'_, (bool, bool)> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Recorder(Arc<Arrived>);

impl Receive for Recorder {
    fn deliver(&self, topic: &Topic, payload: Bytes) {
        let mut held = self.0.held();
        while held.0 {
            held.1 = true;
            held = self.0.freed.wait(held).unwrap_or_else(PoisonError::into_inner);
        }
        drop(held);
        self.0.seen().arrivals.push(Arrival::Message(topic.clone(), payload));
        self.0.more.notify_waiters();
    }

    fn gap(&self, topic: Option<&Topic>, gap: Gap) {
        self.0.seen().arrivals.push(Arrival::Gap(topic.cloned(), gap));
        self.0.more.notify_waiters();
    }

    fn skipped(&self, why: Skipped, count: usize) {
        *self.0.seen().skipped.entry(why).or_default() += count;
        self.0.more.notify_waiters();
    }
}
