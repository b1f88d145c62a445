use std::collections::{HashMap, HashSet};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use narrows_core::{Changes, LayerError, Taken};
use tokio::time::Instant;

use super::diff;
use super::register::{Presences, Task, Underway};
use crate::sync::Arc;

/// When a store that failed is asked again.
const RETRY: Duration = Duration::from_secs(1);

/// How many groups' changes are asked for at once.
const AT_ONCE: usize = 64;

/// Looks after a node's presence, as long as there is any: it renews the lease, has the store told again what it did not
/// take, and publishes what changed. One task for all.
pub(super) async fn run(presences: Arc<Presences>) {
    let mut keeper = Keeper {
        alive: Alive { presences, ended: false },
        retry_at: None,
        fails: false,
        renewing: None,
        mending: None,
        mend_at: None,
        publishing: FuturesUnordered::new(),
        busy: HashSet::new(),
        unsent: HashMap::new(),
        resend_at: None,
    };
    while keeper.step().await {}
}

/// Publishes what is due, once.
pub(super) async fn publish_all(presences: &Arc<Presences>) {
    loop {
        let Some(group) = presences.table().due.take(Instant::now() + RETRY, |_| true) else { return };
        publish(presences.clone(), group).await;
    }
}

struct Keeper {
    alive: Alive,
    /// When the lease is renewed, where that failed.
    retry_at: Option<Instant>,
    /// That it failed has been logged.
    fails: bool,
    renewing: Option<Renewing>,
    mending: Option<Task>,
    /// When the store is told again what it did not take: not at once where it did not take it again.
    mend_at: Option<Instant>,
    publishing: FuturesUnordered<Publishing>,
    /// The groups that are being published: a group's diffs go out one after another.
    busy: HashSet<Arc<str>>,
    /// Diffs that the layer did not take: of each group that there was one.
    unsent: HashMap<Arc<str>, Changes>,
    resend_at: Option<Instant>,
}

type Renewing = std::pin::Pin<Box<dyn Future<Output = Result<(), LayerError>> + Send>>;
type Publishing = std::pin::Pin<Box<dyn Future<Output = (Arc<str>, Outcome)> + Send>>;

/// What became of a group's changes.
enum Outcome {
    Done,
    /// To be asked for again in this time.
    Later(Duration),
    /// Taken, and not published.
    Unsent(Changes),
}

impl Keeper {
    /// Does what is due, and waits for the next; `false` when nobody needs it any more.
    async fn step(&mut self) -> bool {
        let presences = self.alive.presences.clone();
        let now = Instant::now();
        if self.renewing.is_none() && self.renews_at(&presences, now) <= now {
            let asked = presences.clone();
            self.renewing = Some(Box::pin(async move { asked.renew().await }));
        }
        self.resend(&presences, now);
        let next = {
            let mut table = presences.table();
            if self.may_mend() && self.mend_at.is_none_or(|at| at <= now) {
                let ids = table.take_failed();
                self.mending = (!ids.is_empty()).then(|| presences.mend(ids));
            }
            while self.publishing.len() < AT_ONCE
                && let Some(group) = table.due.take(now, |group| !self.busy.contains(group))
            {
                self.busy.insert(group.clone());
                self.publishing.push(underway(&presences, publish(presences.clone(), group)));
            }
            let at_work = self.mending.is_some() || !self.publishing.is_empty() || !self.unsent.is_empty();
            if table.is_idle() && !at_work {
                table.kept = false;
                self.alive.ended = true;
                return false;
            }
            let has_room = self.publishing.len() < AT_ONCE;
            let due = table.due.next(|group| !self.busy.contains(group)).filter(|_| has_room);
            let mends_at = self.mend_at.filter(|_| self.may_mend() && table.has_failed());
            due.into_iter().chain(mends_at).min()
        };
        let renews_at = self.renewing.is_none().then(|| self.renews_at(&presences, now));
        let next = [next, renews_at, self.resend_at].into_iter().flatten().min();
        tokio::select! {
            biased;
            renewed = renewed(&mut self.renewing) => self.note_renewed(renewed),
            () = presences.wake.notified() => {}
            () = sleep_until(next) => {}
            () = mended(&mut self.mending) => self.mend_at = Some(Instant::now() + RETRY),
            Some((group, outcome)) = self.publishing.next() => self.note(&presences, group, outcome),
        }
        true
    }

    fn may_mend(&self) -> bool {
        self.mending.is_none() && self.retry_at.is_none()
    }

    /// When the lease is to be renewed: in a third of it, and when somebody who went away is late.
    fn renews_at(&self, presences: &Presences, now: Instant) -> Instant {
        if let Some(retry_at) = self.retry_at {
            return retry_at;
        }
        let table = presences.table();
        let due = table.renewed_at.map_or(now, |at| at + presences.lease / 3);
        table.away.first().map_or(due, |late| due.min(*late))
    }

