use std::io;
use std::sync::Weak;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use narrows_core::{LayerError, Topic};
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::digest::SessionDigest;
use super::holder::{Bound, Holder};
use super::notice::{Notice, notices};
use super::recent::{Known, Since};
use super::table::Table;
use super::{Identity, Standing, keeper};
use crate::hub::{Hub, Seat, Taker};
use crate::shard::{Quota, Shard, Watch};
use crate::stats::{Counters, DropReason};
use crate::sync::{Arc, Mutex, lock};

/// The identities of a node's connections: it hears the notices of their end, and has them checked.
///
/// The layer is asked for the notices when the first connection comes that has an identity.
pub(crate) struct Identities {
    hub: Arc<Hub>,
    pub(super) counters: Arc<Counters>,
    topic: Topic,
    pub(super) check_period: Duration,
    /// Keeps the topic of the notices wanted, once it was.
    seat: Mutex<Option<Seat>>,
    /// The layer has promised the notices.
    hears: AtomicBool,
    /// How many notices were heard.
    heard: AtomicU64,
    pub(super) table: Mutex<Table>,
    /// Wakes the keeper. Tokio's own, as no model has a keeper.
    pub(super) wake: tokio::sync::Notify,
    /// Notices may have been lost.
    pub(super) gap: AtomicBool,
    quota: Mutex<Quota>,
    /// Checks in the node's watch, and how long one may hold its shard up.
    pub(super) code: u16,
    pub(super) long_handler: Duration,
}

/// Why a connection does not get its identity.
#[derive(Debug)]
pub(crate) enum NotBound {
    /// It has ended on the way.
    Ended,
    /// Notices of its end would not be heard.
    Layer(Arc<LayerError>),
    Shards(io::Error),
}

/// What the check of an identity says first.
pub(crate) struct First(oneshot::Receiver<bool>);

impl First {
    /// Whether it holds; `None` when that cannot be found out now.
    pub(crate) async fn holds(self) -> Option<bool> {
        self.0.await.ok()
    }
}

impl Identities {
    pub(crate) fn new(
        hub: Arc<Hub>,
        watch: &Watch,
        long_handler: Duration,
        check_period: Duration,
    ) -> Arc<Self> {
        Arc::new(Self {
            hub,
            counters: watch.counters.clone(),
            topic: notices().topic(),
            check_period,
            seat: Mutex::new(None),
            hears: AtomicBool::new(false),
            heard: AtomicU64::new(0),
            table: Mutex::default(),
            wake: tokio::sync::Notify::new(),
            gap: AtomicBool::new(false),
            quota: Mutex::default(),
            code: watch.number("identities"),
            long_handler,
        })
    }

    /// The moment before somebody looks whether an identity holds: notices from then on will be known.
    pub(crate) fn now(&self) -> Since {
        if self.hears.load(Ordering::Acquire) {
            Since(Some(self.heard.load(Ordering::Acquire)))
        } else {
            Since::UNKNOWN
        }
    }

    /// Makes an identity known until what is returned is dropped. Once it is done, no later notice is missed; one
    /// that came since then counts, too.
    ///
    /// # Cancel safety
    /// Dropped before it is done, nothing is known.
    pub(crate) async fn bind(
        self: &Arc<Self>,
        identity: Identity,
        since: Since,
        shard: &Arc<Shard>,
    ) -> Result<Bound, NotBound> {
        self.enter(identity, since, shard, None).await
    }

    /// As [`bind`](Self::bind), for an identity into which nobody has looked lately: its check, if it has one, is asked
    /// at once, and what it says first is given.
    pub(crate) async fn bind_again(
        self: &Arc<Self>,
        identity: Identity,
        shard: &Arc<Shard>,
    ) -> Result<(Bound, Option<First>), NotBound> {
        let (told, first) = identity.check().map(|_| oneshot::channel()).unzip();
        let bound = self.enter(identity, Since::UNKNOWN, shard, told).await?;
        Ok((bound, first.map(First)))
    }

    async fn enter(
        self: &Arc<Self>,
        identity: Identity,
        since: Since,
        shard: &Arc<Shard>,
        first: Option<oneshot::Sender<bool>>,
    ) -> Result<Bound, NotBound> {
        self.listen().await.map_err(NotBound::Layer)?;
        let session = identity.session().map(SessionDigest::of);
        let expires = identity.expires().and_then(instant_of);
        let mut table = lock(&self.table);
        let known = table.recent.known(since, session, identity.user());
        if known == Known::Ended {
            self.counters.ended_by_notice.fetch_add(1, Ordering::Relaxed);
            return Err(NotBound::Ended);
        }
        let make = |number| Holder::new(self.clone(), identity.clone(), session, number, first);
        let holder = table.insert(&identity, session, expires, make);
        if known == Known::Unclear {
            table.ask(&holder, Instant::now());
        }
        let begins = table.tended > 0 && !table.kept;
        table.kept |= begins;
        drop(table);
        self.counters.identities.fetch_add(1, Ordering::Relaxed);
        let bound = Bound::new(holder);
        if begins {
            shard.spawn_task(keeper::run(self.clone(), shard.clone()));
        } else {
            self.wake.notify_one();
        }
        Ok(bound)
    }

