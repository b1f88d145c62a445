//! Who is in a group: tracking, rosters, diffs, and the node's lease.

mod diff;
mod due;
mod error;
mod keeper;
mod register;
mod table;
mod tracking;

use narrows_core::{Absence, Presence, Roster, Topic, TopicKind};
use serde::Serialize;
use serde::de::DeserializeOwned;

pub use self::error::PresenceError;
pub(crate) use self::register::Presences;
pub(crate) use self::tracking::Tracking;
pub(crate) use self::tracking::{checked_key, checked_meta};
use crate::channels::Channels;
use crate::connection::Connection;
use crate::consumer::Consumer;
use crate::stats::DropReason;

/// How many people a page of a roster holds.
const PAGE: u32 = 1000;

impl<C: Consumer> Connection<C> {
    /// Puts this connection into a group's presence, as a connection of `key`: a person, whose other devices have the
    /// same key. `meta` is what the others see of it, at most 4 KiB of JSON and 64 levels deep; a key has 1 to
    /// 256 bytes.
    ///
    /// It stays until [`untrack`](Self::untrack) or the end of the connection, whichever way that comes. Tracked again in
    /// the same group, it is updated. It needs not be a member of the group.
    ///
    /// ```
    /// use narrows::{Close, Connection, Consumer, Group, NoEvent, PresenceDiff, Reject};
    /// use serde_json::{Value, json};
    ///
    /// struct Room;
    ///
    /// impl Consumer for Room {
    ///     type Scope = ();
    ///     type In = Value;
    ///     type Out = PresenceDiff<Value>;
    ///     type Event = NoEvent;
    ///
    ///     async fn connect((): (), conn: &mut Connection<Self>) -> Result<Self, Reject> {
    ///         let present = Group::<()>::new("room.lobby")?.presence::<Value>();
    ///         conn.join(&present.diffs()).await?; // before the roster is read: nothing is missed
    ///         conn.track(&present, "ada", json!({ "status": "here" })).await?;
    ///         Ok(Self)
    ///     }
    /// #   async fn receive(&mut self, _: Value, _: &mut Connection<Self>) -> Result<(), Close> { Ok(()) }
    /// }
    /// ```
    ///
    /// # Errors
    /// [`PresenceError`]; the connection is then in the group's presence as it was before.
    ///
    /// # Cancel safety
    /// Dropped before it is done, the connection may or may not be tracked; its end takes it out.
    pub async fn track<T: Serialize + Send>(
        &mut self,
        presence: &Presence<T>,
        key: impl AsRef<str> + Send,
        meta: T,
    ) -> Result<(), PresenceError> {
        let (key, meta) = (checked_key(key.as_ref())?, checked_meta(&meta)?);
        self.track_text(presence.group(), key, meta).await
    }

    /// Changes what this connection says of itself in a group's presence.
    ///
    /// # Errors
    /// [`PresenceError::NotTracked`] where it is not [tracked](Self::track), and others as there.
    ///
    /// # Cancel safety
    /// Dropped before it is done, it may or may not have changed.
    pub async fn update<T: Serialize + Send>(
        &mut self,
        presence: &Presence<T>,
        meta: T,
    ) -> Result<(), PresenceError> {
        let meta = checked_meta(&meta)?;
        self.update_text(presence.group(), meta).await
    }

    pub(crate) async fn update_text(&mut self, group: &str, meta: Box<str>) -> Result<(), PresenceError> {
        let key = self.tracking.as_ref().and_then(|tracking| tracking.key(group));
        let key = key.ok_or_else(|| PresenceError::NotTracked { group: group.to_owned() })?;
        self.track_text(group, key, meta).await
    }

    pub(crate) async fn track_text(
        &mut self,
        group: &str,
        key: Box<str>,
        meta: Box<str>,
    ) -> Result<(), PresenceError> {
        let (channels, limit) = (self.link.0.channels.clone(), self.link.0.settings.limits.max_tracked);
        self.tracking().track(&channels, group, key, meta, limit).await
    }

    /// Takes this connection out of a group's presence. `true` if it was in it.
    ///
    /// # Cancel safety
    /// It does not wait; where the channel layer is away, it is told later.
    pub async fn untrack<T>(&mut self, presence: &Presence<T>) -> bool {
        self.tracking.as_mut().is_some_and(|tracking| tracking.untrack(presence.group()))
    }

