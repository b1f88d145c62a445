//! Presence in Redis: who is in a group, kept for as long as the nodes that have the connections live.

mod lease;
mod node;
mod part;
mod person;
mod place;
mod scripts;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use narrows_core::{
    Absence, Changes, KeepPresence, Kept, LayerError, PresenceDiff, PresenceEntry, Renewed, RosterPage, Taken,
};
use redis::Value;

use self::lease::read;
use self::part::{Change, Part, What};
use self::person::Metas;
use self::place::Place;
use self::scripts::{ROSTER, TAKE};
use crate::options::RedisOptions;
use crate::stores::{Stores, millis, unexpected};

/// How many homes the groups have where there are several servers. A node has a lease in each that it uses, and looks
/// at all of them when it renews.
const HOMES: u32 = 16;

/// A page of a roster ends with the person with whom it has this many bytes.
const PAGE_BYTES: usize = 256 << 10;

/// So many bytes of changes are taken at once, or one person's where these are more. A diff has room for 256 KiB, as JSON.
const DIFF_BYTES: usize = 200 << 10;

/// The largest page that is asked of Redis.
const PAGE: u32 = 1000;

/// Presence in Redis. Each group is in one of a few homes, with the leases of the nodes that have connections there, so
/// that a script sees both in one step.
#[derive(Debug, Clone)]
pub(crate) struct Presences(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    stores: Stores,
    parts: Vec<Arc<Part>>,
    metas: Metas,
}

impl Presences {
    pub(crate) fn new(stores: Stores, options: &RedisOptions) -> Self {
        let homes = if stores.is_spread() { HOMES } else { 1 };
        let parts = (0..homes).map(|number| {
            let place = Place::new(stores.of(&format!("presence.{number}")));
            Arc::new(Part::new(stores.clone(), place, options.group_expiry))
        });
        let metas = Metas::new(options.wire().keys, options.max_message_bytes);
        Self(Arc::new(Inner { parts: parts.collect(), stores, metas }))
    }
}

impl Inner {
    fn part_of(&self, group: &str) -> Arc<Part> {
        self.parts[crc32fast::hash(group.as_bytes()) as usize % self.parts.len()].clone()
    }

    async fn renew(&self, node: Arc<str>, lease: Duration) -> Result<Renewed, LayerError> {
        let renewed = join_all(self.parts.iter().map(|part| part.clone().renew(node.clone(), lease))).await;
        let (mut changed, mut failed, mut next) = (BTreeSet::new(), None, None);
        for renewed in renewed {
            match renewed {
                Ok((groups, ends)) => {
                    next = Some(next.map_or(ends, |next: Duration| next.min(ends)));
                    changed.extend(groups);
                }
                Err(error) => failed = Some(error),
            }
        }
        match failed {
            Some(error) if next.is_none() => return Err(error),
            // What is there loses its lease if it stays away, and is tracked anew then.
            Some(error) => tracing::warn!(%error, "presence cannot be kept on one of several servers"),
            None => {}
        }
        let forgets = |part: &Arc<Part>| part.with(&node, |node| std::mem::take(&mut node.forgotten));
        let forgotten = self.parts.iter().filter(|part| forgets(part)).count() > 0;
        let again = next.filter(|next| *next < lease / 3);
        Ok(Renewed { forgotten, changed: changed.into_iter().collect(), again })
    }

    async fn take(&self, group: &str, period: Duration) -> Result<Taken, LayerError> {
        let part = self.part_of(group);
        let mut call = part.place.call(&TAKE, group);
        let period = if period.is_zero() { 0 } else { millis(period) };
        call.arg(part.alive_of_all()).arg(period);
        call.arg(PresenceDiff::<serde_json::Value>::CHANGES).arg(DIFF_BYTES);
        let (beside, share) = self.metas.sent();
        call.arg(beside).arg(share);
        let answer = self.stores.call(&part.place.home, &call).await?;
        let Value::Array(mut answer) = answer else { return Err(unexpected(&answer)) };
        match answer.first() {
            Some(Value::Int(0)) => Ok(Taken::Nothing),
            Some(Value::Int(1)) => {
                let (_, rest): (u8, u64) = read(Value::Array(answer))?;
                Ok(Taken::Later(Duration::from_millis(rest)))
            }
            _ => {
                answer.drain(..1);
                let (count, version, left, joins, updates, mut leaves): Changed = read(Value::Array(answer))?;
                leaves.sort_unstable();
                let (joins, updates) = (self.people(joins), self.people(updates));
                Ok(Taken::Changes(Changes { joins, updates, leaves, count, version, partial: left > 0 }))
            }
        }
    }

