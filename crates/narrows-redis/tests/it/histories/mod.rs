//! Histories in Redis: what stands there, what it needs, what Django processes see of it, and what becomes of it when
//! servers, networks and keys fail. What every layer promises of them is in the conformance suite.

mod clusters;
mod django;
mod junk;
mod keys;
mod limits;
mod restarts;
mod rights;
mod streams;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use narrows_core::{
    ChannelLayer, Gap, History, HistoryRange, HistoryStore, Inbound, KeptPage, LayerError, Position, Receive,
    Skipped, Topic,
};
use narrows_redis::{Kind, PayloadFormat, RedisLayer, RedisOptions};
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::nodes::{PATIENCE, in_time, options};

pub(crate) const LONG: Duration = Duration::from_secs(3600);

/// What histories need of Redis on both layers, as docs/deploying.md lists it.
pub(crate) const RIGHTS: &[&str] = &[
    "evalsha",
    "script|load",
    "info",
    "time",
    "get",
    "set",
    "exists",
    "del",
    "xadd",
    "xrange",
    "xrevrange",
    "pexpire",
];

/// A node that notes what arrives with its position.
pub(crate) struct Keeper {
    pub(crate) layer: RedisLayer,
    pub(crate) store: HistoryStore,
    heard: Arc<Heard>,
}

/// A number and where it stood.
pub(crate) type Arrival = (u64, Option<Position>);

#[derive(Default)]
struct Heard {
    arrivals: Mutex<Vec<Arrival>>,
    skipped: Mutex<Vec<Skipped>>,
    more: Notify,
}

impl Keeper {
    pub(crate) fn at(kind: Kind, url: &str) -> Self {
        Self::new(kind, options(url))
    }

    pub(crate) fn new(kind: Kind, options: RedisOptions) -> Self {
        let layer = RedisLayer::new(kind, options).expect("the options are right");
        let heard = Arc::<Heard>::default();
        layer.start(Inbound::new(Recorder(heard.clone(), layer.format())));
        let store = layer.history().expect("it keeps histories");
        Self { layer, store, heard }
    }

    pub(crate) async fn subscribe(&self, group: &Topic) {
        in_time(self.layer.subscribe(group)).await.expect("redis is there");
    }

    pub(crate) async fn publish(&self, group: &Topic, number: u64) -> Position {
        self.try_publish(group, number).await.expect("redis is there")
    }

    pub(crate) async fn try_publish(&self, group: &Topic, number: u64) -> Result<Position, LayerError> {
        self.publish_as(group, &json!({"type": "number", "number": number}), History::new(100, LONG), None)
            .await
    }

    pub(crate) async fn publish_as(
        &self,
        group: &Topic,
        message: &Value,
        history: History,
        id: Option<&str>,
    ) -> Result<Position, LayerError> {
        let payload = self.layer.format().encode(message).expect("it is a map");
        in_time(self.store.publish(group, payload, history, id)).await
    }

    pub(crate) async fn try_read(&self, group: &Topic, range: HistoryRange) -> Result<KeptPage, LayerError> {
        in_time(self.store.read(group, range)).await
    }

    pub(crate) async fn read(&self, group: &Topic, range: HistoryRange) -> KeptPage {
        self.try_read(group, range).await.expect("redis is there")
    }

    /// The numbers that are kept, with their offsets.
    pub(crate) async fn kept(&self, group: &Topic) -> Vec<(u64, u64)> {
        let page = self.read(group, HistoryRange::newest(1000)).await;
        let number = |payload: &Bytes| number(self.layer.format(), payload).expect("it is a number");
        page.messages.iter().map(|(offset, payload)| (*offset, number(payload))).collect()
    }

    /// Waits until so many have arrived, and gives all.
    pub(crate) async fn arrivals(&self, count: usize) -> Vec<Arrival> {
        let waited = timeout(PATIENCE, async {
            loop {
                let more = self.heard.more.notified();
                let arrivals = lock(&self.heard.arrivals).clone();
                if arrivals.len() >= count {
                    break arrivals;
                }
                more.await;
            }
        });
        waited.await.unwrap_or_else(|_| panic!("only {:?}", lock(&self.heard.arrivals)))
    }

    pub(crate) fn skipped(&self) -> Vec<Skipped> {
        lock(&self.heard.skipped).clone()
    }
}

fn number(format: PayloadFormat, payload: &[u8]) -> Option<u64> {
    format.decode::<Value>(payload).ok()?.get("number")?.as_u64()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Recorder(Arc<Heard>, PayloadFormat);

impl Recorder {
    fn note(&self, payload: &[u8], at: Option<Position>) {
        if let Some(number) = number(self.1, payload) {
            lock(&self.0.arrivals).push((number, at));
            self.0.more.notify_waiters();
        }
    }
}

impl Receive for Recorder {
    fn deliver(&self, _: &Topic, payload: Bytes) {
        self.note(&payload, None);
    }

    fn deliver_at(&self, _: &Topic, payload: Bytes, position: Position) {
        self.note(&payload, Some(position));
    }

    fn gap(&self, _: Option<&Topic>, _: Gap) {}

    fn skipped(&self, why: Skipped, count: usize) {
        lock(&self.0.skipped).extend(std::iter::repeat_n(why, count));
    }
}

/// The keys of a group's position and of its messages, of those of both layers.
pub(crate) fn keys_of(kind: Kind, group: &Topic) -> [String; 2] {
    let name = group.name();
    match kind {
        Kind::PubSub => ["position", "history"].map(|what| format!("asgi__{what}__{{asgi__group__{name}}}")),
        Kind::Core => ["position", "history"].map(|what| format!("asgi:{what}:{name}")),
    }
}
