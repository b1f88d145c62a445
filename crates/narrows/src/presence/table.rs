use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use narrows_core::{Absence, LayerError, PresenceEntry};
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::due::Due;
use crate::sync::Arc;

/// One connection in one group.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Id {
    pub(super) connection: u128,
    pub(super) group: Arc<str>,
}

/// What the one who asked is told. An error of `None`: somebody else has the connection now.
pub(super) type Answer = Result<(), Option<Arc<LayerError>>>;

/// All that a node tracks, and what its keeper has to do.
#[derive(Default)]
pub(super) struct Table {
    entries: HashMap<Id, Entry>,
    /// How many of the entries are there to stay.
    pub(super) tracked: usize,
    /// Which entries the store did not take, to be tried again.
    failed: Vec<Id>,
    /// There are more of them than stand there.
    overflowed: bool,
    /// The store has forgotten the node: all is tracked anew.
    pub(super) forgotten: bool,
    pub(super) due: Due,
    /// When connections that went away are late, or another node is; a few moments for all of them.
    pub(super) away: BTreeSet<Instant>,
    /// How many want to see the leaves of other nodes.
    pub(super) watching: usize,
    /// When the lease was renewed last.
    pub(super) renewed_at: Option<Instant>,
    /// A keeper runs.
    pub(super) kept: bool,
}

/// What the store is to know, so that it can be told again.
struct Entry {
    /// Which object of a connection has it: the later one.
    owner: u64,
    key: Box<str>,
    meta: Box<str>,
    /// What is not done yet.
    work: Option<Box<Work>>,
}

struct Work {
    want: Want,
    /// The store is to be asked, or asked again.
    waits: bool,
    /// Somebody is at it.
    driven: bool,
    /// Key and meta that the store took before, for when it does not take these.
    before: Option<(Box<str>, Box<str>)>,
    asks: Option<oneshot::Sender<Answer>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Want {
    Track,
    /// As the node had it: unless it came back elsewhere.
    Retrack,
    /// Out, since then.
    Untrack(Absence, Instant),
}

/// What the store is asked for next.
pub(super) enum Call {
    Track(PresenceEntry),
    Retrack(PresenceEntry),
    Untrack(Absence),
}

/// What the store made of a call.
pub(super) enum Done {
    Yes,
    /// Another node has the connection.
    Taken,
    Failed(Arc<LayerError>),
}

impl Table {
    /// Where there are more they are looked for among all.
    const MAX_FAILED: usize = 1 << 16;

    pub(super) fn is_idle(&self) -> bool {
        self.entries.is_empty() && self.due.is_empty() && self.away.is_empty() && self.watching == 0
    }

    /// Tracks a connection, or updates it. Whether somebody has to drive it, or `None` when it is another's.
    pub(super) fn set(
        &mut self,
        id: &Id,
        owner: u64,
        key: Box<str>,
        meta: Box<str>,
        asks: oneshot::Sender<Answer>,
    ) -> Option<bool> {
        let new = |want, before| Work { want, waits: true, driven: false, before, asks: None };
        let entry = match self.entries.entry(id.clone()) {
            std::collections::hash_map::Entry::Vacant(vacant) => {
                let work = Some(Box::new(new(Want::Track, None)));
                self.tracked += 1;
                vacant.insert(Entry { owner, key, meta, work })
            }
            std::collections::hash_map::Entry::Occupied(occupied) => {
                let entry = occupied.into_mut();
                if entry.owner > owner {
                    return None;
                }
                let want = if entry.owner == owner { Want::Retrack } else { Want::Track };
                let old = std::mem::replace(&mut entry.key, key);
                let before = Some((old, std::mem::replace(&mut entry.meta, meta)));
                entry.owner = owner;
                match &mut entry.work {
                    None => entry.work = Some(Box::new(new(want, before))),
                    Some(work) => {
                        let was_out = matches!(work.want, Want::Untrack(..));
                        self.tracked += usize::from(was_out);
                        // Of one that is new, or on its way out, the store has nothing to go back to.
                        let is_new = work.want == Want::Track && work.before.is_none();
                        if was_out || is_new {
                            work.want = Want::Track;
                        } else {
                            work.want = want;
                            // What the store has, or is told again.
                            work.before = work.before.take().or(before);
                        }
                        work.waits = true;
                    }
                }
                entry
            }
        };
        let work = entry.work.as_mut()?;
        work.asks = Some(asks);
        Some(!std::mem::replace(&mut work.driven, true))
    }

    /// Takes a connection out, if this owner has it. Whether somebody has to drive it, or `None` when it is not there.
    pub(super) fn release(&mut self, id: &Id, owner: u64, absence: Absence, now: Instant) -> Option<bool> {
        let entry = self.entries.get_mut(id).filter(|entry| entry.owner == owner)?;
        let want = Want::Untrack(absence, now);
        let work = entry.work.get_or_insert_with(|| {
            Box::new(Work { want: Want::Track, waits: false, driven: false, before: None, asks: None })
        });
        if matches!(work.want, Want::Untrack(..)) {
            return None;
        }
        self.tracked -= 1;
        (work.want, work.waits, work.before, work.asks) = (want, true, None, None);
        Some(!std::mem::replace(&mut work.driven, true))
    }

    /// Whether it is there to stay, and this owner's: to be released by it.
    pub(super) fn keeps(&self, id: &Id, owner: u64) -> bool {
        self.kept_by(id, owner).is_some()
    }

    /// The key under which this owner has it.
    pub(super) fn key(&self, id: &Id, owner: u64) -> Option<Box<str>> {
        self.kept_by(id, owner).map(|entry| entry.key.clone())
    }

