use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use narrows_core::{
    Absence, ChannelLayer, ClaimStore, Gap, History, HistoryRange, HistoryStore, Inbound, KeepClaims,
    KeepHistory, KeepPresence, Kept, KeptPage, LayerError, PayloadFormat, Position, PresenceEntry,
    PresenceStore, Queue, Receive, Renewed, RosterPage, Skipped, Take, Taken, Topic,
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
/// It never gives a message twice, as no channel layer may. Of the queues, the histories and the presence of the layer within
/// it cuts the link only: messages wait in queues meanwhile, what was published is kept, and what was lost on its way to this
/// node can be read there; leases go on.
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

    fn history(&self) -> Option<HistoryStore> {
        let (within, faults) = (self.within.history()?, self.faults.clone());
        Some(HistoryStore::new(Distant { within, faults }))
    }

    fn presence(&self) -> Option<PresenceStore> {
        let (within, faults) = (self.within.presence()?, self.faults.clone());
        Some(PresenceStore::new(Present { within, faults }))
    }

    fn claims(&self) -> Option<ClaimStore> {
        let (within, faults) = (self.within.claims()?, self.faults.clone());
        Some(ClaimStore::new(Claims { within, faults }))
    }
}

/// Histories behind the link.
struct Distant {
    within: HistoryStore,
    faults: Faults,
}

impl KeepHistory for Distant {
    fn publish<'a>(
        &'a self,
        group: &'a Topic,
        payload: Bytes,
        history: History,
        id: Option<&'a str>,
    ) -> Kept<'a, Position> {
        Box::pin(async move {
            self.faults.check_link()?;
            self.within.publish(group, payload, history, id).await
        })
    }

    fn read<'a>(&'a self, group: &'a Topic, range: HistoryRange) -> Kept<'a, KeptPage> {
        Box::pin(async move {
            self.faults.check_read().await?;
            self.within.read(group, range).await
        })
    }
}

/// Claims behind the link.
struct Claims {
    within: ClaimStore,
    faults: Faults,
}

impl KeepClaims for Claims {
    fn claim<'a>(&'a self, id: &'a str, unless: &'a [String], ttl: Duration) -> Kept<'a, bool> {
        Box::pin(async move {
            self.faults.check_link()?;
            self.within.claim(id, unless, ttl).await
        })
    }

    fn revoke<'a>(&'a self, ids: &'a [String], ttl: Duration) -> Kept<'a, ()> {
        Box::pin(async move {
            self.faults.check_link()?;
            self.within.revoke(ids, ttl).await
        })
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

/// The presence of the layer within, which is away while the link is cut.
struct Present {
    within: PresenceStore,
    faults: Faults,
}

impl Present {
    fn linked<'a, T: Send + 'a>(
        &'a self,
        call: impl FnOnce(&'a PresenceStore) -> Kept<'a, T>,
    ) -> Kept<'a, T> {
        match self.faults.check_link() {
            Ok(()) => call(&self.within),
            Err(error) => Box::pin(std::future::ready(Err(error))),
        }
    }
}

impl KeepPresence for Present {
    fn track<'a>(&'a self, group: &'a str, node: &'a str, entry: &'a PresenceEntry) -> Kept<'a, ()> {
        self.linked(|within| within.track(group, node, entry))
    }

    fn retrack<'a>(&'a self, group: &'a str, node: &'a str, entry: &'a PresenceEntry) -> Kept<'a, bool> {
        self.linked(|within| within.retrack(group, node, entry))
    }

    fn untrack<'a>(
        &'a self,
        group: &'a str,
        node: &'a str,
        connection: u128,
        absence: Absence,
    ) -> Kept<'a, ()> {
        self.linked(|within| within.untrack(group, node, connection, absence))
    }

    fn renew<'a>(&'a self, node: &'a str, lease: Duration) -> Kept<'a, Renewed> {
        self.linked(|within| within.renew(node, lease))
    }

    fn take_changes<'a>(&'a self, group: &'a str, period: Duration) -> Kept<'a, Taken> {
        self.linked(|within| within.take_changes(group, period))
    }

    fn roster<'a>(&'a self, group: &'a str, after: Option<&'a str>, limit: u32) -> Kept<'a, RosterPage> {
        self.linked(|within| within.roster(group, after, limit))
    }

    fn count<'a>(&'a self, group: &'a str) -> Kept<'a, (u64, u64)> {
        self.linked(|within| within.count(group))
    }
}

/// Where the layer within hands in what arrives.
struct Link(Faults);

impl Receive for Link {
    fn deliver(&self, topic: &Topic, payload: Bytes) {
        self.0.arrived(topic, payload, None);
    }

    fn deliver_at(&self, topic: &Topic, payload: Bytes, position: Position) {
        self.0.arrived(topic, payload, Some(position));
    }

    fn gap(&self, topic: Option<&Topic>, gap: Gap) {
        self.0.gap(topic, gap);
    }

    fn skipped(&self, why: Skipped, count: usize) {
        self.0.skipped(why, count);
    }
}
