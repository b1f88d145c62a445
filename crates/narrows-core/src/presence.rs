use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Group;
use crate::history::Kept;

/// Who is in a group: a name for it, made by [`Group::presence`]. Connections are tracked with a `T` each.
///
/// ```
/// use narrows_core::Group;
///
/// let room = Group::<()>::new("room.lobby")?;
/// let present = room.presence::<serde_json::Value>();
/// assert_eq!((present.group(), present.diffs().name()), ("room.lobby", "presence.room.lobby"));
/// # Ok::<(), narrows_core::NameError>(())
/// ```
pub struct Presence<T> {
    group: Arc<str>,
    meta: PhantomData<fn() -> T>,
}

impl<T> Presence<T> {
    pub(crate) fn of(group: Arc<str>) -> Self {
        Self { group, meta: PhantomData }
    }

    /// The name of the group.
    pub fn group(&self) -> &str {
        &self.group
    }

    /// The group whose members are told who comes and goes: `presence.{group}`, and for a name too long for that a
    /// digest of it.
    pub fn diffs(&self) -> Group<PresenceDiff<T>> {
        Group::keyed("presence", self.group()).expect("`presence` is a legal prefix")
    }

    /// The group whose members are told how many people are there: `presence-count.{group}`.
    pub fn counts(&self) -> Group<PresenceCount> {
        Group::keyed("presence-count", self.group()).expect("`presence-count` is a legal prefix")
    }
}

impl<T> Clone for Presence<T> {
    fn clone(&self) -> Self {
        Self::of(self.group.clone())
    }
}

impl<T> fmt::Debug for Presence<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Presence({:?})", self.group)
    }
}

/// Who came to a group, changed and left, since the diff before: what the members of
/// [`Presence::diffs`] get.
///
/// A key is a person, however many connections they have: it joins with the first and leaves with the last. What stands
/// with a key is what each of its connections said of itself, at most [`PresenceDiff::METAS`] of them.
///
/// On the wire a map with the tag `type`: `presence`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename = "presence")]
pub struct PresenceDiff<T> {
    /// The group whose presence it is.
    pub group: String,
    /// Who came.
    #[serde(default = "BTreeMap::new", skip_serializing_if = "BTreeMap::is_empty")]
    pub joins: BTreeMap<String, Vec<T>>,
    /// Who stayed, and has other connections or other metas now.
    #[serde(default = "BTreeMap::new", skip_serializing_if = "BTreeMap::is_empty")]
    pub updates: BTreeMap<String, Vec<T>>,
    /// Who left.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub leaves: Vec<String>,
    /// How many people are there now.
    pub count: u64,
    /// One more than that of the diff before. A roster has the version of the last diff that it contains.
    pub version: u64,
    /// More changed than one diff holds, [`PresenceDiff::CHANGES`] and [`PresenceDiff::BYTES`]: who keeps a roster reads it
    /// anew.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub partial: bool,
}

impl<T> PresenceDiff<T> {
    /// How many connections of one key are listed; more are only counted.
    pub const METAS: usize = 16;
    /// How many keys a diff lists at the most.
    pub const CHANGES: usize = 2000;
    /// About how many bytes of keys and metas a diff lists at the most: 256 KiB.
    pub const BYTES: usize = 256 << 10;
}

/// How many people are in a group: what the members of
/// [`Presence::counts`] get when that changes. For groups in which a list of all who
/// come and go would cost too much.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename = "presence_count")]
pub struct PresenceCount {
    /// The group whose presence it is.
    pub group: String,
    /// How many people are there.
    pub count: u64,
    /// As in [`PresenceDiff::version`].
    pub version: u64,
}

/// Who is in a group, or a page of it, in the order of the keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename = "roster")]
pub struct Roster<T> {
    /// The group whose presence it is.
    pub group: String,
    /// By key what each of its connections said of itself.
    #[serde(default = "BTreeMap::new")]
    pub people: BTreeMap<String, Vec<T>>,
    /// How many people there are in all.
    pub count: u64,
    /// The version of the last diff that this contains.
    pub version: u64,
    /// Where the next page begins; `None` on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// One connection in a group's presence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PresenceEntry {
    /// Which connection; no two have the same, on any node.
    pub connection: u128,
    /// The key: whose connection it is.
    pub key: String,
    /// What it says of itself.
    pub meta: Value,
}

/// How a connection leaves a group's presence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Absence {
    /// At once.
    Left,
    /// When it has not come back within this time.
    Away(Duration),
}

/// What changed in a group's presence since it was taken last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changes {
    /// As in [`PresenceDiff`]; the metas of a key at most [`PresenceDiff::METAS`].
    pub joins: BTreeMap<String, Vec<Value>>,
    /// As in [`PresenceDiff`].
    pub updates: BTreeMap<String, Vec<Value>>,
    /// As in [`PresenceDiff`].
    pub leaves: Vec<String>,
    /// How many people are there now.
    pub count: u64,
    /// The version of this diff.
    pub version: u64,
    /// Whether more changed than stands here.
    pub partial: bool,
}

