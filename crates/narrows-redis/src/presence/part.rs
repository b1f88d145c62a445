use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use narrows_core::LayerError;
use redis::ScriptInvocation;
use tokio::sync::oneshot;

use super::lease::read;
use super::node::Node;
use super::place::Place;
use super::scripts::{CHANGE, LEASE};
use crate::stores::{Stores, millis};

/// So many changes are one call, so that Redis is not held up by it.
const CALL: usize = 100;

/// So many are on their way at once.
const BATCH: usize = 1000;

/// So many may wait. Each has a caller that waits, too, for not longer than Redis may take to answer.
const QUEUE: usize = 100_000;

/// How often a call is tried whose node was found without a lease.
const TRIES: usize = 3;

/// The groups of one home, and what nodes change there: one batch at a time, and what comes meanwhile is the next.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) place: Place,
    pub(super) stores: Stores,
    /// How long what is there lasts when no node says that it lives.
    keep: Duration,
    state: Mutex<State>,
    /// Held by the one who gets a node a lease.
    beginning: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct State {
    nodes: HashMap<Arc<str>, Node>,
    waiting: Vec<Asked>,
    /// Somebody sends what waits.
    sending: bool,
}

/// What is to become of one connection in one group.
#[derive(Debug)]
pub(super) struct Change {
    pub(super) group: Arc<str>,
    pub(super) node: Arc<str>,
    pub(super) connection: [u8; 16],
    pub(super) what: What,
}

#[derive(Debug)]
pub(super) enum What {
    Here {
        key: String,
        meta: Vec<u8>,
    },
    /// Only where no other living node has it.
    Back {
        key: String,
        meta: Vec<u8>,
    },
    Left,
    Away(Duration),
}

/// A change, and who is to know whether it was done.
type Asked = (Change, oneshot::Sender<Result<bool, LayerError>>);

impl Part {
    pub(super) fn new(stores: Stores, place: Place, keep: Duration) -> Self {
        Self { place, stores, keep, state: Mutex::default(), beginning: tokio::sync::Mutex::default() }
    }

    /// Does a change, together with what others ask for at the same time; `false` where another node has the connection.
    pub(super) async fn change(self: &Arc<Self>, change: Change) -> Result<bool, LayerError> {
        let (done, is_done) = oneshot::channel();
        let idle = {
            let mut state = self.state();
            if state.waiting.len() >= QUEUE {
                return Err(LayerError::Unavailable("too many changes of presence wait for redis".into()));
            }
            state.waiting.push((change, done));
            !std::mem::replace(&mut state.sending, true)
        };
        if idle {
            tokio::spawn(self.clone().send());
        }
        is_done.await.unwrap_or(Err(LayerError::Closed))
    }

    async fn send(self: Arc<Self>) {
        loop {
            let batch: Vec<Asked> = {
                let mut state = self.state();
                let most = state.waiting.len().min(BATCH);
                if most == 0 {
                    state.sending = false;
                    return;
                }
                state.waiting.drain(..most).collect()
            };
            let calls = into_calls(batch);
            join_all(calls.into_iter().map(|asked| self.answer(asked))).await;
        }
    }

    /// Does changes of one node in one group, and tells those who asked for them.
    async fn answer(&self, asked: Vec<Asked>) {
        let (changes, waiting): (Vec<Change>, Vec<_>) = asked.into_iter().unzip();
        let result = self.perform(&changes).await;
        for (nth, done) in (0..).zip(waiting) {
            // Nobody waits any more when the layer ends.
            let _ = done.send(result.as_ref().map(|undone| !undone.contains(&nth)).map_err(again));
        }
    }

    /// Gives the places of those that were not done.
    async fn perform(&self, changes: &[Change]) -> Result<Vec<i64>, LayerError> {
        let Some(Change { group, node, .. }) = changes.first() else { return Ok(Vec::new()) };
        for _ in 0..TRIES {
            let life = self.life_of(node).await?;
            let (number, done, alive) =
                self.with(node, |known| (known.next_call(), known.done(), self.alive(known.lease)));
            let call = self.call(changes, group, &life, (number, done), alive);
            let mut answer: Vec<i64> = read(self.stores.call(&self.place.home, &call).await?)?;
            match answer.first() {
                Some(1 | 2) => {
                    let is_last = answer.remove(0) == 2;
                    self.with(node, |node| {
                        node.is_done(&life, number);
                        if is_last {
                            node.rest(&life);
                        }
                    });
                    return Ok(answer);
                }
                Some(0) => self.with(node, |node| node.lose(&life)),
                // Overtaken by a later one.
                _ => {}
            }
        }
        Err(LayerError::Unavailable("redis forgets the lease of this node again and again".into()))
    }

