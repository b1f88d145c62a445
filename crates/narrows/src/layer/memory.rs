mod claims;
mod history;
mod presence;
mod present;
mod queue;
mod small_map;

use std::collections::HashMap;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use bytes::Bytes;
use narrows_core::{
    ChannelLayer, ClaimStore, HistoryStore, Inbound, LayerError, PresenceStore, Queue, Topic, TopicKind,
};

use self::claims::Claims;
use self::history::{Histories, MemoryHistory, Sweeper};
use self::presence::Presences;
use self::queue::{Queues, Taker};
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
/// Publishing hands a message on at once, so the bounds are those of each connection's inbox and outbox. It holds
/// messages only of named channels that [`Worker`](crate::Worker)s have open, up to its
/// [`capacity`](Self::capacity), what was left when the last of them ended, and the histories of groups that have one. Those
/// are in memory alone: they end with the process, and clients that come back to another are told that they were not recovered.
#[derive(Debug, Clone)]
pub struct MemoryLayer {
    bus: Arc<Bus>,
    node: u64,
    inbound: Arc<OnceLock<Inbound>>,
}

#[derive(Debug)]
struct Bus {
    topics: Stripes<Part>,
    presences: Presences,
    claims: Claims,
    next: AtomicU64,
    capacity: AtomicUsize,
    sweeper: Sweeper,
}

/// Held while a message is handed on: this is where all nodes agree on a topic's order.
#[derive(Debug, Default)]
struct Part {
    nodes: HashMap<Topic, Vec<(u64, Inbound)>>,
    queues: Queues,
    histories: Histories,
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

    /// How many messages of a named channel may wait for its workers before a sender is refused with
    /// [`LayerError::ChannelFull`]; at least 1. Default 100, as with Django Channels. It holds for all nodes on this
    /// one's bus.
    #[must_use]
    pub fn capacity(self, messages: usize) -> Self {
        self.bus.capacity.store(messages.max(1), Ordering::Relaxed);
        self
    }

    fn on(bus: Arc<Bus>) -> Self {
        let node = bus.next.fetch_add(1, Ordering::Relaxed);
        Self { bus, node, inbound: Arc::default() }
    }
}

impl Default for Bus {
    fn default() -> Self {
        Self {
            topics: Stripes::new(|_| Part::default()),
            presences: Presences::default(),
            claims: Claims::default(),
            next: AtomicU64::default(),
            capacity: AtomicUsize::new(100),
            sweeper: Sweeper::default(),
        }
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
        let (mut part, _) = self.bus.topics.of(topic);
        // Mostly this node is the only one: no room to spare for more.
        let nodes = part.nodes.entry(topic.clone()).or_insert_with(|| Vec::with_capacity(1));
        nodes.push((self.node, inbound));
        Ok(())
    }

    async fn unsubscribe(&self, topic: &Topic) -> Result<(), LayerError> {
        let (mut part, _) = self.bus.topics.of(topic);
        if let Some(nodes) = part.nodes.get_mut(topic) {
            nodes.retain(|(node, _)| *node != self.node);
            if nodes.is_empty() {
                part.nodes.remove(topic);
            }
            part.histories.left(topic);
        }
        Ok(())
    }

    async fn publish(&self, topic: &Topic, payload: Bytes) -> Result<(), LayerError> {
        self.publish_now(topic, &payload).unwrap_or(Ok(()))
    }

    fn publish_now(&self, topic: &Topic, payload: &Bytes) -> Option<Result<(), LayerError>> {
        let (mut part, _) = self.bus.topics.of(topic);
        // First, as a sender who is refused has reached nobody.
        if topic.kind() == TopicKind::Channel
            && let Err(full) = part.queues.push(topic, payload, self.bus.capacity.load(Ordering::Relaxed))
        {
            return Some(Err(full));
        }
        for (_, inbound) in part.nodes.get(topic).into_iter().flatten() {
            inbound.deliver(topic, payload.clone());
        }
        Some(Ok(()))
    }

    fn new_channel(&self) -> String {
        format!("specific.memory{}!{}", self.node, self.bus.next.fetch_add(1, Ordering::Relaxed))
    }

    fn open(&self, channel: &Topic) -> Option<Queue> {
        Some(Queue::new(Taker::open(self.bus.clone(), channel)))
    }

    fn history(&self) -> Option<HistoryStore> {
        Some(HistoryStore::new(MemoryHistory(self.bus.clone())))
    }

    fn presence(&self) -> Option<PresenceStore> {
        Some(PresenceStore::new(presence::Link(self.bus.clone())))
    }

    fn claims(&self) -> Option<ClaimStore> {
        Some(ClaimStore::new(self.bus.claims.clone()))
    }
}
