use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet, VecDeque};
use std::future::ready;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use narrows_core::{Absence, KeepPresence, Kept, PresenceEntry, Renewed, RosterPage, Taken};
use tokio::time::Instant;

use super::present::Present;
use crate::stripes::{STRIPES, Stripes};
use crate::sync::{Arc, Mutex, lock};

/// How long an empty group is remembered: longer than any sensible period between two diffs.
const REMEMBERED: Duration = Duration::from_secs(60);

/// The presence of all groups on one bus.
#[derive(Debug)]
pub(super) struct Presences {
    parts: Stripes<Part>,
    /// Held for reading while something is tracked, so that its node does not die in between.
    nodes: RwLock<Nodes>,
    away: Mutex<BinaryHeap<Reverse<Back>>>,
    /// The highest version of a group that was forgotten.
    versions: AtomicU64,
}

/// When a connection is to be back, in which group, and which one.
type Back = (Instant, Arc<str>, u128);

#[derive(Debug, Default)]
struct Part {
    groups: HashMap<Arc<str>, Present>,
    /// Those with changes to take.
    changed: HashSet<Arc<str>>,
    /// Those in which nobody was left, and when.
    empty: VecDeque<(Instant, Arc<str>)>,
}

/// From whom a node takes a connection that it tracks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Taking {
    FromAnybody,
    /// Only where no living node has it.
    NotFromOthers,
}

/// The nodes by name: a number each, never given twice, and the end of its lease.
#[derive(Debug, Default)]
struct Nodes {
    alive: HashMap<Box<str>, (u32, Instant)>,
    last: u32,
}

impl Default for Presences {
    fn default() -> Self {
        Self {
            parts: Stripes::new(|_| Part::default()),
            nodes: RwLock::default(),
            away: Mutex::default(),
            versions: AtomicU64::new(0),
        }
    }
}

impl Presences {
    /// Has a node's number, and keeps it from dying meanwhile.
    fn enter(&self, group: &str, node: &str, entry: &PresenceEntry, taken_from: Taking) -> bool {
        let nodes = self.read_nodes();
        if let Some((number, _)) = nodes.alive.get(node) {
            return self.enter_as(&nodes, group, *number, entry, taken_from);
        }
        drop(nodes);
        let mut nodes = self.write_nodes();
        let known = nodes.alive.get(node).map(|(number, _)| *number);
        // Without a lease: the next renewal of another node ends it.
        let number = known.unwrap_or_else(|| nodes.begin(node, Instant::now()));
        self.enter_as(&nodes, group, number, entry, taken_from)
    }

    fn enter_as(
        &self,
        nodes: &Nodes,
        group: &str,
        node: u32,
        entry: &PresenceEntry,
        taken_from: Taking,
    ) -> bool {
        let now = Instant::now();
        let meta = entry.meta.to_string().into_boxed_str();
        let mut part = self.parts.of_name(group);
        if !part.groups.contains_key(group) {
            part.groups.insert(group.into(), Present::new(self.first_version()));
        }
        let entered = part.change(group, |present| {
            let other = present.node_of(entry.connection).filter(|other| *other != node);
            let taken =
                taken_from == Taking::NotFromOthers && other.is_some_and(|other| nodes.is_alive(other, now));
            if !taken {
                present.track(entry.connection, &entry.key, meta, node, now);
            }
            !taken
        });
        entered == Some(true)
    }

    fn leave(&self, group: &str, node: u32, connection: u128, absence: Absence) {
        let now = Instant::now();
        let until = match absence {
            Absence::Away(time) if !time.is_zero() => now.checked_add(time),
            _ => None,
        };
        let mut part = self.parts.of_name(group);
        let Some((name, _)) = part.groups.get_key_value(group) else { return };
        let name = name.clone();
        part.change(group, |present| match until {
            Some(until) if present.set_away(connection, node, until) => {
                lock(&self.away).push(Reverse((until, name, connection)));
            }
            Some(_) => {}
            None => present.remove(connection, node, now),
        });
    }

