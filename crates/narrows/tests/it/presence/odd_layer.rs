//! A layer on which presence has a hard time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use narrows::layer::MemoryLayer;
use narrows::{ChannelLayer, LayerError, Topic};
use narrows_core::{
    Absence, KeepPresence, Kept, PayloadFormat, PresenceEntry, PresenceStore, Renewed, RosterPage, Taken,
};

use crate::within::as_within;

/// An in-memory layer that writes messages as JSON, and of which parts are away while a test says so. A renewal takes a second,
/// and is done at its beginning, whether or not somebody waits for the answer.
pub(super) struct OddLayer {
    within: MemoryLayer,
    refused: Arc<Refused>,
}

/// What is refused.
#[derive(Default)]
pub(super) struct Refused {
    publish: AtomicBool,
    renew: AtomicBool,
}

impl Refused {
    pub(super) fn publish(&self, is: bool) {
        self.publish.store(is, Ordering::Relaxed);
    }

    pub(super) fn renew(&self, is: bool) {
        self.renew.store(is, Ordering::Relaxed);
    }
}

impl OddLayer {
    pub(super) fn new(within: MemoryLayer) -> Self {
        Self { within, refused: Arc::default() }
    }

    pub(super) fn refused(&self) -> Arc<Refused> {
        self.refused.clone()
    }
}

fn unless(refused: &AtomicBool) -> Result<(), LayerError> {
    if refused.load(Ordering::Relaxed) { Err(LayerError::Unavailable("it is away".into())) } else { Ok(()) }
}

impl ChannelLayer for OddLayer {
    as_within!(within: start subscribe unsubscribe new_channel);

    fn format(&self) -> PayloadFormat {
        PayloadFormat::Json
    }

    async fn publish(&self, topic: &Topic, payload: Bytes) -> Result<(), LayerError> {
        unless(&self.refused.publish)?;
        self.within.publish(topic, payload).await
    }

    fn presence(&self) -> Option<PresenceStore> {
        let within = Arc::new(self.within.presence()?);
        Some(PresenceStore::new(Presence { within, refused: self.refused.clone() }))
    }
}

struct Presence {
    within: Arc<PresenceStore>,
    refused: Arc<Refused>,
}

impl KeepPresence for Presence {
    fn track<'a>(&'a self, group: &'a str, node: &'a str, entry: &'a PresenceEntry) -> Kept<'a, ()> {
        self.within.track(group, node, entry)
    }

    fn retrack<'a>(&'a self, group: &'a str, node: &'a str, entry: &'a PresenceEntry) -> Kept<'a, bool> {
        self.within.retrack(group, node, entry)
    }

    fn untrack<'a>(
        &'a self,
        group: &'a str,
        node: &'a str,
        connection: u128,
        absence: Absence,
    ) -> Kept<'a, ()> {
        self.within.untrack(group, node, connection, absence)
    }

    fn renew<'a>(&'a self, node: &'a str, lease: Duration) -> Kept<'a, Renewed> {
        Box::pin(async move {
            unless(&self.refused.renew)?;
            let (within, node) = (self.within.clone(), node.to_owned());
            let renewing = tokio::spawn(async move {
                let renewed = within.renew(&node, lease).await;
                tokio::time::sleep(Duration::from_secs(1)).await;
                renewed
            });
            renewing.await.unwrap()
        })
    }

    fn take_changes<'a>(&'a self, group: &'a str, period: Duration) -> Kept<'a, Taken> {
        self.within.take_changes(group, period)
    }

    fn roster<'a>(&'a self, group: &'a str, after: Option<&'a str>, limit: u32) -> Kept<'a, RosterPage> {
        self.within.roster(group, after, limit)
    }

    fn count<'a>(&'a self, group: &'a str) -> Kept<'a, (u64, u64)> {
        self.within.count(group)
    }
}
