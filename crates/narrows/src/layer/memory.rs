use std::collections::HashMap;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use narrows_core::{ChannelLayer, Inbound, LayerError, Topic};

use crate::stripes::Stripes;
use crate::sync::Arc;

/// The channel layer of a single process: the default, with nothing to install.
///
/// ```
/// use narrows::{Channels, layer::MemoryLayer};
///
/// // Two nodes in one process, as a test may want them.
/// let layer = MemoryLayer::new();
/// let other = layer.another_node();
/// let (one, two) = (Channels::with_layer(layer), Channels::with_layer(other));
/// # drop((one, two));
/// ```
///
/// It holds no message: publishing hands it on at once, so the only bounds are those of each connection's
/// inbox and outbox.
#[derive(Debug, Clone)]
pub struct MemoryLayer {
    bus: Arc<Bus>,
    node: u64,
    inbound: Arc<OnceLock<Inbound>>,
}

#[derive(Debug)]
struct Bus {
    topics: Stripes<Nodes>,
    next: AtomicU64,
}

/// Held while a message is handed on: this is where all nodes agree on a topic's order.
type Nodes = HashMap<Topic, Vec<(u64, Inbound)>>;

impl MemoryLayer {
    /// A layer of one node.
    pub fn new() -> Self {
        Self::on(Arc::default())
    }

    /// A second node on the same bus: what either publishes reaches both.
    pub fn another_node(&self) -> Self {
        Self::on(self.bus.clone())
    }

    fn on(bus: Arc<Bus>) -> Self {
        let node = bus.next.fetch_add(1, Ordering::Relaxed);
        Self { bus, node, inbound: Arc::default() }
    }
}

impl Default for Bus {
    fn default() -> Self {
        Self { topics: Stripes::new(|_| Nodes::new()), next: AtomicU64::default() }
    }
}

impl Default for MemoryLayer {
    fn default() -> Self {
        Self::new()
    }
}

impl ChannelLayer for MemoryLayer {
    fn start(&self, inbound: Inbound) {
        // A second start would mean two hubs on one link; the first stays.
        let _ = self.inbound.set(inbound);
    }

    async fn subscribe(&self, topic: &Topic) -> Result<(), LayerError> {
        let inbound = self.inbound.get().ok_or(LayerError::Closed)?.clone();
        let (mut stripe, _) = self.bus.topics.of(topic);
        // Mostly this node is the only one: no room to spare for more.
        let nodes = stripe.entry(topic.clone()).or_insert_with(|| Vec::with_capacity(1));
        nodes.push((self.node, inbound));
        Ok(())
    }

    async fn unsubscribe(&self, topic: &Topic) -> Result<(), LayerError> {
        let (mut stripe, _) = self.bus.topics.of(topic);
        if let Some(nodes) = stripe.get_mut(topic) {
            nodes.retain(|(node, _)| *node != self.node);
            if nodes.is_empty() {
                stripe.remove(topic);
            }
        }
        Ok(())
    }

    async fn publish(&self, topic: &Topic, payload: Bytes) -> Result<(), LayerError> {
        self.publish_now(topic, &payload).unwrap_or(Ok(()))
    }

    fn publish_now(&self, topic: &Topic, payload: &Bytes) -> Option<Result<(), LayerError>> {
        let (stripe, _) = self.bus.topics.of(topic);
        for (_, inbound) in stripe.get(topic).into_iter().flatten() {
            inbound.deliver(topic, payload.clone());
        }
        Some(Ok(()))
    }

    fn new_channel(&self) -> String {
        format!("specific.memory{}!{}", self.node, self.bus.next.fetch_add(1, Ordering::Relaxed))
    }
}
