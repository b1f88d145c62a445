//! What the checks of presence ask a node, and one who keeps a roster.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use super::super::suite::{Failure, ensure, fail, fresh_group};
use super::{LONG, POLL};
use crate::{Absence, Changes, LayerError, PresenceEntry, PresenceStore, Renewed, RosterPage, Taken};

/// The group that a check is about.
#[derive(Clone)]
pub(super) struct Room(pub(super) Arc<str>);

impl Room {
    pub(super) fn fresh() -> Self {
        Self(fresh_group().name().into())
    }
}

/// One node's presence.
#[derive(Clone)]
pub(super) struct Node {
    pub(super) store: PresenceStore,
    pub(super) name: Arc<str>,
    pub(super) patience: Duration,
    pub(super) _layers: Arc<dyn Send + Sync>,
}

impl Node {
    pub(super) async fn answered<T>(
        &self,
        call: &str,
        answer: impl Future<Output = Result<T, LayerError>>,
    ) -> Result<T, Failure> {
        match timeout(self.patience, answer).await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => fail(format!("{call} failed: {error}")),
            Err(_) => fail(format!("{call} did not answer in {:?}", self.patience)),
        }
    }

    pub(super) async fn track(
        &self,
        room: &Room,
        connection: u128,
        key: &str,
        meta: Value,
    ) -> Result<(), Failure> {
        let entry = PresenceEntry { connection, key: key.to_owned(), meta };
        self.answered("track", self.store.track(&room.0, &self.name, &entry)).await
    }

    pub(super) async fn retrack(
        &self,
        room: &Room,
        connection: u128,
        key: &str,
        meta: Value,
    ) -> Result<bool, Failure> {
        let entry = PresenceEntry { connection, key: key.to_owned(), meta };
        self.answered("retrack", self.store.retrack(&room.0, &self.name, &entry)).await
    }

    /// Tracks the connections of these numbers, a key each, several at once.
    pub(super) async fn track_many(
        &self,
        room: &Room,
        numbers: std::ops::Range<usize>,
    ) -> Result<(), Failure> {
        let mut tracking = JoinSet::new();
        for number in numbers {
            if tracking.len() >= 64
                && let Some(tracked) = tracking.join_next().await
            {
                tracked.expect("it does not panic")?;
            }
            let (node, room) = (self.clone(), room.clone());
            tracking.spawn(async move {
                let key = key(number);
                node.track(&room, number as u128, &key, json!({"key": key})).await
            });
        }
        while let Some(tracked) = tracking.join_next().await {
            tracked.expect("it does not panic")?;
        }
        Ok(())
    }

    pub(super) async fn untrack(
        &self,
        room: &Room,
        connection: u128,
        absence: Absence,
    ) -> Result<(), Failure> {
        self.answered("untrack", self.store.untrack(&room.0, &self.name, connection, absence)).await
    }

    pub(super) async fn renew(&self, lease: Duration) -> Result<Renewed, Failure> {
        self.answered("renew", self.store.renew(&self.name, lease)).await
    }

    pub(super) async fn take(&self, room: &Room, period: Duration) -> Result<Taken, Failure> {
        self.answered("take_changes", self.store.take_changes(&room.0, period)).await
    }

    pub(super) async fn page(
        &self,
        room: &Room,
        after: Option<&str>,
        limit: u32,
    ) -> Result<RosterPage, Failure> {
        self.answered("roster", self.store.roster(&room.0, after, limit)).await
    }

    pub(super) async fn count(&self, room: &Room) -> Result<(u64, u64), Failure> {
        self.answered("count", self.store.count(&room.0)).await
    }

    /// The changes that are to be there.
    pub(super) async fn changes(&self, room: &Room) -> Result<Changes, Failure> {
        match self.take(room, Duration::ZERO).await? {
            Taken::Changes(changes) => Ok(changes),
            other => fail(format!("there are changes to take, but it says {other:?}")),
        }
    }

    pub(super) async fn nothing(&self, room: &Room) -> Result<(), Failure> {
        match self.take(room, Duration::ZERO).await? {
            Taken::Nothing => Ok(()),
            other => fail(format!("nothing changed, but it says {other:?}")),
        }
    }

    /// Renews until it is told of the group, and takes its changes.
    pub(super) async fn wait_for_changes(&self, room: &Room, patience: Duration) -> Result<Changes, Failure> {
        let deadline = Instant::now() + patience;
        while !self.renew(LONG).await?.changed.iter().any(|group| *group == *room.0) {
            ensure(Instant::now() < deadline, || format!("no changes were found in {patience:?}"))?;
            sleep(POLL).await;
        }
        self.changes(room).await
    }

    /// Renews and takes, until so many are left in the group. Gives what was taken.
    pub(super) async fn take_until(
        &self,
        room: &Room,
        left: u64,
        patience: Duration,
    ) -> Result<Option<Changes>, Failure> {
        let deadline = Instant::now() + patience;
        loop {
            let renewed = self.renew(LONG).await?;
            let over = self.count(room).await?.0 == left;
            if let Taken::Changes(changes) = self.take(room, Duration::ZERO).await? {
                return Ok(Some(changes));
            }
            if over && !renewed.changed.iter().any(|group| *group == *room.0) {
                return Ok(None);
            }
            ensure(Instant::now() < deadline, || format!("nobody left in {patience:?}"))?;
            sleep(POLL).await;
        }
    }

    /// Renews until another node is taken for dead.
    pub(super) async fn forget(
        &self,
        other: &Self,
        patience: Duration,
        lease: Duration,
    ) -> Result<(), Failure> {
        let room = Room::fresh();
        // Its lease begins now, with the witness.
        other.renew(lease).await?;
        other.track(&room, 1, "witness", json!(1)).await?;
        self.changes(&room).await?;
        let deadline = Instant::now() + patience;
        while self.count(&room).await?.0 > 0 {
            ensure(Instant::now() < deadline, || "a node that does not renew is not taken for dead".into())?;
            self.renew(LONG).await?;
            sleep(POLL).await;
        }
        self.changes(&room).await.map(drop)
    }
}

/// One who read a roster and takes in the diffs behind it.
pub(super) struct Reader {
    pub(super) people: BTreeMap<String, Vec<Value>>,
    pub(super) version: u64,
}

impl Reader {
    pub(super) fn new(page: RosterPage) -> Self {
        Self { people: page.people, version: page.version }
    }

    pub(super) fn take_in(&mut self, changes: Changes) -> Result<(), Failure> {
        ensure(changes.version == self.version + 1, || {
            format!("behind version {} comes {}", self.version, changes.version)
        })?;
        self.version = changes.version;
        self.people.extend(changes.joins);
        self.people.extend(changes.updates);
        self.people.retain(|key, _| !changes.leaves.contains(key));
        Ok(())
    }
}

/// The key of the connection with this number, in the order of the numbers.
pub(super) fn key(number: usize) -> String {
    format!("k{number:06}")
}

pub(super) fn keys(people: &BTreeMap<String, Vec<Value>>) -> Vec<&str> {
    people.keys().map(String::as_str).collect()
}
