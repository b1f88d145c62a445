use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::StreamExt;
use narrows_core::{Absence, LayerError, PresenceStore};
use tokio::sync::{oneshot, watch};
use tokio::time::Instant;

use super::PresenceError;
use super::keeper;
use super::table::{Call, Done, Id, Table};
use crate::channels::Channels;
use crate::hub::Hub;
use crate::stats::Counters;
use crate::sync::{Arc, Mutex, MutexGuard, lock};

/// The presence of a node's connections: what the store is to know of them, and what was told to it.
///
/// The calls for one connection in one group are made one after another, and go on when the connection does not.
pub(crate) struct Presences {
    pub(super) hub: Arc<Hub>,
    store: Option<PresenceStore>,
    /// No other node has it or had it.
    node: Box<str>,
    pub(super) lease: Duration,
    pub(super) period: Duration,
    counters: Arc<Counters>,
    table: Mutex<Table>,
    /// Wakes the keeper. Tokio's own, as no model has a keeper.
    pub(super) wake: tokio::sync::Notify,
    /// Held by the one who makes the node known.
    renewing: Arc<tokio::sync::Mutex<()>>,
    /// How many diffs are on their way.
    publishing: watch::Sender<usize>,
    owners: AtomicU64,
    pub(super) began: Instant,
}

/// How long the first change of a group waits for others, so that one diff tells of them.
const GRACE: Duration = Duration::from_millis(50);

impl Presences {
    /// Below that a node would spend its time with saying that it lives.
    const SHORTEST_LEASE: Duration = Duration::from_millis(100);

    pub(crate) fn new(
        hub: Arc<Hub>,
        counters: Arc<Counters>,
        lease: Duration,
        period: Duration,
    ) -> Arc<Self> {
        Arc::new(Self {
            store: hub.presence(),
            hub,
            node: URL_SAFE_NO_PAD.encode(rand::random::<u128>().to_be_bytes()).into(),
            lease: lease.max(Self::SHORTEST_LEASE),
            period,
            counters,
            table: Mutex::default(),
            wake: tokio::sync::Notify::new(),
            renewing: Arc::default(),
            publishing: watch::Sender::new(0),
            owners: AtomicU64::new(0),
            began: Instant::now(),
        })
    }

    pub(super) fn store(&self) -> Result<&PresenceStore, LayerError> {
        self.store.as_ref().ok_or(LayerError::Unsupported { power: "presence" })
    }

    pub(super) fn table(&self) -> MutexGuard<'_, Table> {
        lock(&self.table)
    }

    /// A number for the next object of a connection: a later one has a higher one.
    pub(super) fn next_owner(&self) -> u64 {
        self.owners.fetch_add(1, Ordering::Relaxed)
    }

    /// Makes sure that the store knows this node.
    ///
    /// # Cancel safety
    /// Dropped, it goes on: what the store has to say is said once.
    pub(super) async fn be_known(self: &Arc<Self>) -> Result<(), LayerError> {
        let fresh = || {
            let renewed_at = self.table().renewed_at;
            renewed_at.is_some_and(|at| at.elapsed() < self.lease / 2)
        };
        if fresh() {
            return Ok(());
        }
        let one = self.renewing.clone().lock_owned().await;
        if fresh() {
            return Ok(());
        }
        let (asks, answered) = oneshot::channel();
        let presences = self.clone();
        self.hub.see_through(Box::pin(async move {
            let renewed = presences.renew().await;
            drop(one);
            // Whoever asked may have given up.
            let _ = asks.send(renewed);
        }));
        answered.await.unwrap_or(Err(LayerError::Closed))
    }

    /// Says that this node lives, and takes in what the store has to say to that.
    pub(super) async fn renew(&self) -> Result<(), LayerError> {
        let asked_at = Instant::now();
        let renewed = self.store()?.renew(&self.node, self.lease).await?;
        let now = Instant::now();
        let mut table = self.table();
        table.renewed_at = Some(asked_at);
        table.away.retain(|late| *late > asked_at);
        table.forgotten |= renewed.forgotten && table.tracked > 0;
        if let Some(late) = renewed.again.and_then(|again| now.checked_add(again)) {
            table.note_away(self.began, late);
        }
        for group in renewed.changed {
            table.due.note(&group.into(), now);
        }
        Ok(())
    }

    /// Tracks a connection, or updates it; done once the store has it.
    pub(super) async fn set(
        self: &Arc<Self>,
        channels: &Channels,
        id: Id,
        owner: u64,
        key: Box<str>,
        meta: Box<str>,
    ) -> Result<(), PresenceError> {
        self.be_known().await?;
        let (asks, answered) = oneshot::channel();
        let drive = self.table().set(&id, owner, key, meta, asks).ok_or(PresenceError::Closed)?;
        self.keep(channels);
        if drive {
            self.see_through(id);
        }
        match answered.await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(Some(error))) => Err(PresenceError::Layer(error)),
            Ok(Err(None)) | Err(_) => Err(PresenceError::Closed),
        }
    }

    /// Takes a connection out, if this owner has it; `false` when it does not. Whatever becomes of the caller, the store
    /// is told.
    pub(super) fn release(self: &Arc<Self>, id: Id, owner: u64, absence: Absence) -> bool {
        let released = self.table().release(&id, owner, absence, Instant::now());
        if released == Some(true) {
            self.see_through(id);
        }
        released.is_some()
    }

    fn see_through(self: &Arc<Self>, id: Id) {
        self.hub.see_through(Box::pin(Driver { presences: self.clone(), id, done: false }.run()));
    }

    /// Asks the store for what it did not take, or forgot.
    pub(super) fn mend(self: &Arc<Self>, ids: Vec<Id>) -> Task {
        // Enough that the way to a store and back is not waited for each time, and few enough to leave it to others.
        const AT_ONCE: usize = 64;
        let drivers = ids.into_iter().map(|id| Driver { presences: self.clone(), id, done: false });
        // Made before the first one runs: those that do not get there are to be asked for again, too.
        let drivers: Vec<_> = drivers.collect();
        Box::pin(futures_util::stream::iter(drivers).for_each_concurrent(AT_ONCE, Driver::run))
    }

    /// Notes that a group has changes to publish.
    fn note_change(&self, group: &Arc<str>) {
        let at = Instant::now() + GRACE.min(self.period);
        if self.table().due.note(group, at) {
            self.wake.notify_one();
        }
    }

    /// Has a keeper look after the table, if none does.
    pub(super) fn keep(self: &Arc<Self>, channels: &Channels) {
        let begins = {
            let mut table = self.table();
            let begins = !table.kept && !table.is_idle();
            table.kept |= begins;
            self.counters.tracked.store(table.tracked as u64, Ordering::Relaxed);
            begins
        };
        if begins && !channels.spawn_somewhere(keeper::run(self.clone())) {
            self.table().kept = false;
        }
    }

    /// Sees to it that this node looks for others that died, until what is returned is dropped.
    pub(crate) fn watch(self: &Arc<Self>, channels: &Channels) -> Option<Watching> {
        self.store.as_ref()?;
        self.table().watching += 1;
        let watching = Watching(self.clone());
        self.keep(channels);
        Some(watching)
    }

    pub(super) fn count(&self, table: &Table) {
        self.counters.tracked.store(table.tracked as u64, Ordering::Relaxed);
    }

    /// Publishes what is due, once, and waits for what is on its way: the node ends.
    pub(crate) async fn let_go(self: &Arc<Self>) {
        keeper::publish_all(self).await;
        // It ends with this object only.
        let _ = self.publishing.subscribe().wait_for(|publishing| *publishing == 0).await;
    }
}

