//! A channel layer whose every step a test can hold, fail and see.

use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use narrows::layer::MemoryLayer;
use narrows::{ChannelLayer, Inbound, LayerError, Topic};
use tokio::sync::{Semaphore, watch};

use crate::within::as_within;

#[derive(Clone)]
pub(crate) struct GatedLayer {
    inner: MemoryLayer,
    /// One permit lets one subscription through.
    pub(crate) gate: Arc<Semaphore>,
    /// One permit lets one end of a subscription through; there are plenty unless a test takes them.
    pub(crate) way_out: Arc<Semaphore>,
    pub(crate) fails: Arc<AtomicBool>,
    pub(crate) inbound: Arc<OnceLock<Inbound>>,
    calls: watch::Sender<Vec<String>>,
    subscribed: watch::Sender<Vec<Topic>>,
}

impl GatedLayer {
    pub(crate) fn open() -> Self {
        Self::over(MemoryLayer::new())
    }

    /// An open one on the bus of another layer: it has no queues, unlike that one.
    pub(crate) fn over(inner: MemoryLayer) -> Self {
        let layer = Self { inner, ..Self::closed() };
        layer.gate.add_permits(1_000_000);
        layer
    }

    pub(crate) fn closed() -> Self {
        Self {
            inner: MemoryLayer::new(),
            gate: Arc::new(Semaphore::new(0)),
            way_out: Arc::new(Semaphore::new(1_000_000)),
            fails: Arc::default(),
            inbound: Arc::default(),
            calls: watch::Sender::default(),
            subscribed: watch::Sender::default(),
        }
    }

    /// Waits until exactly so many topics are subscribed to.
    pub(crate) async fn subscriptions(&self, count: usize) {
        self.subscribed.subscribe().wait_for(|topics| topics.len() == count).await.unwrap();
    }

    /// The calls so far.
    pub(crate) fn calls(&self) -> Vec<String> {
        self.calls.borrow().clone()
    }

    /// Waits until this call was made.
    pub(crate) async fn called(&self, call: &str) {
        self.calls.subscribe().wait_for(|calls| calls.iter().any(|made| made == call)).await.unwrap();
    }

    fn note(&self, call: &str, topic: &Topic) {
        self.calls.send_modify(|calls| calls.push(format!("{call} {topic}")));
    }
}

impl ChannelLayer for GatedLayer {
    as_within!(inner: publish new_channel);

    fn start(&self, inbound: Inbound) {
        assert!(self.inbound.set(inbound.clone()).is_ok(), "started once");
        self.inner.start(inbound);
    }

    async fn subscribe(&self, topic: &Topic) -> Result<(), LayerError> {
        self.note("subscribe to", topic);
        self.gate.acquire().await.unwrap().forget();
        if self.fails.load(Ordering::Relaxed) {
            return Err(LayerError::Unavailable("asked to fail".into()));
        }
        self.inner.subscribe(topic).await?;
        self.subscribed.send_modify(|topics| topics.push(topic.clone()));
        Ok(())
    }

    async fn unsubscribe(&self, topic: &Topic) -> Result<(), LayerError> {
        self.note("unsubscribe from", topic);
        self.way_out.acquire().await.unwrap().forget();
        self.inner.unsubscribe(topic).await?;
        self.subscribed.send_modify(|topics| topics.retain(|t| t != topic));
        Ok(())
    }
}