    fn renewed(&self, node: &str, lease: Duration) -> Renewed {
        let now = Instant::now();
        let (forgotten, dead, again) = self.write_nodes().renew(node, lease, now);
        let mut changed = self.take_out_late(now);
        for number in 0..STRIPES {
            let mut part = self.parts.at(number);
            if !dead.is_empty() {
                changed.extend(part.take_out_nodes(&dead, now));
            }
            changed.extend(part.stale(now, lease / 3));
        }
        changed.sort_unstable();
        changed.dedup();
        Renewed { forgotten, changed, again }
    }

    /// Takes out those who were to be back by now.
    fn take_out_late(&self, now: Instant) -> Vec<String> {
        let mut changed = Vec::new();
        while let Some((until, group, connection)) = self.next_late(now) {
            let mut part = self.parts.of_name(&group);
            if part.change(&group, |present| present.remove_away(connection, until, now)) == Some(true) {
                changed.push(group.to_string());
            }
        }
        changed
    }

    fn next_late(&self, now: Instant) -> Option<Back> {
        let mut away = lock(&self.away);
        away.peek().filter(|Reverse((until, ..))| *until <= now)?;
        away.pop().map(|Reverse(back)| back)
    }

    fn taken(&self, group: &str, period: Duration) -> Taken {
        let now = Instant::now();
        let mut part = self.parts.of_name(group);
        part.forget_empty(now, &self.versions);
        let Some(present) = part.groups.get_mut(group) else { return Taken::Nothing };
        let taken = present.take(now, period);
        if !present.has_changes() {
            let empty = present.is_over(now, Duration::ZERO);
            if let Some(name) = part.changed.take(group)
                && empty
            {
                part.empty.push_back((now, name));
            }
            if part.changed.is_empty() {
                // A rush of thousands leaves nothing behind.
                part.changed.shrink_to(64);
            }
        }
        taken
    }

    fn page(&self, group: &str, after: Option<&str>, limit: u32) -> RosterPage {
        if let Some(present) = self.parts.of_name(group).groups.get_mut(group) {
            return present.page(after, limit as usize);
        }
        RosterPage { people: Default::default(), count: 0, version: self.last_version(), next: None }
    }

    fn counted(&self, group: &str) -> (u64, u64) {
        match self.parts.of_name(group).groups.get(group) {
            Some(present) => (present.count(), present.version()),
            None => (0, self.last_version()),
        }
    }

    fn last_version(&self) -> u64 {
        self.versions.load(Ordering::Relaxed)
    }

    /// Not below those of any group that was forgotten.
    fn first_version(&self) -> u64 {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        u64::try_from(now).unwrap_or_default().max(self.last_version())
    }

    fn read_nodes(&self) -> RwLockReadGuard<'_, Nodes> {
        self.nodes.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_nodes(&self) -> RwLockWriteGuard<'_, Nodes> {
        self.nodes.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Nodes {
    /// Whether a node was not known, the numbers of those whose leases are over, and when the next one's is, if that is
    /// before the node renews again.
    fn renew(&mut self, node: &str, lease: Duration, now: Instant) -> (bool, HashSet<u32>, Option<Duration>) {
        // A lease without end is one of a century.
        let until = now.checked_add(lease).unwrap_or_else(|| now + Duration::from_secs(3_155_760_000));
        let forgotten = match self.alive.get_mut(node) {
            // Nobody has missed it yet: not even where it is late.
            Some((_, alive)) => {
                *alive = until;
                false
            }
            None => {
                self.begin(node, until);
                true
            }
        };
        let over = self.alive.extract_if(|_, (_, until)| *until < now);
        let over = over.map(|(_, (number, _))| number).collect();
        let next = self.alive.values().map(|(_, until)| *until - now).min();
        (forgotten, over, next.filter(|next| *next < lease / 3))
    }

    fn is_alive(&self, number: u32, now: Instant) -> bool {
        self.alive.values().any(|(node, until)| *node == number && *until >= now)
    }

    fn begin(&mut self, node: &str, until: Instant) -> u32 {
        self.last += 1;
        self.alive.insert(node.into(), (self.last, until));
        self.last
    }
}

impl Part {
    /// Changes a group, and notes whether there is something to take then.
    fn change<R>(&mut self, group: &str, work: impl FnOnce(&mut Present) -> R) -> Option<R> {
        let present = self.groups.get_mut(group)?;
        let had_changes = present.has_changes();
        let done = work(present);
        if !had_changes
            && present.has_changes()
            && let Some((name, _)) = self.groups.get_key_value(group)
        {
            self.changed.insert(name.clone());
        }
        Some(done)
    }