/// One that wants to see who leaves, also with other nodes.
pub(crate) struct Watching(Arc<Presences>);

impl Drop for Watching {
    fn drop(&mut self) {
        self.0.table().watching -= 1;
        self.0.wake.notify_one();
    }
}

/// Changes that were taken, or are about to be, and are not published yet.
pub(super) struct Underway(Arc<Presences>);

impl Underway {
    pub(super) fn new(presences: &Arc<Presences>) -> Self {
        presences.publishing.send_modify(|publishing| *publishing += 1);
        Self(presences.clone())
    }
}

impl Drop for Underway {
    fn drop(&mut self) {
        self.0.publishing.send_modify(|publishing| *publishing -= 1);
    }
}

/// Brings the store in line with the table for one connection in one group.
struct Driver {
    presences: Arc<Presences>,
    id: Id,
    done: bool,
}

impl Driver {
    async fn run(mut self) {
        let presences = self.presences.clone();
        loop {
            let Some(call) = presences.table().next_call(&self.id, Instant::now()) else { break };
            let changes = self.ask(&presences, call).await;
            let done = match changes {
                Ok(true) => {
                    presences.note_change(&self.id.group);
                    Done::Yes
                }
                Ok(false) => Done::Taken,
                Err(error) => Done::Failed(Arc::new(error)),
            };
            let mut table = presences.table();
            let more = table.note(&self.id, done);
            presences.count(&table);
            drop(table);
            if !more {
                break;
            }
        }
        self.done = true;
        // What failed, and the end of the last one, are for the keeper.
        presences.wake.notify_one();
    }

    async fn ask(&self, presences: &Presences, call: Call) -> Result<bool, LayerError> {
        let (store, group, node) = (presences.store()?, &*self.id.group, &*presences.node);
        match call {
            Call::Track(entry) => store.track(group, node, &entry).await.map(|()| true),
            Call::Retrack(entry) => store.retrack(group, node, &entry).await,
            Call::Untrack(absence) => {
                store.untrack(group, node, self.id.connection, absence).await?;
                if let Absence::Away(time) = absence
                    && let Some(late) = Instant::now().checked_add(time)
                {
                    presences.table().note_away(presences.began, late);
                }
                Ok(true)
            }
        }
    }
}

impl Drop for Driver {
    /// Cut off with its runtime, or by a panic of the store's.
    fn drop(&mut self) {
        if !self.done {
            self.presences.table().abandon(&self.id);
            self.presences.wake.notify_one();
        }
    }
}

/// A future that goes on when the one who began it does not.
pub(super) type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

#[cfg(all(test, not(narrows_loom)))]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[tokio::test]
    async fn a_node_that_ends_waits_for_diffs_on_their_way() {
        let channels = Channels::builder().on_this_thread().build();
        let presences = channels.presences();
        let (first, second) = (Underway::new(presences), Underway::new(presences));
        let mut ends = std::pin::pin!(presences.let_go());
        assert!(ends.as_mut().now_or_never().is_none());
        drop(first);
        assert!(ends.as_mut().now_or_never().is_none());
        drop(second);
        ends.await;
    }
}
