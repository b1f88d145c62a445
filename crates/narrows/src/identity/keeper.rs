use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::Instant;

use super::asking::Asking;
use super::holder::Holder;
use super::register::Identities;
use crate::shard::Shard;
use crate::sync::{Arc, lock};

/// When a check that failed is asked again about those whose time is over.
pub(super) const RETRY: Duration = Duration::from_secs(5);

/// How many holders are looked at before others have their turn.
const CHUNK: usize = 1024;

/// Looks after the holders that have an end or a check, as long as there are any: one task for all.
pub(super) async fn run(identities: Arc<Identities>, shard: Arc<Shard>) {
    let mut keeper = Keeper {
        turn_at: next_turn(&identities),
        turn: None,
        asking: None,
        identities: Alive { identities, ended: false },
        shard,
    };
    while keeper.step().await {}
}

struct Keeper {
    identities: Alive,
    shard: Arc<Shard>,
    /// When all are checked next.
    turn_at: Option<Instant>,
    turn: Option<Work>,
    /// The check of those who are due, beside which a turn may go on.
    asking: Option<Work>,
}

type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

impl Keeper {
    /// Does what is due, and waits for the next; `false` when nobody needs it any more.
    async fn step(&mut self) -> bool {
        let identities = self.identities.identities.clone();
        let now = Instant::now();
        let over = lock(&identities.table).take_over(now, CHUNK);
        over.iter().for_each(|holder| identities.expire(holder));
        if over.len() == CHUNK {
            tokio::task::yield_now().await;
            return true;
        }
        if self.asking.is_none() {
            let due = lock(&identities.table).next_ask().is_some_and(|at| at <= now);
            self.asking = due.then(|| Box::pin(ask_due(identities.clone(), self.shard.clone())) as Work);
        }
        if self.turn.is_none() && self.is_turn(now) {
            self.turn_at = next_turn(&identities);
            self.turn = Some(Box::pin(ask_all(identities.clone(), self.shard.clone())));
        }
        let mut next = {
            let mut table = lock(&identities.table);
            if table.tended == 0 {
                table.kept = false;
                self.identities.ended = true;
                return false;
            }
            let ask = table.next_ask().filter(|_| self.asking.is_none());
            table.next_end().into_iter().chain(ask).min()
        };
        next = next.into_iter().chain(self.turn_at.filter(|_| self.turn.is_none())).min();
        tokio::select! {
            () = identities.wake.notified() => {}
            () = sleep_until(next) => {}
            () = done(&mut self.asking) => {}
            () = done(&mut self.turn) => {}
        }
        true
    }

    fn is_turn(&self, now: Instant) -> bool {
        self.identities.identities.gap.swap(false, Ordering::AcqRel)
            || self.turn_at.is_some_and(|at| at <= now)
    }
}

fn next_turn(identities: &Identities) -> Option<Instant> {
    let period = identities.check_period;
    if period.is_zero() { None } else { Instant::now().checked_add(period) }
}

async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}

async fn done(work: &mut Option<Work>) {
    match work {
        Some(running) => running.await,
        None => std::future::pending().await,
    }
    *work = None;
}

/// Asks about those who are due; where that fails they are due again after a while.
async fn ask_due(identities: Arc<Identities>, shard: Arc<Shard>) {
    let mut asking = Asking::new(identities.clone(), shard);
    let now = Instant::now();
    loop {
        let due = lock(&identities.table).take_asks(now, CHUNK);
        if due.is_empty() {
            break;
        }
        asking.add(due);
        tokio::task::yield_now().await;
    }
    let again = |holder: &Arc<Holder>| lock(&identities.table).ask(holder, Instant::now() + RETRY);
    asking.ask(again).await;
}

/// Asks about all who have a check.
async fn ask_all(identities: Arc<Identities>, shard: Arc<Shard>) {
    let mut asking = Asking::new(identities.clone(), shard);
    for from in (0..).step_by(CHUNK) {
        let Some(holders) = lock(&identities.table).checked(from, CHUNK) else { break };
        asking.add(holders);
        tokio::task::yield_now().await;
    }
    asking.ask(|_| {}).await;
}

/// Says when a keeper was cut off with its runtime: the next who binds begins another.
struct Alive {
    identities: Arc<Identities>,
    /// It has ended by itself, and there may be another one already.
    ended: bool,
}

impl Drop for Alive {
    fn drop(&mut self) {
        if !self.ended {
            lock(&self.identities.table).kept = false;
        }
    }
}
