//! The connections that are open now, on all nodes: [`Live`] lists them, counts them, and ends one.
//!
//! ```
//! use narrows::Channels;
//! use narrows::live::LiveFilter;
//!
//! # async fn of_a_view(channels: Channels) -> Result<(), Box<dyn std::error::Error>> {
//! let live = channels.live();
//! let page = live.connections(&LiveFilter::new().path("/ws/chat/").limit(20)).await?;
//! for connection in &page.connections {
//!     println!("{} {} since {:?}", connection.id, connection.path, connection.since);
//! }
//! if let Some(first) = page.connections.first() {
//!     live.end(first.id, "that was enough").await?;
//! }
//! # Ok(()) }
//! ```
//!
//! It is for admins and programs, and says what not everybody may know: whom to show it to is for the caller to decide.

mod about;
mod desk;
mod error;
mod found;
mod here;
mod id;
mod register;
mod wire;

use std::fmt;
use std::time::Duration;

use narrows_core::LayerError;
use serde::Serialize;

pub(crate) use self::about::About;
pub use self::error::LiveError;
pub use self::found::{
    LiveConnection, LiveConsumer, LiveFilter, LiveGroup, LiveGroups, LiveNode, LiveNodes, LivePage,
    LiveTotals,
};
pub use self::id::{ConnectionId, ParseConnectionIdError};
pub(crate) use self::register::LiveRegister;
use self::register::{Heard, PATIENCE, part};
use self::wire::{Part, What};
use crate::channels::Channels;

/// How long an end may take: the close frame waits until the connection cannot come back.
const ENDING: Duration = Duration::from_secs(3);

/// The longest reason, in bytes: what a close frame holds (RFC 6455, 5.5).
const MAX_REASON: usize = 123;

/// The open connections of all nodes: see [the module](self) and [`Channels::live`].
///
/// A question goes to all nodes by the channel layer, and each has a second to answer; who did not is counted as
/// [silent](LiveNodes::silent). A node answers once [`Channels::live`] was called there, as the admin does at the start.
#[derive(Clone)]
pub struct Live {
    channels: Channels,
}

impl Channels {
    /// The open connections of all nodes. From the first call on this node answers the questions of others, too.
    pub fn live(&self) -> Live {
        self.live_register().want(self);
        Live { channels: self.clone() }
    }
}

impl Live {
    /// A page of the connections.
    ///
    /// Those that come or go between two pages may be on neither; no other one is missed or comes twice, but for those of a
    /// node that was silent: they may be missed on the pages behind, too.
    ///
    /// # Errors
    /// [`LiveError::Shards`]. A node that does not answer is no error: see [`LivePage::nodes`].
    ///
    /// # Cancel safety
    /// Dropped, it changes nothing.
    pub async fn connections(&self, filter: &LiveFilter) -> Result<LivePage, LiveError> {
        // One that was read from somewhere may have any.
        let limit = filter.limit.clamp(1, LiveFilter::MAX_LIMIT);
        let (parts, nodes) = self.ask_all(What::Connections(filter.clone())).await?;
        let mut connections: Vec<LiveConnection> = Vec::new();
        for part in parts {
            if let Part::Connections(some) = part {
                connections.extend(some);
            }
        }
        connections.sort_by_key(|connection| connection.id);
        let more = connections.len() > limit;
        connections.truncate(limit);
        let next = connections.last().map(|last| last.id).filter(|_| more);
        Ok(LivePage { connections, next, nodes })
    }

    /// One connection, while it is open.
    ///
    /// # Errors
    /// [`LiveError`]; a node that is gone has no connections.
    ///
    /// # Cancel safety
    /// Dropped, it changes nothing.
    pub async fn connection(&self, id: ConnectionId) -> Result<Option<LiveConnection>, LiveError> {
        match self.ask_one(id, What::Connection(id), PATIENCE).await? {
            Some(Part::Connection(connection)) => Ok(connection.map(|connection| *connection)),
            _ => Ok(None),
        }
    }

    /// How many connections there are, by consumer and by node.
    ///
    /// # Errors
    /// As for [`connections`](Self::connections).
    ///
    /// # Cancel safety
    /// Dropped, it changes nothing.
    pub async fn totals(&self) -> Result<LiveTotals, LiveError> {
        let (parts, nodes) = self.ask_all(What::Totals).await?;
        let (mut by_node, mut consumers): (Vec<LiveNode>, Vec<LiveConsumer>) = (Vec::new(), Vec::new());
        for part in parts {
            if let Part::Totals(node) = part {
                node.consumers.iter().for_each(|one| here::add(&mut consumers, &one.name, one.connections));
                by_node.push(node);
            }
        }
        here::sort(&mut consumers);
        by_node.sort_by(|a, b| a.name.cmp(&b.name));
        let connections = by_node.iter().map(|node| node.connections).sum();
        let queued_bytes = by_node.iter().map(|node| node.queued_bytes).sum();
        Ok(LiveTotals { connections, queued_bytes, consumers, by_node, nodes })
    }

