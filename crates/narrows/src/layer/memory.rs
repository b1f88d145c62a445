use std::collections::HashMap;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use narrows_core::{ChannelLayer, Inbound, LayerError, Topic};

use crate::sync::{Arc, Mutex, lock};

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

#[derive(Debug, Default)]
struct Bus {
    /// Held while a message is handed on: this is where all nodes agree on one order.
    topics: Mutex<HashMap<Topic, Vec<(u64, Inbound)>>>,
    next: AtomicU64,
}

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
        lock(&self.bus.topics).entry(topic.clone()).or_default().push((self.node, inbound));
        Ok(())
    }

    async fn unsubscribe(&self, topic: &Topic) -> Result<(), LayerError> {
        let mut topics = lock(&self.bus.topics);
        if let Some(nodes) = topics.get_mut(topic) {
            nodes.retain(|(node, _)| *node != self.node);
            if nodes.is_empty() {
                topics.remove(topic);
            }
        }
        Ok(())
    }

    async fn publish(&self, topic: &Topic, payload: Bytes) -> Result<(), LayerError> {
        let topics = lock(&self.bus.topics);
        for (_, inbound) in topics.get(topic).into_iter().flatten() {
            inbound.deliver(topic, payload.clone());
        }
        Ok(())
    }

    fn new_channel(&self) -> String {
        format!("specific.memory{}!{}", self.node, self.bus.next.fetch_add(1, Ordering::Relaxed))
    }
}
