//! The node-local fan-out: which topics this node wants, on which shards, and the way of a message to them.

mod dyn_layer;
mod fills;
#[cfg(all(test, narrows_loom))]
mod loom_tests;
mod registry;
mod relay;
mod seat;
mod tap;
#[cfg(all(test, not(narrows_loom)))]
mod tests;
mod track;

use std::pin::Pin;
use std::sync::OnceLock;
use std::sync::atomic::Ordering;
use std::task::{Context, Waker};

use bytes::Bytes;
use narrows_core::{
    ClaimStore, Gap, HistoryStore, Inbound, LayerError, PayloadFormat, Position, PresenceStore, Queue,
    Receive, Skipped, Topic,
};
use tokio::sync::watch;

pub(crate) use self::dyn_layer::DynLayer;
use self::fills::Fills;
use self::registry::{Acquired, Registry, Step};
pub(crate) use self::relay::{Delivery, Relay};
use self::seat::{SEATS, Seats};
pub(crate) use self::seat::{Seat, Taker};
pub(crate) use self::tap::Tap;
use crate::shard::{Mail, Shard};
use crate::stats::{Counters, DropReason};
use crate::sync::Arc;

/// One node's hub. It does no I/O of its own and never waits: it hands messages to shards, and asks the
/// layer for topics.
pub(crate) struct Hub {
    layer: Box<dyn DynLayer>,
    format: PayloadFormat,
    registry: Registry,
    shards: OnceLock<Vec<Arc<Shard>>>,
    seats: Seats,
    history: Option<HistoryStore>,
    fills: Fills,
    counters: Arc<Counters>,
    /// How many drivers wait for the layer.
    waiting: watch::Sender<usize>,
}

impl Hub {
    pub(crate) fn start(layer: Box<dyn DynLayer>, counters: Arc<Counters>) -> Arc<Self> {
        let format = layer.format();
        let history = layer.history();
        let (registry, seats, fills) = Default::default();
        let (shards, waiting) = (OnceLock::new(), watch::Sender::new(0));
        let hub =
            Arc::new(Self { layer, format, registry, shards, seats, history, fills, counters, waiting });
        hub.layer.start(Inbound::new(Receiver(Arc::downgrade(&hub))));
        hub
    }

    pub(crate) fn claims(&self) -> Option<ClaimStore> {
        self.layer.claims()
    }

    pub(crate) fn format(&self) -> PayloadFormat {
        self.format
    }

    pub(crate) fn new_channel(&self) -> String {
        self.layer.new_channel()
    }

    /// A queue of the layer's own, where it has them.
    pub(crate) fn open(&self, channel: &Topic) -> Option<Queue> {
        self.layer.open(channel)
    }

    pub(crate) fn presence(&self) -> Option<PresenceStore> {
        self.layer.presence()
    }

    /// Takes the messages of a topic without a shard.
    pub(crate) fn tap(self: &Arc<Self>, topic: &Topic, backlog: usize) -> Tap {
        Tap::new(self.clone(), topic, backlog)
    }

    /// The shards, started by the first who asks.
    pub(crate) fn shards(&self, start: impl FnOnce() -> Vec<Arc<Shard>>) -> &[Arc<Shard>] {
        self.shards.get_or_init(start)
    }

    pub(crate) fn started_shards(&self) -> &[Arc<Shard>] {
        self.shards.get().map(Vec::as_slice).unwrap_or_default()
    }

    /// Publishes through the layer, and holds the caller back while this node's shards are far behind.
    pub(crate) async fn publish(&self, topic: &Topic, payload: Bytes) -> Result<(), LayerError> {
        match self.layer.publish_now(topic, &payload) {
            Some(published) => published?,
            None => self.layer.publish(topic, payload).await?,
        }
        self.room().await;
        Ok(())
    }

    /// Waits while this node's shards are far behind.
    pub(crate) async fn room(&self) {
        for shard in self.started_shards() {
            shard.room().await;
        }
    }

    /// Counts one more member on a shard. The id is what the shard's lists go by; what is returned beside it
    /// ends when the layer has promised delivery.
    pub(crate) fn acquire(self: &Arc<Self>, topic: &Topic, shard: u16) -> (u64, Subscribed) {
        let (id, acquired) = self.registry.acquire(topic, shard);
        let waiting = match acquired {
            Acquired::Ready => None,
            Acquired::Wait(waiting) => Some(waiting),
            Acquired::Start(waiting) => {
                self.drive(topic.clone(), false);
                Some(waiting)
            }
        };
        (id, Subscribed(waiting))
    }

    pub(crate) fn id(&self, topic: &Topic) -> Option<u64> {
        self.registry.id(topic)
    }

    /// The name of a topic that has members here.
    pub(crate) fn topic(&self, id: u64) -> Option<Topic> {
        self.registry.topic(id)
    }

    /// Runs `work` with some of the topics that have members on shards, and says where to go on; begin with `(0, 0)`.
    pub(crate) fn some_topics(
        &self,
        from: (u64, usize),
        work: impl FnMut(&Topic, u64),
    ) -> Option<(u64, usize)> {
        self.registry.some(from, work)
    }

    /// Counts one member less.
    pub(crate) fn release(self: &Arc<Self>, id: u64, shard: u16) {
        if let Some(topic) = self.registry.release(id, shard) {
            self.drive(topic, true);
        }
    }

    /// Brings the layer in line with what is wanted, one call after another for each topic. The calls go on
    /// when the joining connection does not.
    fn drive(self: &Arc<Self>, topic: Topic, subscribed: bool) {
        let driver = Driver { hub: self.clone(), topic, done: false };
        self.see_through(Box::pin(driver.run(subscribed)));
    }