    /// A page of who is in a group; see [`Channels::roster`].
    ///
    /// # Errors
    /// As there.
    ///
    /// # Cancel safety
    /// Dropped, it changes nothing.
    pub async fn roster<T: DeserializeOwned>(
        &mut self,
        presence: &Presence<T>,
        after: Option<&str>,
    ) -> Result<Roster<T>, PresenceError> {
        self.link.0.channels.roster(presence, after).await
    }

    /// How many people are in a group; see [`Channels::count`].
    ///
    /// # Errors
    /// As there.
    ///
    /// # Cancel safety
    /// Dropped, it changes nothing.
    pub async fn count<T>(&mut self, presence: &Presence<T>) -> Result<u64, PresenceError> {
        self.link.0.channels.count(presence).await
    }

    /// Sees to it that diffs of nodes that died come here, where their group is joined.
    pub(crate) fn watch_presence(&mut self, topic: &Topic) {
        if is_companion(topic) {
            let channels = self.link.0.channels.clone();
            self.tracking().watch(&channels);
        }
    }

    fn tracking(&mut self) -> &mut Tracking {
        let Self { tracking, link, spoken, .. } = self;
        tracking.get_or_insert_with(|| {
            let connection = spoken.as_ref().map(|spoken| spoken.connection);
            Box::new(Tracking::new(link.0.channels.presences(), connection))
        })
    }

    /// The connection has ended: it leaves the presence of all its groups.
    pub(crate) fn end_presence(&mut self, absence: Absence) {
        if let Some(tracking) = &mut self.tracking {
            tracking.end(absence);
        }
    }
}

impl Channels {
    /// A page of who is in a group: up to 1000 people, in the order of their keys. The first page is that after `None`,
    /// the next one that after [`Roster::next`].
    ///
    /// ```
    /// # use narrows::{Channels, Group, PresenceError};
    /// # async fn who(channels: &Channels) -> Result<(), Box<dyn std::error::Error>> {
    /// let present = Group::<()>::new("room.lobby")?.presence::<serde_json::Value>();
    /// let roster = channels.roster(&present, None).await?;
    /// println!("{} people, version {}", roster.count, roster.version);
    /// for (key, devices) in &roster.people {
    ///     println!("{key}, on {} devices", devices.len());
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// Who joined [`Presence::diffs`] before and takes in every diff with a higher version than the first page's has the
    /// roster from then on. What a connection says of itself and is no `T` is left out, and counted as
    /// [`DropReason::Undecodable`].
    ///
    /// # Errors
    /// [`PresenceError::Layer`].
    ///
    /// # Cancel safety
    /// Dropped, it changes nothing.
    pub async fn roster<T: DeserializeOwned>(
        &self,
        presence: &Presence<T>,
        after: Option<&str>,
    ) -> Result<Roster<T>, PresenceError> {
        let page = self.presences().store()?.roster(presence.group(), after, PAGE).await?;
        let (mut people, mut unread) = (std::collections::BTreeMap::new(), 0);
        for (key, metas) in page.people {
            let listed = metas.len();
            let metas: Vec<T> = metas.into_iter().filter_map(|m| serde_json::from_value(m).ok()).collect();
            unread += listed - metas.len();
            people.insert(key, metas);
        }
        if unread > 0 {
            self.counters().drop_of(DropReason::Undecodable, unread);
            tracing::warn!(group = presence.group(), unread, "some of a roster is of another type");
        }
        let group = presence.group().to_owned();
        Ok(Roster { group, people, count: page.count, version: page.version, next: page.next })
    }

    /// How many people are in a group, each with however many connections.
    ///
    /// # Errors
    /// [`PresenceError::Layer`].
    ///
    /// # Cancel safety
    /// Dropped, it changes nothing.
    pub async fn count<T>(&self, presence: &Presence<T>) -> Result<u64, PresenceError> {
        Ok(self.presences().store()?.count(presence.group()).await?.0)
    }
}

/// Whether diffs or counts come by this topic.
pub(crate) fn is_companion(topic: &Topic) -> bool {
    let is = |prefix: &str| topic.name().strip_prefix(prefix).is_some_and(|rest| rest.starts_with('.'));
    topic.kind() == TopicKind::Group && (is("presence") || is("presence-count"))
}
