use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use narrows_core::{ChannelLayer, Gap, Inbound, LayerError, Receive, Topic};

use crate::layer::MemoryLayer;
use crate::sync::{Arc, Mutex, lock};

/// A channel layer in memory that goes wrong when a test says so: it loses, delays, reorders and disconnects.
///
/// ```
/// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
/// use narrows::testing::FaultyLayer;
/// use narrows::{BroadcastError, Channels, Group};
/// use serde_json::json;
///
/// let layer = FaultyLayer::new();
/// let channels = Channels::builder().layer(layer.clone()).on_this_thread().build();
/// layer.disconnect();
/// let lost = channels.broadcast(&Group::everyone(), &json!({"text": "hi"})).await;
/// assert!(matches!(lost, Err(BroadcastError::Layer(_))));
/// layer.reconnect(); // consumers that asked for it are told of the gap
/// assert!(channels.broadcast(&Group::everyone(), &json!({"text": "hi"})).await.is_ok());
/// # }
/// ```
///
/// Clones are one link and share its faults; [`another_node`](Self::another_node) has a link of its own to the
/// same bus. Until told otherwise it works as [`MemoryLayer`] does.
#[derive(Clone)]
pub struct FaultyLayer {
    bus: MemoryLayer,
    link: Arc<Link>,
}

/// One node's link to the bus, with what is wrong with it.
#[derive(Default)]
struct Link {
    inbound: Mutex<Option<Inbound>>,
    faults: Mutex<Faults>,
}

impl Link {
    fn inbound(&self) -> Option<Inbound> {
        lock(&self.inbound).clone()
    }
}

#[derive(Default)]
struct Faults {
    lose: usize,
    delay: Duration,
    down: bool,
    held: Option<Vec<(Topic, Bytes)>>,
}

impl FaultyLayer {
    /// A layer of one node.
    pub fn new() -> Self {
        Self { bus: MemoryLayer::new(), link: Arc::default() }
    }

    /// A second node on the same bus, with a link of its own.
    #[must_use]
    pub fn another_node(&self) -> Self {
        Self { bus: self.bus.another_node(), link: Arc::default() }
    }

    /// Loses the next messages for this node, and tells nobody.
    pub fn lose(&self, messages: usize) {
        lock(&self.link.faults).lose = messages;
    }

    /// Takes this long for whatever the node asks of it: to publish, to subscribe, to unsubscribe.
    pub fn delay(&self, delay: Duration) {
        lock(&self.link.faults).delay = delay;
    }

    /// Keeps what arrives for this node, until [`release`](Self::release).
    pub fn hold(&self) {
        lock(&self.link.faults).held.get_or_insert_default();
    }

    /// Hands in what was kept, in its order, and keeps nothing more.
    pub fn release(&self) {
        let held = lock(&self.link.faults).held.take().unwrap_or_default();
        self.hand_in(held);
    }

    /// Hands in what was kept, the newest first: an order that a layer must not produce.
    pub fn release_reversed(&self) {
        let mut held = lock(&self.link.faults).held.take().unwrap_or_default();
        held.reverse();
        self.hand_in(held);
    }

    /// Cuts the link: nothing arrives, and whatever the node asks fails with [`LayerError::Unavailable`].
    pub fn disconnect(&self) {
        lock(&self.link.faults).down = true;
    }

    /// Mends the link, with its subscriptions, and says that messages may be missing ([`Gap::Reconnected`]).
    pub fn reconnect(&self) {
        lock(&self.link.faults).down = false;
        if let Some(inbound) = self.link.inbound() {
            inbound.gap(None, Gap::Reconnected);
        }
    }

    fn hand_in(&self, messages: Vec<(Topic, Bytes)>) {
        let Some(inbound) = self.link.inbound() else { return };
        for (topic, payload) in messages {
            inbound.deliver(&topic, payload);
        }
    }

    async fn trouble(&self) -> Result<(), LayerError> {
        let (delay, down) = {
            let faults = lock(&self.link.faults);
            (faults.delay, faults.down)
        };
        if delay > Duration::ZERO {
            tokio::time::sleep(delay).await;
        }
        if down { Err(LayerError::Unavailable("the test cut the link".into())) } else { Ok(()) }
    }
}

impl Default for FaultyLayer {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for FaultyLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FaultyLayer").finish_non_exhaustive()
    }
}

impl ChannelLayer for FaultyLayer {
    fn start(&self, inbound: Inbound) {
        *lock(&self.link.inbound) = Some(inbound);
        self.bus.start(Inbound::new(Arriving(self.link.clone())));
    }

    async fn subscribe(&self, topic: &Topic) -> Result<(), LayerError> {
        self.trouble().await?;
        self.bus.subscribe(topic).await
    }

    async fn unsubscribe(&self, topic: &Topic) -> Result<(), LayerError> {
        let trouble = self.trouble().await;
        // Whether or not it worked, the node counts the topic as unsubscribed.
        self.bus.unsubscribe(topic).await?;
        trouble
    }

    async fn publish(&self, topic: &Topic, payload: Bytes) -> Result<(), LayerError> {
        self.trouble().await?;
        self.bus.publish(topic, payload).await
    }

    fn new_channel(&self) -> String {
        self.bus.new_channel()
    }
}

/// Stands between the bus and the node.
struct Arriving(Arc<Link>);

impl Receive for Arriving {
    fn deliver(&self, topic: &Topic, payload: Bytes) {
        let mut faults = lock(&self.0.faults);
        if faults.down {
            return;
        }
        if faults.lose > 0 {
            faults.lose -= 1;
            return;
        }
        if let Some(held) = &mut faults.held {
            held.push((topic.clone(), payload));
            return;
        }
        drop(faults);
        if let Some(inbound) = self.0.inbound() {
            inbound.deliver(topic, payload);
        }
    }

    fn gap(&self, topic: Option<&Topic>, gap: Gap) {
        if let Some(inbound) = self.0.inbound() {
            inbound.gap(topic, gap);
        }
    }
}
