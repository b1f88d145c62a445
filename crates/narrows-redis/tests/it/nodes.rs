//! What the tests of connections and faults share: nodes that are a layer and nothing else, which note all they are
//! handed.

use std::collections::HashMap;
use std::fmt::Debug;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use narrows_core::{ChannelLayer, Gap, Group, Inbound, LayerError, Receive, Skipped, Topic};
use narrows_redis::{Kind, RedisLayer, RedisOptions, parse_hosts};
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;
use tokio::time::timeout;

/// A test for each of the two layers, out of a function that takes the kind.
macro_rules! on_both_layers {
    ($($name:ident),* $(,)?) => {
        $(
            mod $name {
                use narrows_redis::Kind;

                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn pubsub() {
                    super::$name(Kind::PubSub).await;
                }

                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn core() {
                    super::$name(Kind::Core).await;
                }
            }
        )*
    };
}
pub(crate) use on_both_layers;

/// How long anything is waited for before a test is given up.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) const ANSWER: Duration = Duration::from_secs(1);

pub(crate) const HEALTH: Duration = Duration::from_millis(500);

/// A call that is to end in [`ANSWER`] has done so, however busy the machine is.
pub(crate) const IN_TIME: Duration = Duration::from_secs(5);

/// As a site has them, with shorter times.
pub(crate) fn options(url: &str) -> RedisOptions {
    RedisOptions::several(parse_hosts(url).expect("it is a URL"))
        .answer_timeout(ANSWER)
        .connect_timeout(Duration::from_secs(1))
        .health_interval(HEALTH)
}

/// A group that nothing else uses.
pub(crate) fn fresh_group() -> Topic {
    Group::<()>::new(fresh_name()).expect("the name is legal").topic()
}

pub(crate) fn fresh_name() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("test.{}.{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

/// A layer that has been started.
pub(crate) struct Node {
    pub(crate) layer: RedisLayer,
    heard: Arc<Heard>,
}

/// All that a layer handed in.
#[derive(Debug, Default)]
pub(crate) struct Record {
    pub(crate) numbers: Vec<(Topic, u64)>,
    pub(crate) gaps: Vec<(Option<Topic>, Gap)>,
    pub(crate) skipped: HashMap<Skipped, usize>,
}

#[derive(Default)]
struct Heard {
    record: Mutex<Record>,
    more: Notify,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "type", rename = "number")]
struct Message {
    number: u64,
}

impl Node {
    pub(crate) fn new(kind: Kind, options: RedisOptions) -> Self {
        let layer = RedisLayer::new(kind, options).expect("the options are right");
        let heard = Arc::<Heard>::default();
        layer.start(Inbound::new(Recorder(heard.clone(), layer.format())));
        Self { layer, heard }
    }

    pub(crate) fn at(kind: Kind, url: &str) -> Self {
        Self::new(kind, options(url))
    }

    pub(crate) async fn subscribe(&self, topic: &Topic) -> Result<(), LayerError> {
        in_time(self.layer.subscribe(topic)).await
    }

    pub(crate) async fn unsubscribe(&self, topic: &Topic) -> Result<(), LayerError> {
        in_time(self.layer.unsubscribe(topic)).await
    }

    pub(crate) async fn publish(&self, topic: &Topic, number: u64) -> Result<(), LayerError> {
        let payload = self.layer.format().encode(&Message { number }).expect("it is a map");
        self.publish_bytes(topic, payload).await
    }

    pub(crate) async fn publish_bytes(&self, topic: &Topic, payload: Bytes) -> Result<(), LayerError> {
        in_time(self.layer.publish(topic, payload)).await
    }

    /// Publishes until it is taken.
    pub(crate) async fn publish_at_last(&self, topic: &Topic, number: u64) {
        at_last("publishing", async || self.publish(topic, number).await).await;
    }

    pub(crate) async fn subscribe_at_last(&self, topic: &Topic) {
        at_last("subscribing", async || self.subscribe(topic).await).await;
    }

    /// The numbers that came for a topic.
    pub(crate) fn numbers(&self, topic: &Topic) -> Vec<u64> {
        self.record().numbers_of(topic)
    }

    pub(crate) fn gaps(&self) -> usize {
        self.record().gaps.len()
    }

    /// Waits until this number has come for a topic.
    pub(crate) async fn hears(&self, topic: &Topic, number: u64) {
        let what = format!("number {number} of {topic}");
        self.until(&what, |record| record.numbers_of(topic).contains(&number)).await;
    }

    pub(crate) async fn gaps_reach(&self, count: usize) {
        self.until(&format!("gap {count}"), |record| record.gaps.len() >= count).await;
    }

    pub(crate) async fn until(&self, what: &str, holds: impl Fn(&Record) -> bool) {
        let waited = timeout(PATIENCE, async {
            loop {
                let more = self.heard.more.notified();
                if holds(&self.record()) {
                    break;
                }
                more.await;
            }
        });
        if waited.await.is_err() {
            panic!("{what}: not within {PATIENCE:?}, only {:?}", self.record());
        }
    }

    pub(crate) fn record(&self) -> MutexGuard<'_, Record> {
        self.heard.record()
    }
}

impl Record {
    fn numbers_of(&self, topic: &Topic) -> Vec<u64> {
        self.numbers.iter().filter(|(of, _)| of == topic).map(|(_, number)| *number).collect()
    }

    pub(crate) fn skipped(&self, why: Skipped) -> usize {
        self.skipped.get(&why).copied().unwrap_or(0)
    }
}

/// Two nodes hear each other.
pub(crate) async fn exchange(one: &Node, other: &Node) {
    let group = fresh_group();
    one.subscribe(&group).await.expect("redis is there");
    other.subscribe(&group).await.expect("redis is there");
    one.publish(&group, 1).await.expect("redis is there");
    other.publish(&group, 2).await.expect("redis is there");
    for node in [one, other] {
        node.hears(&group, 2).await;
        assert_eq!(node.numbers(&group), [1, 2]);
        node.unsubscribe(&group).await.expect("redis is there");
    }
}

/// Does it again until it succeeds.
pub(crate) async fn at_last<E: Debug>(what: &str, mut work: impl AsyncFnMut() -> Result<(), E>) {
    let begun = Instant::now();
    while let Err(error) = work().await {
        assert!(begun.elapsed() < PATIENCE, "{what} does not succeed: {error:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// The answer of a call that is not to hang.
pub(crate) async fn in_time<T>(call: impl Future<Output = T>) -> T {
    timeout(IN_TIME, call).await.expect("a call ends in time, whatever becomes of redis")
}

/// An error with all that is behind it.
pub(crate) fn said(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {}", said(source)),
        None => error.to_string(),
    }
}

impl Heard {
    fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Recorder(Arc<Heard>, narrows_redis::PayloadFormat);

impl Receive for Recorder {
    fn deliver(&self, topic: &Topic, payload: Bytes) {
        if let Ok(Message { number }) = self.1.decode(&payload) {
            self.0.record().numbers.push((topic.clone(), number));
            self.0.more.notify_waiters();
        }
    }

    fn gap(&self, topic: Option<&Topic>, gap: Gap) {
        self.0.record().gaps.push((topic.cloned(), gap));
        self.0.more.notify_waiters();
    }

    fn skipped(&self, why: Skipped, count: usize) {
        *self.0.record().skipped.entry(why).or_default() += count;
        self.0.more.notify_waiters();
    }
}