/// What [`KeepPresence::take_changes`] finds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    /// Nothing changed.
    Nothing,
    /// Somebody took changes less than a period ago: ask again in this time.
    Later(Duration),
    /// These. Nobody else gets them.
    Changes(Changes),
}

/// A page of a roster as a layer has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RosterPage {
    /// By key the metas of its connections, at most [`PresenceDiff::METAS`].
    pub people: BTreeMap<String, Vec<Value>>,
    /// As in [`Roster`].
    pub count: u64,
    /// As in [`Roster`].
    pub version: u64,
    /// The last key of this page, when there are more.
    pub next: Option<String>,
}

/// What [`KeepPresence::renew`] tells a node.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Renewed {
    /// The node was taken for dead, or the store lost what it knew: the node tracks all its connections again.
    pub forgotten: bool,
    /// Groups with changes that nobody has taken: leaves of nodes that died, or of connections that did not come back,
    /// and what a node left that died before it could publish: what nobody took for a third of the lease of the one who
    /// asks, or longer.
    pub changed: Vec<String>,
    /// When it is worth to renew again, though a third of the lease is not over: the lease of another node ends in this
    /// time, if that does not renew it, and its connections leave then.
    pub again: Option<Duration>,
}

/// What a layer that knows presence does; an optional power of a [`ChannelLayer`](crate::ChannelLayer).
///
/// `group` is the name of the group itself, not of its companion; `node` a name that no other node has or had. A node
/// may use it at once for as many groups as it likes; calls for one connection in one group never overlap.
///
/// # What it promises
/// * **A node lives by its lease:** a node that did not [`renew`](Self::renew) for its lease, by the store's own clock,
///   is dead: all that it tracks is gone, once, with changes to take.
/// * **Who is away has no node:** a connection that was taken out with [`Absence::Away`] stays for its time, whatever
///   becomes of its node. Until then it counts as present.
/// * **A change is taken once,** whoever asks; none is lost before it is taken.
/// * **One who comes back is no change:** a connection that is tracked again, by the same node or another, with the same
///   key and meta, changes nothing. What cancels out between two takes is none: a key that joined and left, one that
///   left and joined again with the same metas. One that left and joined with others is an update, and one that joined
///   and was updated a join.
/// * **But for what a roster showed:** once a roster was read, what changed since the last take and changes up to the
///   next one does not cancel out. Each such key that is present now comes as a join or an update, and each that is not
///   as a leave, though it may be as it was: who read the roster in between has seen it otherwise.
/// * **Versions rise:** also when nobody was in a group for a while and the store forgot it. The first one of a group is
///   the time in milliseconds, or any number above those that it had.
/// * **Bounds:** not more than [`PresenceDiff::METAS`] metas for a key, nor [`PresenceDiff::CHANGES`] keys and about
///   [`PresenceDiff::BYTES`] in all that is taken at once; where there were more, it is `partial`, and the rest is there
///   for the next one who takes. A page of a roster may hold fewer keys than were asked for, and says where the next
///   begins.
pub trait KeepPresence: Send + Sync + 'static {
    /// Puts a connection into a group's presence, or changes what it says of itself, or its key. The node that tracks a
    /// connection last has it. A node that is not known, or dead, may track: what it tracks is gone with the next
    /// `renew` of another one, unless it renews before.
    fn track<'a>(&'a self, group: &'a str, node: &'a str, entry: &'a PresenceEntry) -> Kept<'a, ()>;

    /// Puts a connection back, or changes what it says of itself, that this node had: where another living node has it by
    /// now, it came back there while this one was late, and nothing changes. `false` then. It may also be unknown, away or
    /// with a dead node: this node has it then.
    ///
    /// As it stands here it is the same as [`track`](Self::track), which takes the connection from the other node.
    fn retrack<'a>(&'a self, group: &'a str, node: &'a str, entry: &'a PresenceEntry) -> Kept<'a, bool> {
        Box::pin(async move { self.track(group, node, entry).await.map(|()| true) })
    }

    /// Takes a connection out, if this node has it: what is tracked by another now, or is away, stays.
    fn untrack<'a>(
        &'a self,
        group: &'a str,
        node: &'a str,
        connection: u128,
        absence: Absence,
    ) -> Kept<'a, ()>;

    /// Says that a node lives, for `lease`; the first call makes it known, and may call it forgotten. Also takes out what
    /// has no node any more, and connections that did not come back.
    fn renew<'a>(&'a self, node: &'a str, lease: Duration) -> Kept<'a, Renewed>;

    /// Takes a group's changes, if nobody has within `period`.
    fn take_changes<'a>(&'a self, group: &'a str, period: Duration) -> Kept<'a, Taken>;

    /// A page of the roster: keys after `after`, at most `limit`.
    fn roster<'a>(&'a self, group: &'a str, after: Option<&'a str>, limit: u32) -> Kept<'a, RosterPage>;

    /// How many people are there, and the version.
    fn count<'a>(&'a self, group: &'a str) -> Kept<'a, (u64, u64)>;
}
