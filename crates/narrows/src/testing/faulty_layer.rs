use std::pin::Pin;

use bytes::Bytes;
use narrows_core::{
    ChannelLayer, Gap, Inbound, LayerError, PayloadFormat, Queue, Receive, Skipped, Take, Topic,
};

use super::faults::Faults;

/// A channel layer that loses its link, and loses, delays and swaps messages, when a test says so.
///
/// ```
/// use narrows::testing::FaultyLayer;
/// use narrows::{Channels, Group, layer::MemoryLayer};
/// # #[derive(serde::Serialize, serde::Deserialize)]
/// # struct Notice { text: String }
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
///
/// let layer = FaultyLayer::new(MemoryLayer::new());
/// let faults = layer.faults();
/// let channels = Channels::with_layer(layer);
///
/// let (everyone, notice) = (Group::everyone(), Notice { text: "hi".into() });
/// faults.disconnect();
/// assert!(channels.broadcast(&everyone, &notice).await.is_err());
/// faults.reconnect();
/// assert!(channels.broadcast(&everyone, &notice).await.is_ok());
/// assert_eq!(faults.counts().refused, 1);
/// # });
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// It stands between this node and the layer within. Without faults it keeps all of that layer's promises.
/// It never gives a message twice, as no channel layer may. Of the queues of the layer within it cuts the link only:
/// their messages wait there meanwhile.
#[derive(Debug)]
pub struct FaultyLayer<L> {
    within: L,
    faults: Faults,
}

impl<L: ChannelLayer> FaultyLayer<L> {
    /// Wraps a layer. What is left to chance is the same in every run.
    pub fn new(within: L) -> Self {
        Self::seeded(within, 1)
    }

    /// Wraps a layer; what is left to chance follows from this seed.
    pub fn seeded(within: L, seed: u64) -> Self {
        Self { within, faults: Faults::seeded(seed) }
    }

    /// What controls the faults, also when a node has taken the layer.
    pub fn faults(&self) -> Faults {
        self.faults.clone()
    }
}

impl<L: ChannelLayer> ChannelLayer for FaultyLayer<L> {
    fn start(&self, inbound: Inbound) {
        self.faults.start(inbound);
        self.within.start(Inbound::new(Link(self.faults.clone())));
    }

    fn format(&self) -> PayloadFormat {
        self.within.format()
    }

    async fn subscribe(&self, topic: &Topic) -> Result<(), LayerError> {
        self.faults.check_link()?;
        self.within.subscribe(topic).await
    }

    async fn unsubscribe(&self, topic: &Topic) -> Result<(), LayerError> {
        // Without a link, too: the topic counts as unsubscribed whatever the answer is.
        let answer = self.faults.check_link();
        self.within.unsubscribe(topic).await.and(answer)
    }

    async fn publish(&self, topic: &Topic, payload: Bytes) -> Result<(), LayerError> {
        self.faults.check_link()?;
        self.within.publish(topic, payload).await
    }

    fn new_channel(&self) -> String {
        self.within.new_channel()
    }

    fn open(&self, channel: &Topic) -> Option<Queue> {
        let (within, faults) = (self.within.open(channel)?, self.faults.clone());
        Some(Queue::new(Cuttable { within, faults }))
    }
}

struct Cuttable {
    within: Queue,
    faults: Faults,
}

impl Take for Cuttable {
    fn take(&mut self) -> Pin<Box<dyn Future<Output = Result<Bytes, LayerError>> + Send + '_>> {
        Box::pin(async {
            // Before the look, so that a cut behind it is noticed.
            let cut = self.faults.cut();
            self.faults.check_link()?;
            tokio::select! {
                biased;
                () = cut => Err(self.faults.refuse()),
                taken = self.within.take() => taken,
            }
        })
    }

    fn close(self: Box<Self>) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(self.within.close())
    }
}

/// Where the layer within hands in what arrives.
struct Link(Faults);

impl Receive for Link {
    fn deliver(&self, topic: &Topic, payload: Bytes) {
        self.0.arrived(topic, payload);
    }

    fn gap(&self, topic: Option<&Topic>, gap: Gap) {
        self.0.gap(topic, gap);
    }

    fn skipped(&self, why: Skipped, count: usize) {
        self.0.skipped(why, count);
    }
}