    fn people(&self, listed: Vec<(String, Vec<u8>)>) -> BTreeMap<String, Vec<serde_json::Value>> {
        listed.into_iter().map(|(key, person)| (key, self.metas.open(&person))).collect()
    }

    async fn roster(&self, group: &str, after: Option<&str>, limit: u32) -> Result<RosterPage, LayerError> {
        let part = self.part_of(group);
        let mut call = ROSTER.prepare_invoke();
        for kind in ["people", "names", "changes", "state"] {
            call.key(part.place.of_group(kind, group));
        }
        let from = after.map_or("-".to_owned(), |after| format!("({after}"));
        call.arg(from).arg(limit.min(PAGE)).arg(PAGE_BYTES);
        let answer = self.stores.call(&part.place.home, &call).await?;
        let (count, version, more, keys, people): Page = read(answer)?;
        let next = if more > 0 { keys.last().cloned() } else { None };
        let people = self.people(keys.into_iter().zip(people).collect());
        Ok(RosterPage { people, count, version, next })
    }
}

/// What the script that takes changes answers: the count, the version, how many are left, joins, updates and leaves.
type Changed = (u64, u64, u64, Vec<(String, Vec<u8>)>, Vec<(String, Vec<u8>)>, Vec<String>);

/// What the script for a page answers: the count, the version, whether there are more, keys, and people.
type Page = (u64, u64, u8, Vec<String>, Vec<Vec<u8>>);

impl KeepPresence for Presences {
    fn track<'a>(&'a self, group: &'a str, node: &'a str, entry: &'a PresenceEntry) -> Kept<'a, ()> {
        let what = self.0.metas.seal(&entry.meta).map(|meta| What::Here { key: entry.key.clone(), meta });
        Box::pin(async move { self.change(group, node, entry.connection, what?).await.map(drop) })
    }

    fn retrack<'a>(&'a self, group: &'a str, node: &'a str, entry: &'a PresenceEntry) -> Kept<'a, bool> {
        let what = self.0.metas.seal(&entry.meta).map(|meta| What::Back { key: entry.key.clone(), meta });
        Box::pin(async move { self.change(group, node, entry.connection, what?).await })
    }

    fn untrack<'a>(
        &'a self,
        group: &'a str,
        node: &'a str,
        connection: u128,
        absence: Absence,
    ) -> Kept<'a, ()> {
        let what = match absence {
            Absence::Away(time) if !time.is_zero() => What::Away(time),
            Absence::Away(_) | Absence::Left => What::Left,
        };
        Box::pin(async move { self.change(group, node, connection, what).await.map(drop) })
    }

    fn renew<'a>(&'a self, node: &'a str, lease: Duration) -> Kept<'a, Renewed> {
        let (inner, node) = (self.0.clone(), node.into());
        Box::pin(self.0.stores.run(async move { inner.renew(node, lease).await }))
    }

    fn take_changes<'a>(&'a self, group: &'a str, period: Duration) -> Kept<'a, Taken> {
        let (inner, group) = (self.0.clone(), group.to_owned());
        Box::pin(self.0.stores.run(async move { inner.take(&group, period).await }))
    }

    fn roster<'a>(&'a self, group: &'a str, after: Option<&'a str>, limit: u32) -> Kept<'a, RosterPage> {
        let (inner, group, after) = (self.0.clone(), group.to_owned(), after.map(str::to_owned));
        Box::pin(self.0.stores.run(async move { inner.roster(&group, after.as_deref(), limit.max(1)).await }))
    }

    fn count<'a>(&'a self, group: &'a str) -> Kept<'a, (u64, u64)> {
        Box::pin(async move {
            let page = self.roster(group, None, 1).await?;
            Ok((page.count, page.version))
        })
    }
}

impl Presences {
    fn change(
        &self,
        group: &str,
        node: &str,
        connection: u128,
        what: What,
    ) -> impl Future<Output = Result<bool, LayerError>> + Send + 'static {
        let part = self.0.part_of(group);
        let change =
            Change { group: group.into(), node: node.into(), connection: connection.to_be_bytes(), what };
        let stores = self.0.stores.clone();
        async move { stores.run(async move { part.change(change).await }).await }
    }
}