    fn note_renewed(&mut self, renewed: Result<(), LayerError>) {
        match renewed {
            Ok(()) => {
                if std::mem::take(&mut self.fails) {
                    tracing::info!("presence is kept again");
                }
                (self.retry_at, self.mend_at) = (None, None);
            }
            Err(error) => {
                self.retry_at = Some(Instant::now() + RETRY.min(self.alive.presences.lease / 3));
                if !std::mem::replace(&mut self.fails, true) {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "the channel layer does not keep presence, and is asked again until it does"
                    );
                }
            }
        }
    }

    fn note(&mut self, presences: &Presences, group: Arc<str>, outcome: Outcome) {
        self.busy.remove(&group);
        match outcome {
            Outcome::Done => {}
            Outcome::Later(rest) => {
                // A period without end is never over.
                if let Some(at) = Instant::now().checked_add(rest) {
                    presences.table().due.note(&group, at);
                }
            }
            Outcome::Unsent(changes) => {
                let partial = diff::without_lists(changes);
                self.unsent.insert(group, partial);
                self.resend_at.get_or_insert(Instant::now() + RETRY);
            }
        }
    }

    /// Publishes again what the layer did not take: that there was something, and what is so now.
    fn resend(&mut self, presences: &Arc<Presences>, now: Instant) {
        if self.resend_at.is_none_or(|at| at > now) {
            return;
        }
        self.resend_at = None;
        let groups: Vec<_> = self.unsent.keys().filter(|g| !self.busy.contains(*g)).cloned().collect();
        for group in groups {
            if self.publishing.len() >= AT_ONCE {
                break;
            }
            if let Some(changes) = self.unsent.remove(&group) {
                self.busy.insert(group.clone());
                let sent = send_again(presences.clone(), group, changes);
                self.publishing.push(underway(presences, sent));
            }
        }
        if !self.unsent.is_empty() {
            self.resend_at = Some(now + RETRY);
        }
    }
}

/// Work that a node waits for when it ends.
fn underway(
    presences: &Arc<Presences>,
    work: impl Future<Output = (Arc<str>, Outcome)> + Send + 'static,
) -> Publishing {
    let underway = Underway::new(presences);
    Box::pin(async move {
        let done = work.await;
        drop(underway);
        done
    })
}

/// Takes a group's changes, and tells its companions of them.
async fn publish(presences: Arc<Presences>, group: Arc<str>) -> (Arc<str>, Outcome) {
    let taken = match presences.store() {
        Ok(store) => store.take_changes(&group, presences.period).await,
        Err(error) => Err(error),
    };
    match taken {
        Ok(Taken::Nothing) => (group, Outcome::Done),
        Ok(Taken::Later(rest)) => (group, Outcome::Later(rest)),
        Ok(Taken::Changes(changes)) => {
            let now = (changes.count, changes.version);
            send(presences, group, changes, now).await
        }
        Err(error) => {
            tracing::debug!(%group, %error, "changes of a group's presence were not taken");
            (group, Outcome::Later(RETRY))
        }
    }
}

/// Tells a group's companions of changes that the layer did not take before. Another node may have told of later ones since, and a
/// number that is old by now would stand: what goes out is the one of now.
async fn send_again(presences: Arc<Presences>, group: Arc<str>, changes: Changes) -> (Arc<str>, Outcome) {
    let counted = match presences.store() {
        Ok(store) => store.count(&group).await,
        Err(error) => Err(error),
    };
    match counted {
        Ok((_, version)) if version <= changes.version => {
            let now = (changes.count, changes.version);
            send(presences, group, changes, now).await
        }
        Ok(now) => send(presences, group, changes, now).await,
        Err(error) => {
            tracing::debug!(%group, %error, "a diff of a group's presence waits on");
            (group, Outcome::Unsent(changes))
        }
    }
}

async fn send(
    presences: Arc<Presences>,
    group: Arc<str>,
    changes: Changes,
    now: (u64, u64),
) -> (Arc<str>, Outcome) {
    match diff::publish(&presences.hub, &group, &changes, now).await {
        // The store has the rest.
        Ok(()) if changes.partial => (group, Outcome::Later(presences.period)),
        Ok(()) => (group, Outcome::Done),
        Err(error) => {
            let (version, error) = (changes.version, &error as &dyn std::error::Error);
            tracing::warn!(%group, version, error, "a diff of a group's presence was not published");
            (group, Outcome::Unsent(changes))
        }
    }
}

async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}

async fn renewed(renewing: &mut Option<Renewing>) -> Result<(), LayerError> {
    let renewed = match renewing {
        Some(running) => running.await,
        None => std::future::pending().await,
    };
    *renewing = None;
    renewed
}

async fn mended(mending: &mut Option<Task>) {
    match mending {
        Some(running) => running.await,
        None => std::future::pending().await,
    }
    *mending = None;
}

/// Says when a keeper was cut off with its runtime: the next who tracks begins another.
struct Alive {
    presences: Arc<Presences>,
    /// It has ended by itself, and there may be another one already.
    ended: bool,
}

impl Drop for Alive {
    fn drop(&mut self) {
        if !self.ended {
            self.presences.table().kept = false;
        }
    }
}