    fn take_out_nodes(&mut self, dead: &HashSet<u32>, now: Instant) -> Vec<String> {
        let hit = self
            .groups
            .iter_mut()
            .filter_map(|(group, present)| present.remove_nodes(dead, now).then(|| group.clone()));
        let hit: Vec<Arc<str>> = hit.collect();
        self.changed.extend(hit.iter().cloned());
        hit.iter().map(ToString::to_string).collect()
    }

    /// The groups whose changes nobody has taken for so long.
    fn stale(&self, now: Instant, age: Duration) -> Vec<String> {
        let changed_at = |group: &Arc<str>| self.groups.get(group).and_then(Present::changed_at);
        let stale = |group: &&Arc<str>| changed_at(group).is_some_and(|at| at + age <= now);
        self.changed.iter().filter(stale).map(ToString::to_string).collect()
    }

    fn forget_empty(&mut self, now: Instant, versions: &AtomicU64) {
        let over = |(at, _): &mut (Instant, Arc<str>)| *at + REMEMBERED <= now;
        while let Some((_, group)) = self.empty.pop_front_if(over) {
            // Where somebody has entered since it stands here again, or will.
            if self.groups.get(&group).is_some_and(|present| present.is_over(now, REMEMBERED))
                && let Some(gone) = self.groups.remove(&group)
            {
                versions.fetch_max(gone.version(), Ordering::Relaxed);
            }
        }
    }
}

/// A node's link to the presence of its bus.
pub(super) struct Link(pub(super) Arc<super::Bus>);

impl KeepPresence for Link {
    fn track<'a>(&'a self, group: &'a str, node: &'a str, entry: &'a PresenceEntry) -> Kept<'a, ()> {
        self.0.presences.enter(group, node, entry, Taking::FromAnybody);
        done(())
    }

    fn retrack<'a>(&'a self, group: &'a str, node: &'a str, entry: &'a PresenceEntry) -> Kept<'a, bool> {
        done(self.0.presences.enter(group, node, entry, Taking::NotFromOthers))
    }

    fn untrack<'a>(
        &'a self,
        group: &'a str,
        node: &'a str,
        connection: u128,
        absence: Absence,
    ) -> Kept<'a, ()> {
        let nodes = self.0.presences.read_nodes();
        if let Some((number, _)) = nodes.alive.get(node) {
            self.0.presences.leave(group, *number, connection, absence);
        }
        done(())
    }

    fn renew<'a>(&'a self, node: &'a str, lease: Duration) -> Kept<'a, Renewed> {
        done(self.0.presences.renewed(node, lease))
    }

    fn take_changes<'a>(&'a self, group: &'a str, period: Duration) -> Kept<'a, Taken> {
        done(self.0.presences.taken(group, period))
    }

    fn roster<'a>(&'a self, group: &'a str, after: Option<&'a str>, limit: u32) -> Kept<'a, RosterPage> {
        done(self.0.presences.page(group, after, limit))
    }

    fn count<'a>(&'a self, group: &'a str) -> Kept<'a, (u64, u64)> {
        done(self.0.presences.counted(group))
    }
}

fn done<'a, T: Send + 'a>(value: T) -> Kept<'a, T> {
    Box::pin(ready(Ok(value)))
}