    fn kept_by(&self, id: &Id, owner: u64) -> Option<&Entry> {
        let is_out = |work: &Work| matches!(work.want, Want::Untrack(..));
        let kept = |entry: &&Entry| entry.owner == owner && !entry.work.as_deref().is_some_and(is_out);
        self.entries.get(id).filter(kept)
    }

    /// The next call for an entry that is driven; `None` when all is done.
    pub(super) fn next_call(&mut self, id: &Id, now: Instant) -> Option<Call> {
        let entry = self.entries.get_mut(id)?;
        let work = entry.work.as_mut()?;
        if !std::mem::take(&mut work.waits) {
            entry.work = None;
            return None;
        }
        let whole = || PresenceEntry {
            connection: id.connection,
            key: entry.key.to_string(),
            meta: serde_json::from_str(&entry.meta).unwrap_or_default(),
        };
        Some(match work.want {
            Want::Track => Call::Track(whole()),
            Want::Retrack => Call::Retrack(whole()),
            Want::Untrack(Absence::Away(time), since) => match time.checked_sub(now - since) {
                Some(rest) if !rest.is_zero() => Call::Untrack(Absence::Away(rest)),
                _ => Call::Untrack(Absence::Left),
            },
            Want::Untrack(Absence::Left, _) => Call::Untrack(Absence::Left),
        })
    }

    /// Takes in what became of the last call. `true` when there is another one to make at once.
    pub(super) fn note(&mut self, id: &Id, done: Done) -> bool {
        let Some(entry) = self.entries.get_mut(id) else { return false };
        let Some(work) = &mut entry.work else { return false };
        if work.waits {
            // Something else is wanted by now. What the store has is not certain: there is nothing to go back to.
            return true;
        }
        let (out, asks) = (matches!(work.want, Want::Untrack(..)), work.asks.take());
        let (answer, gone): (Answer, bool) = match done {
            Done::Yes => (Ok(()), out),
            Done::Taken => (Err(None), true),
            Done::Failed(error) => {
                (work.waits, work.driven) = (true, false);
                match work.before.take() {
                    Some((key, meta)) if !out => {
                        (entry.key, entry.meta, work.want) = (key, meta, Want::Retrack);
                    }
                    _ if !out && work.want == Want::Track => {
                        // It may be there all the same.
                        work.want = Want::Untrack(Absence::Left, Instant::now());
                        self.tracked -= 1;
                    }
                    _ => {}
                }
                self.fail(id.clone());
                tell(asks, Err(Some(error)));
                return false;
            }
        };
        if gone {
            self.tracked -= usize::from(!out);
            self.remove(id);
        } else {
            entry.work = None;
        }
        tell(asks, answer);
        false
    }

    /// Somebody who was at it is gone.
    pub(super) fn abandon(&mut self, id: &Id) {
        if let Some(work) = self.entries.get_mut(id).and_then(|entry| entry.work.as_mut()) {
            (work.waits, work.driven) = (true, false);
            self.fail(id.clone());
        }
    }

    fn fail(&mut self, id: Id) {
        if self.failed.len() < Self::MAX_FAILED {
            self.failed.push(id);
        } else {
            self.overflowed = true;
        }
    }

    fn remove(&mut self, id: &Id) {
        self.entries.remove(id);
        if self.entries.capacity() > 4 * self.entries.len() + 1024 {
            self.entries.shrink_to_fit();
        }
    }

    /// Whether the store is to be asked again for some.
    pub(super) fn has_failed(&self) -> bool {
        self.forgotten || !self.failed.is_empty()
    }

    /// The entries that the store is to be asked for again, each to be driven by the caller.
    pub(super) fn take_failed(&mut self) -> Vec<Id> {
        let (failed, overflowed) = (std::mem::take(&mut self.failed), std::mem::take(&mut self.overflowed));
        if std::mem::take(&mut self.forgotten) {
            let mut all = Vec::with_capacity(self.entries.len());
            for (id, entry) in &mut self.entries {
                let work = entry.work.get_or_insert_with(|| {
                    Box::new(Work {
                        want: Want::Retrack,
                        waits: true,
                        driven: false,
                        before: None,
                        asks: None,
                    })
                });
                work.waits = true;
                if !std::mem::replace(&mut work.driven, true) {
                    all.push(id.clone());
                }
            }
            return all;
        }
        if overflowed {
            let waiting = self.entries.iter_mut().filter_map(|(id, entry)| {
                let work = entry.work.as_mut().filter(|work| work.waits && !work.driven)?;
                work.driven = true;
                Some(id.clone())
            });
            return waiting.collect();
        }
        let entries = &mut self.entries;
        let wanted = failed.into_iter().filter(|id| {
            let work = entries.get_mut(id).and_then(|entry| entry.work.as_mut());
            work.is_some_and(|work| !std::mem::replace(&mut work.driven, true))
        });
        wanted.collect()
    }

    /// Notes when a connection that went away is late, or another node, a moment later, so that few moments stand for many.
    pub(super) fn note_away(&mut self, base: Instant, late: Instant) {
        const GRAIN: u128 = 100;
        let since = late.saturating_duration_since(base).as_millis();
        let grains = u64::try_from(since / GRAIN + 1).unwrap_or(u64::MAX / GRAIN as u64);
        if let Some(at) = base.checked_add(Duration::from_millis(grains * GRAIN as u64)) {
            self.away.insert(at);
        }
    }
}

fn tell(asks: Option<oneshot::Sender<Answer>>, answer: Answer) {
    if let Some(asks) = asks {
        // Whoever asked may have given up.
        let _ = asks.send(answer);
    }
}

#[cfg(all(test, not(narrows_loom)))]
#[path = "table_tests.rs"]
mod tests;
