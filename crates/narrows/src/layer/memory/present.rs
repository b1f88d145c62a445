use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;
use std::time::Duration;

use narrows_core::{Changes, PresenceDiff, RosterPage, Taken};
use serde_json::Value;
use tokio::time::Instant;

use super::small_map::SmallMap;
use crate::sync::Arc;

/// The node of those who are away.
const NOBODY: u32 = 0;

/// A page ends with the person with whom it has this many bytes.
const PAGE_BYTES: usize = 256 << 10;

/// How many changed keys are remembered for the next diff: all that it may list, and some that may cancel out.
const REMEMBERED: usize = 2 * PresenceDiff::<Value>::CHANGES;

/// Who is in one group.
#[derive(Debug)]
pub(super) struct Present {
    connections: SmallMap<u128, Place>,
    /// The connections of each key, in the order in which they came.
    people: SmallMap<Arc<str>, Vec<u128>>,
    /// The keys that were touched since the last diff, and what stood with them then: `None` is nobody.
    before: HashMap<Arc<str>, Option<u64>>,
    /// More keys were touched than are remembered.
    overflows: bool,
    /// A roster was read since the last diff.
    seen: bool,
    version: u64,
    taken_at: Option<Instant>,
    changed_at: Option<Instant>,
}

/// One connection. What it says of itself is kept as text: as a tree it would be many times as large.
#[derive(Debug)]
struct Place {
    key: Arc<str>,
    meta: Box<str>,
    node: u32,
    /// When it is to be back, if it is away.
    until: Option<Instant>,
}

impl Present {
    pub(super) fn new(version: u64) -> Self {
        Self {
            connections: SmallMap::new(),
            people: SmallMap::new(),
            before: HashMap::new(),
            overflows: false,
            seen: false,
            version,
            taken_at: None,
            changed_at: None,
        }
    }

    pub(super) fn track(&mut self, connection: u128, key: &str, meta: Box<str>, node: u32, now: Instant) {
        if let Some(place) = self.connections.get_mut(&connection) {
            (place.node, place.until) = (node, None);
            if *place.key == *key && place.meta == meta {
                return;
            }
            let old = place.key.clone();
            self.touch(&old, now);
            if *old == *key {
                if let Some(place) = self.connections.get_mut(&connection) {
                    place.meta = meta;
                }
                return;
            }
            self.take_out(connection);
        }
        let key: Arc<str> = self.people.key(key).map_or_else(|| key.into(), Arc::clone);
        self.touch(&key, now);
        match self.people.get_mut(&*key) {
            Some(devices) => devices.push(connection),
            // Most people have one connection: no room to spare for more.
            None => self.people.insert(key.clone(), vec![connection]),
        }
        self.connections.insert(connection, Place { key, meta, node, until: None });
    }

    /// The node that has a connection; none has one that is away.
    pub(super) fn node_of(&self, connection: u128) -> Option<u32> {
        self.connections.get(&connection).map(|place| place.node).filter(|node| *node != NOBODY)
    }

    /// Takes a connection out, if the node has it.
    pub(super) fn remove(&mut self, connection: u128, node: u32, now: Instant) {
        if self.connections.get(&connection).is_some_and(|place| place.node == node) {
            self.drop_out(connection, now);
        }
    }

    /// Says until when a connection may come back; `false` when the node does not have it.
    pub(super) fn set_away(&mut self, connection: u128, node: u32, until: Instant) -> bool {
        let Some(place) = self.connections.get_mut(&connection) else { return false };
        let has = place.node == node;
        if has {
            (place.node, place.until) = (NOBODY, Some(until));
        }
        has
    }

    /// Takes out one who was to be back by this time, and is not; `false` when it was.
    pub(super) fn remove_away(&mut self, connection: u128, until: Instant, now: Instant) -> bool {
        let late = self.connections.get(&connection).is_some_and(|place| place.until == Some(until));
        if late {
            self.drop_out(connection, now);
        }
        late
    }

    /// Takes out the connections of these nodes; `false` when there were none.
    pub(super) fn remove_nodes(&mut self, nodes: &HashSet<u32>, now: Instant) -> bool {
        let of_nodes = self.connections.iter().filter(|(_, place)| nodes.contains(&place.node));
        let gone: Vec<u128> = of_nodes.map(|(connection, _)| *connection).collect();
        gone.iter().for_each(|connection| self.drop_out(*connection, now));
        !gone.is_empty()
    }

    fn drop_out(&mut self, connection: u128, now: Instant) {
        let Some(place) = self.connections.get(&connection) else { return };
        let key = place.key.clone();
        self.touch(&key, now);
        self.take_out(connection);
    }

    fn take_out(&mut self, connection: u128) {
        let Some(place) = self.connections.remove(&connection) else { return };
        let Some(devices) = self.people.get_mut(&*place.key) else { return };
        devices.retain(|device| *device != connection);
        if devices.is_empty() {
            self.people.remove(&*place.key);
        }
    }