    /// The groups with the most members whose names begin so, up to 250 of them.
    ///
    /// With several nodes each names four times as many as are asked for, and what they say is added up: the count of a group
    /// that is small on some node may lack those members.
    ///
    /// # Errors
    /// As for [`connections`](Self::connections).
    ///
    /// # Cancel safety
    /// Dropped, it changes nothing.
    pub async fn groups(&self, prefix: &str, limit: usize) -> Result<LiveGroups, LiveError> {
        let limit = limit.clamp(1, here::MAX_GROUPS / 4);
        let (parts, nodes) =
            self.ask_all(What::Groups { prefix: prefix.to_owned(), most: limit * 4 }).await?;
        let mut members = std::collections::HashMap::<String, u64>::new();
        let mut all = 0;
        for part in parts {
            if let Part::Groups { groups, count } = part {
                all += count;
                groups.into_iter().for_each(|group| *members.entry(group.name).or_default() += group.members);
            }
        }
        let mut groups: Vec<_> =
            members.into_iter().map(|(name, members)| LiveGroup { name, members }).collect();
        groups.sort_by(|a, b| b.members.cmp(&a.members).then_with(|| a.name.cmp(&b.name)));
        groups.truncate(limit);
        Ok(LiveGroups { groups, count: all, nodes })
    }

    /// Ends a connection, on whichever node it is: its client is closed with **4403** and this reason, of which 123 bytes are
    /// sent, and what it was given to come back with is worthless. Its consumer's `disconnect` is told
    /// [`Cause::Ended`](crate::Cause::Ended). `false` when there is no such connection any more.
    ///
    /// It does not keep the client from connecting anew: that is for the consumer to refuse. All of a user's are ended by
    /// [`Channels::end_user`].
    ///
    /// # Errors
    /// [`LiveError::NoAnswer`] when its node is known and did not answer within three seconds: it may or may not have been
    /// ended. [`LiveError::Layer`] when the question could not be sent.
    ///
    /// # Cancel safety
    /// Dropped before it is done, the connection may or may not be ended.
    pub async fn end(&self, id: ConnectionId, reason: &str) -> Result<bool, LiveError> {
        let reason = reason[..reason.floor_char_boundary(MAX_REASON)].to_owned();
        Ok(matches!(self.ask_one(id, What::End { id, reason }, ENDING).await?, Some(Part::Done(true))))
    }

    /// Sends a message to one connection, on whichever node it is, as its consumer would: in its codec. `false` when there is
    /// no such connection any more.
    ///
    /// What its client understands is for the caller to know; the consumer is not asked.
    ///
    /// # Errors
    /// [`LiveError::Message`] when it cannot be written, and as for [`end`](Self::end).
    ///
    /// # Cancel safety
    /// Dropped before it is done, the message may or may not have been sent.
    pub async fn send<M: Serialize>(&self, id: ConnectionId, msg: &M) -> Result<bool, LiveError> {
        let message = serde_json::to_value(msg).map_err(|error| LiveError::Message(error.into()))?;
        self.send_value(id, message).await
    }

    async fn send_value(&self, id: ConnectionId, message: serde_json::Value) -> Result<bool, LiveError> {
        Ok(matches!(self.ask_one(id, What::Send { id, message }, PATIENCE).await?, Some(Part::Done(true))))
    }

    /// What all nodes say, this one among them.
    async fn ask_all(&self, what: What) -> Result<(Vec<Part>, LiveNodes), LiveError> {
        self.channels.shards().map_err(LiveError::Shards)?;
        let register = self.channels.live_register();
        let own = part(self.channels.clone(), register.desk.node, what.clone());
        let own = tokio::time::timeout(PATIENCE, own);
        let (own, heard) = tokio::join!(own, register.ask(what, None, PATIENCE));
        let Heard { parts, silent, failed } = heard;
        if let Some(error) = &failed {
            tracing::warn!(%error, "the other nodes were not asked about their connections");
        }
        let mut all: Vec<Part> = parts.into_iter().map(|(_, part)| part).collect();
        let silent = silent + usize::from(own.is_err());
        all.extend(own);
        let nodes = LiveNodes { answered: all.len(), silent, reached: failed.is_none() };
        Ok((all, nodes))
    }

    /// What the node of a connection says; `None` where there is no such node.
    async fn ask_one(
        &self,
        id: ConnectionId,
        what: What,
        patience: Duration,
    ) -> Result<Option<Part>, LiveError> {
        self.channels.shards().map_err(LiveError::Shards)?;
        let register = self.channels.live_register();
        if id.node == register.desk.node {
            let own = part(self.channels.clone(), id.node, what);
            return tokio::time::timeout(patience, own).await.map(Some).map_err(|_| LiveError::NoAnswer);
        }
        let Heard { parts, silent, failed } = register.ask(what, Some(id.node), patience).await;
        match (parts.into_iter().next(), failed) {
            (Some((_, part)), _) => Ok(Some(part)),
            (None, Some(error)) => Err(error.into()),
            (None, None) if silent > 0 => Err(LiveError::NoAnswer),
            (None, None) => Ok(None),
        }
    }
}

impl fmt::Debug for Live {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Live").finish_non_exhaustive()
    }
}

impl From<crate::BroadcastError> for LiveError {
    fn from(error: crate::BroadcastError) -> Self {
        match error {
            crate::BroadcastError::Layer(error) => Self::Layer(error),
            crate::BroadcastError::Message(error) => Self::Message(error.into()),
            crate::BroadcastError::Id { .. } => Self::Layer(LayerError::Closed),
        }
    }
}