    /// Does what the layer is asked for, whatever becomes of the caller.
    pub(crate) fn see_through(self: &Arc<Self>, mut work: Pin<Box<dyn Future<Output = ()> + Send>>) {
        // The in-memory layer is done at once; no task for that.
        if work.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending() {
            let waits = Waits::new(self.clone());
            let work = async move {
                work.await;
                drop(waits);
            };
            match tokio::runtime::Handle::try_current() {
                Ok(runtime) => drop(runtime.spawn(work)),
                Err(_) => tracing::debug!("the channel layer was not asked: the runtime has ended"),
            }
        }
    }

    /// Waits until the layer has done all that it was asked for, so that it knows what this node wants no longer.
    pub(crate) async fn settled(&self) {
        // It ends with this hub only.
        let _ = self.waiting.subscribe().wait_for(|waiting| *waiting == 0).await;
    }

    fn deliver(&self, topic: &Topic, payload: Bytes) {
        // The topic's lock is held throughout: all shards see its messages in one order.
        self.registry.with(topic, |mut members| {
            if members.track.is_some() {
                return self.deliver_between(topic, &mut members, payload);
            }
            self.spread(&Arc::new(Delivery::new(members.id, payload, self.format)), members.shards);
        });
    }

    fn spread(&self, delivery: &Arc<Delivery>, shards: &[(u16, u32)]) {
        for &(shard, _) in shards {
            match shard {
                SEATS => self.seats.deliver(delivery, &self.counters),
                _ => self.started_shards()[usize::from(shard)].deliver(delivery.clone()),
            }
        }
    }

    fn gap(self: &Arc<Self>, topic: Option<&Topic>, gap: Gap) {
        self.counters.gaps.fetch_add(1, Ordering::Relaxed);
        match topic {
            None => {
                for shard in self.started_shards() {
                    shard.post(Mail::Gap(None, gap));
                }
                self.seats.gap(None);
            }
            Some(topic) => self.registry.with(topic, |members| {
                for &(shard, _) in members.shards {
                    match shard {
                        SEATS => self.seats.gap(Some(members.id)),
                        _ => self.started_shards()[usize::from(shard)].post(Mail::Gap(Some(members.id), gap)),
                    }
                }
            }),
        }
        self.suspect(topic);
    }
}

/// One driver that waits for the layer.
struct Waits(Arc<Hub>);

impl Waits {
    fn new(hub: Arc<Hub>) -> Self {
        hub.waiting.send_modify(|waiting| *waiting += 1);
        Self(hub)
    }
}

impl Drop for Waits {
    fn drop(&mut self) {
        self.0.waiting.send_modify(|waiting| *waiting -= 1);
    }
}

/// The one that works on a topic's subscription.
struct Driver {
    hub: Arc<Hub>,
    topic: Topic,
    done: bool,
}

impl Driver {
    async fn run(mut self, mut subscribed: bool) {
        let (hub, topic) = (self.hub.clone(), self.topic.clone());
        loop {
            match hub.registry.step(&topic, subscribed) {
                Step::Rest => break,
                Step::Subscribe => match hub.layer.subscribe(&topic).await {
                    Ok(()) => subscribed = true,
                    Err(error) => {
                        hub.registry.failed(&topic, error);
                        break;
                    }
                },
                Step::Unsubscribe => {
                    if let Err(error) = hub.layer.unsubscribe(&topic).await {
                        tracing::warn!(%topic, %error, "the channel layer could not unsubscribe");
                    }
                    subscribed = false;
                }
            }
        }
        self.done = true;
    }
}

impl Drop for Driver {
    /// Ended before its work, by a panic of the layer's or with its runtime: nobody is to wait for it forever.
    fn drop(&mut self) {
        if !self.done {
            self.hub.registry.failed(&self.topic, LayerError::Closed);
        }
    }
}

/// Ends when a topic is subscribed; at once when it was.
#[derive(Debug)]
#[must_use]
pub(crate) struct Subscribed(Option<registry::Waiting>);

impl Subscribed {
    pub(crate) async fn wait(mut self) -> Result<(), Arc<LayerError>> {
        self.told().await
    }

    /// The same, for a caller that may be dropped and ask again. It is told of a failure once.
    pub(crate) async fn told(&mut self) -> Result<(), Arc<LayerError>> {
        let Some(waiting) = &mut self.0 else { return Ok(()) };
        let told = waiting.await;
        self.0 = None;
        told.unwrap_or_else(|_| Err(Arc::new(LayerError::Closed)))
    }
}

/// The layer's way to the hub; weak, as the hub owns the layer.
struct Receiver(std::sync::Weak<Hub>);

impl Receive for Receiver {
    fn deliver(&self, topic: &Topic, payload: Bytes) {
        if let Some(hub) = self.0.upgrade() {
            hub.deliver(topic, payload);
        }
    }

    fn deliver_at(&self, topic: &Topic, payload: Bytes, position: Position) {
        if let Some(hub) = self.0.upgrade() {
            hub.deliver_at(topic, payload, position);
        }
    }

    fn gap(&self, topic: Option<&Topic>, gap: Gap) {
        if let Some(hub) = self.0.upgrade() {
            hub.gap(topic, gap);
        }
    }

    fn skipped(&self, why: Skipped, count: usize) {
        if let Some(hub) = self.0.upgrade() {
            hub.counters.drop_of(DropReason::of(why), count);
        }
    }
}