    /// Notes what stands with a key before it changes.
    fn touch(&mut self, key: &Arc<str>, now: Instant) {
        self.changed_at.get_or_insert(now);
        if self.before.contains_key(key) {
            return;
        }
        if self.before.len() >= REMEMBERED {
            self.overflows = true;
            return;
        }
        let was = self.digest(key);
        self.before.insert(key.clone(), was);
    }

    /// The same for the same metas, in whatever order; `None` for nobody.
    fn digest(&self, key: &str) -> Option<u64> {
        static HASHER: LazyLock<RandomState> = LazyLock::new(RandomState::new);
        let metas = self.people.get(key)?.iter().filter_map(|device| self.meta(*device));
        Some(metas.fold(0, |sum: u64, meta| sum.wrapping_add(HASHER.hash_one(meta) | 1)))
    }

    /// Takes what changed, if nobody has within the period.
    pub(super) fn take(&mut self, now: Instant, period: Duration) -> Taken {
        if !self.has_changes() {
            return Taken::Nothing;
        }
        let passed = self.taken_at.map(|at| now.saturating_duration_since(at));
        if let Some(rest) = passed.and_then(|passed| period.checked_sub(passed)).filter(|r| !r.is_zero()) {
            return Taken::Later(rest);
        }
        self.changed_at = None;
        let (before, seen) = (std::mem::take(&mut self.before), std::mem::take(&mut self.seen));
        let mut changes = Changes {
            joins: BTreeMap::new(),
            updates: BTreeMap::new(),
            leaves: Vec::new(),
            count: self.count(),
            version: self.version + 1,
            partial: std::mem::take(&mut self.overflows),
        };
        let (mut listed, mut bytes) = (0, 0);
        for (key, was) in before {
            let is = self.digest(&key);
            if is == was && !seen {
                continue;
            }
            let of_key = self.bytes(&key);
            let fits =
                listed < PresenceDiff::<Value>::CHANGES && bytes + of_key <= PresenceDiff::<Value>::BYTES;
            if !fits && listed > 0 {
                // For the next one, as it stood before this one.
                self.before.insert(key, was);
                changes.partial = true;
                continue;
            }
            (listed, bytes) = (listed + 1, bytes + of_key);
            match (was, is) {
                (None, Some(_)) => drop(changes.joins.insert(key.to_string(), self.metas(&key))),
                (Some(_), Some(_)) => drop(changes.updates.insert(key.to_string(), self.metas(&key))),
                (_, None) => changes.leaves.push(key.to_string()),
            }
        }
        if listed == 0 && !changes.partial {
            return Taken::Nothing;
        }
        if !self.before.is_empty() {
            (self.changed_at, self.seen) = (Some(now), seen);
        }
        changes.leaves.sort_unstable();
        (self.version, self.taken_at) = (changes.version, Some(now));
        Taken::Changes(changes)
    }

    pub(super) fn page(&mut self, after: Option<&str>, limit: usize) -> RosterPage {
        self.seen |= self.has_changes();
        let mut rest = self.people.beyond(after).peekable();
        let (mut people, mut bytes, mut last) = (BTreeMap::new(), 0, None);
        while people.len() < limit.max(1)
            && bytes < PAGE_BYTES
            && let Some((key, devices)) = rest.next()
        {
            bytes += key.len() + self.listed(devices).map(str::len).sum::<usize>();
            people.insert(key.to_string(), self.listed(devices).map(tree).collect());
            last = Some(key);
        }
        let next = if rest.peek().is_some() { last.map(ToString::to_string) } else { None };
        RosterPage { people, count: self.count(), version: self.version, next }
    }

    fn metas(&self, key: &str) -> Vec<Value> {
        self.people.get(key).map(|devices| self.listed(devices).map(tree).collect()).unwrap_or_default()
    }

    /// About how much it is to list a key with what stands with it.
    fn bytes(&self, key: &str) -> usize {
        let devices = self.people.get(key).map(Vec::as_slice).unwrap_or_default();
        key.len() + 6 + self.listed(devices).map(|meta| meta.len() + 1).sum::<usize>()
    }

    fn listed<'a>(&'a self, devices: &'a [u128]) -> impl Iterator<Item = &'a str> {
        devices.iter().take(PresenceDiff::<Value>::METAS).filter_map(|device| self.meta(*device))
    }

    fn meta(&self, connection: u128) -> Option<&str> {
        self.connections.get(&connection).map(|place| &*place.meta)
    }

    pub(super) fn count(&self) -> u64 {
        self.people.len() as u64
    }

    pub(super) fn version(&self) -> u64 {
        self.version
    }

    pub(super) fn has_changes(&self) -> bool {
        self.changed_at.is_some()
    }

    /// Since when there are changes to take.
    pub(super) fn changed_at(&self) -> Option<Instant> {
        self.changed_at
    }

    /// Nobody is there, nothing is to be taken, and nothing was for so long.
    pub(super) fn is_over(&self, now: Instant, rest: Duration) -> bool {
        let rested = self.taken_at.is_none_or(|at| now.saturating_duration_since(at) >= rest);
        self.connections.is_empty() && !self.has_changes() && rested
    }
}

/// What a connection said of itself, as it was tracked.
fn tree(meta: &str) -> Value {
    serde_json::from_str(meta).unwrap_or_default()
}