    /// Waits until the layer has promised the notices.
    async fn listen(self: &Arc<Self>) -> Result<(), Arc<LayerError>> {
        while !self.hears.load(Ordering::Acquire) {
            // Each who waits wants it for itself: an attempt that failed is made again for the next.
            let (wanted, subscribed) = {
                let mut seat = lock(&self.seat);
                if seat.is_none() {
                    let ear = Arc::new(Ear(Arc::downgrade(self)));
                    *seat = Some(Seat::new(self.hub.clone(), &self.topic, Some(ear)).0);
                }
                Seat::new(self.hub.clone(), &self.topic, None::<Arc<Ear>>)
            };
            subscribed.wait().await?;
            let seat = lock(&self.seat);
            self.hears.store(seat.is_some(), Ordering::Release);
            drop(seat);
            drop(wanted);
        }
        Ok(())
    }

    /// Wants the notices no longer, until the next connection with an identity.
    pub(crate) fn let_go(&self) {
        let seat = {
            let mut seat = lock(&self.seat);
            self.hears.store(false, Ordering::Release);
            seat.take()
        };
        drop(seat);
        self.note_gap();
    }

    fn note_gap(&self) {
        let mut table = lock(&self.table);
        self.heard.store(table.recent.note_gap(), Ordering::Release);
    }

    #[cfg(all(test, not(narrows_loom)))]
    pub(super) fn table(&self) -> crate::sync::MutexGuard<'_, Table> {
        lock(&self.table)
    }

    pub(super) fn forget(&self, holder: &Holder) {
        let mut table = lock(&self.table);
        table.remove(holder);
        let idle = table.tended == 0 && table.kept;
        drop(table);
        self.counters.identities.fetch_sub(1, Ordering::Relaxed);
        if idle {
            // The keeper goes.
            self.wake.notify_one();
        }
    }

    fn hear(&self, payload: &Bytes) {
        let notice = match self.hub.format().decode::<Notice>(payload) {
            Ok(notice) => notice,
            Err(error) => {
                self.counters.drop_of(DropReason::Undecodable, 1);
                let quota = lock(&self.quota).take(std::time::Instant::now());
                if let Some(left_out) = quota {
                    let group = self.topic.name();
                    tracing::warn!(group, %error, left_out, "a notice of an end was not understood");
                }
                return;
            }
        };
        let mut table = lock(&self.table);
        self.heard.store(table.recent.note(&notice), Ordering::Release);
        let ended = match &notice {
            Notice::SessionEnd { session } => table.of_session(session),
            Notice::UserEnd { user, except } => {
                let mut holders = table.of_user(user);
                holders.retain(|holder| except.is_none() || holder.session != *except);
                holders
            }
            Notice::UserCheck { user } => {
                let now = Instant::now();
                table.of_user(user).iter().for_each(|holder| table.ask(holder, now));
                Vec::new()
            }
        };
        drop(table);
        if let Notice::UserCheck { .. } = notice {
            self.wake.notify_one();
        }
        let ended = ended.iter().filter(|holder| holder.end()).count();
        self.counters.ended_by_notice.fetch_add(ended as u64, Ordering::Relaxed);
    }

    /// Ends a holder whose time is over.
    pub(super) fn expire(&self, holder: &Holder) {
        if holder.end() {
            self.counters.ended_by_expiry.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Takes in what a check said of a holder.
    pub(super) fn answer(&self, holder: &Arc<Holder>, standing: Standing) {
        let now = Instant::now();
        match standing {
            Standing::Holds(until) => {
                // One that is over already by this machine's clock is asked about again, but not at once.
                let is_over = until.is_some_and(|until| until <= SystemTime::now());
                let until = if is_over { Some(now + keeper::RETRY) } else { until.and_then(instant_of) };
                lock(&self.table).set_expires(holder, until);
                holder.hold();
            }
            Standing::Ended => {
                let is_over = lock(&self.table).is_over(holder, now);
                if is_over {
                    self.expire(holder);
                } else if holder.end() {
                    self.counters.ended_by_check.fetch_add(1, Ordering::Relaxed);
                }
            }
        }
    }
}

/// The layer's way to the identities of a node; weak, as they own the seat that has it.
struct Ear(Weak<Identities>);

impl Taker for Ear {
    fn take_in(&self, payload: &Bytes) -> bool {
        if let Some(identities) = self.0.upgrade() {
            identities.hear(payload);
        }
        true
    }

    fn gap(&self) {
        if let Some(identities) = self.0.upgrade() {
            // For those on their way, and those who are here.
            identities.note_gap();
            identities.gap.store(true, Ordering::Release);
            identities.wake.notify_one();
        }
    }
}

/// The same moment on the clock that does not jump; `None` when it is too far away.
fn instant_of(time: SystemTime) -> Option<Instant> {
    let left = time.duration_since(SystemTime::now()).unwrap_or_default();
    Instant::now().checked_add(left)
}