    fn call(
        &self,
        changes: &[Change],
        group: &str,
        life: &str,
        (number, done): (u64, u64),
        alive: u64,
    ) -> ScriptInvocation<'static> {
        let mut call = self.place.call(&CHANGE, group);
        call.key(&self.place.leases).key(&self.place.calls);
        call.key(self.place.groups_of(life)).key(self.place.conns_of(life, group));
        call.arg(life).arg(number).arg(done).arg(alive);
        for Change { connection, what, .. } in changes {
            match what {
                What::Here { key, meta } => call.arg("t").arg(connection).arg(key).arg(&meta[..]),
                What::Back { key, meta } => call.arg("r").arg(connection).arg(key).arg(&meta[..]),
                What::Left => call.arg("l").arg(connection),
                What::Away(time) => call.arg("a").arg(connection).arg(millis(*time)),
            };
        }
        call
    }

    /// The name under which a node has a lease here, a new one where it has none.
    async fn life_of(&self, node: &Arc<str>) -> Result<String, LayerError> {
        if let Some(life) = self.with(node, |node| node.life()) {
            return Ok(life);
        }
        let _one = self.beginning.lock().await;
        let (known, next) = self.with(node, |node| (node.life(), node.next_life()));
        if let Some(life) = known {
            return Ok(life);
        }
        self.stores.call(&self.place.home, &self.lease(node, &next, "new")).await?;
        self.with(node, |node| node.begin(next.clone()));
        Ok(next)
    }

    /// The call for a lease: a `new` one, to `renew` it, or to `look` at those of others.
    pub(super) fn lease(&self, node: &Arc<str>, life: &str, what: &str) -> ScriptInvocation<'static> {
        let (lease, done) = self.with(node, |node| (node.lease, node.done()));
        let Place { leases, calls, dead, changed, waiting, .. } = &self.place;
        let mut call = LEASE.key(leases);
        call.key(calls).key(dead).key(changed).key(waiting);
        call.arg(life).arg(what).arg(millis(lease)).arg(done).arg(self.alive(lease));
        call.arg(millis(lease / 3)).arg(millis(super::lease::CLAIM));
        call
    }

    /// How long what a node has lasts without it, in milliseconds.
    pub(super) fn alive(&self, lease: Duration) -> u64 {
        millis(self.keep.max(lease.saturating_mul(4)))
    }

    /// The same, as long as any of the nodes here would have it.
    pub(super) fn alive_of_all(&self) -> u64 {
        let longest = self.state().nodes.values().map(|node| node.lease).max();
        self.alive(longest.unwrap_or_default())
    }

    /// Looks at what is known of a node.
    pub(super) fn with<T>(&self, node: &Arc<str>, look: impl FnOnce(&mut Node) -> T) -> T {
        look(self.state().nodes.entry(node.clone()).or_insert_with(|| Node::new(node)))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sorts changes into calls: those of one node in one group together, in their order.
fn into_calls(asked: Vec<Asked>) -> Vec<Vec<Asked>> {
    let mut calls: Vec<Vec<Asked>> = Vec::new();
    let mut open: HashMap<(Arc<str>, Arc<str>), usize> = HashMap::new();
    for one in asked {
        let of = (one.0.node.clone(), one.0.group.clone());
        match open.get(&of).filter(|at| calls[**at].len() < CALL) {
            Some(&at) => calls[at].push(one),
            None => {
                open.insert(of, calls.len());
                calls.push(vec![one]);
            }
        }
    }
    calls
}

/// The same error for one more caller.
fn again(error: &LayerError) -> LayerError {
    let text = match std::error::Error::source(error) {
        Some(source) => source.to_string(),
        None => error.to_string(),
    };
    match error {
        LayerError::Refused(_) => LayerError::Refused(text.into()),
        LayerError::Closed => LayerError::Closed,
        _ => LayerError::Unavailable(text.into()),
    }
}
