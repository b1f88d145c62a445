use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use narrows_core::{Gap, Inbound, Position, Skipped, Topic, TopicKind};

/// The way into the node: what arrived, what was lost and what was skipped.
#[derive(Debug, Default)]
pub(crate) struct Inlet {
    inbound: OnceLock<Inbound>,
    logged: [AtomicBool; Skipped::ALL.len()],
}

impl Inlet {
    pub(crate) fn start(&self, inbound: Inbound) {
        // A second start would mean two nodes on one link; the first stays.
        let _ = self.inbound.set(inbound);
    }

    pub(crate) fn is_started(&self) -> bool {
        self.inbound.get().is_some()
    }

    pub(crate) fn deliver(&self, topic: &Topic, payload: Bytes, at: Option<Position>) {
        match (self.inbound.get(), at) {
            (None, _) => {}
            (Some(inbound), Some(at)) if topic.kind() == TopicKind::Group => {
                inbound.deliver_at(topic, payload, at);
            }
            (Some(inbound), _) => inbound.deliver(topic, payload),
        }
    }

    pub(crate) fn gap(&self, topic: Option<&Topic>, gap: Gap) {
        if let Some(inbound) = self.inbound.get() {
            inbound.gap(topic, gap);
        }
    }

    /// Counts a message that is skipped. Logged once for each cause: whoever can write to Redis must not fill the log.
    pub(crate) fn skip(&self, why: Skipped, name: &str) {
        if let Some(inbound) = self.inbound.get() {
            inbound.skipped(why, 1);
        }
        if let Some(logged) = self.logged.get(why as usize)
            && !logged.swap(true, Ordering::Relaxed)
        {
            tracing::warn!(
                why = why.name(),
                name,
                "a message in redis is skipped, and further ones of the kind quietly"
            );
        }
    }
}
