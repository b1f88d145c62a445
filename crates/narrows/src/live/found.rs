use std::net::IpAddr;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::ConnectionId;
use crate::codec::Codec;

/// Which connections are asked for, and how many: all of them, 50 at once, unless it says otherwise.
///
/// ```
/// use narrows::live::LiveFilter;
///
/// let filter = LiveFilter::new().user("42").path("/ws/chat/").limit(20);
/// ```
#[derive(Debug, Clone, Serialize, Deserialize)]
#[must_use]
pub struct LiveFilter {
    pub(super) user: Option<String>,
    pub(super) path: Option<String>,
    pub(super) group: Option<String>,
    pub(super) after: Option<ConnectionId>,
    pub(super) limit: usize,
}

impl Default for LiveFilter {
    fn default() -> Self {
        Self { user: None, path: None, group: None, after: None, limit: 50 }
    }
}

impl LiveFilter {
    /// The most connections of one page.
    pub const MAX_LIMIT: usize = 200;

    /// All connections, 50 at once.
    pub fn new() -> Self {
        Self::default()
    }

    /// Those of the user with this id, as their [identity](crate::Identity) says it.
    pub fn user(mut self, id: impl Into<String>) -> Self {
        self.user = Some(id.into());
        self
    }

    /// Those whose path begins like this.
    pub fn path(mut self, start: impl Into<String>) -> Self {
        self.path = Some(start.into());
        self
    }

    /// Those in the group of this name.
    pub fn group(mut self, name: impl Into<String>) -> Self {
        self.group = Some(name.into());
        self
    }

    /// Those behind this one: what [`LivePage::next`] gave.
    pub fn after(mut self, id: ConnectionId) -> Self {
        self.after = Some(id);
        self
    }

    /// How many at the most, from 1 to [`MAX_LIMIT`](Self::MAX_LIMIT). Default 50.
    pub fn limit(mut self, limit: usize) -> Self {
        self.limit = limit.clamp(1, Self::MAX_LIMIT);
        self
    }
}

/// One open connection, as it was when it was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LiveConnection {
    /// Its name for [`Live::end`](super::Live::end) and [`Live::send`](super::Live::send).
    pub id: ConnectionId,
    /// The type of its consumer, with its modules.
    pub consumer: String,
    /// The path that its client asked for, without the query; at most 512 bytes of it.
    pub path: String,
    /// The client's address, in front of trusted proxies; `None` where nobody knows it, as behind a unix socket.
    pub address: Option<IpAddr>,
    /// The user of its [identity](crate::Identity).
    pub user: Option<String>,
    /// The session of its identity: the SHA-256 of the key, in hexadecimal digits. The key is never given.
    pub session: Option<String>,
    /// When it came, to a second.
    pub since: SystemTime,
    /// The groups that it is in, joined or listened to: twenty of them at the most.
    pub groups: Vec<String>,
    /// How many memberships it has in all: groups and channels, and one more where it both joined and listens.
    pub group_count: usize,
    /// The bytes that wait because its client does not read.
    pub queued_bytes: usize,
    /// The messages among them.
    pub queued_messages: usize,
    /// How its messages are written.
    pub codec: Codec,
    /// Its client speaks `narrows.v1`.
    pub speaks_narrows: bool,
    /// It goes on where an earlier one was cut off.
    pub is_resumed: bool,
}

/// A part of all connections, in an order that stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LivePage {
    /// The connections.
    pub connections: Vec<LiveConnection>,
    /// Where there are more: what to give to [`LiveFilter::after`].
    pub next: Option<ConnectionId>,
    /// Who was asked.
    pub nodes: LiveNodes,
}

/// How many nodes answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LiveNodes {
    /// Those whose answer is in it, this one included.
    pub answered: usize,
    /// Those that are known and did not answer in time.
    pub silent: usize,
    /// Whether the channel layer took the question; without it only this node can answer.
    pub reached: bool,
}

/// A group and its members.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LiveGroup {
    /// Its name.
    pub name: String,
    /// How many memberships it has, on all nodes that answered. A connection that both joined and listens has two.
    pub members: u64,
}

/// The largest groups.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LiveGroups {
    /// Those with the most members first.
    pub groups: Vec<LiveGroup>,
    /// How many groups there are in all that begin so. A group with members on several nodes counts on each.
    pub count: u64,
    /// Who was asked.
    pub nodes: LiveNodes,
}

/// The connections of one consumer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LiveConsumer {
    /// Its type, with its modules.
    pub name: String,
    /// How many connections it has.
    pub connections: u64,
}

/// One node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LiveNode {
    /// A name for this run of it, in hexadecimal digits.
    pub name: String,
    /// Its open connections.
    pub connections: u64,
    /// The bytes that wait there because clients do not read.
    pub queued_bytes: u64,
    /// Whether it drains.
    pub is_draining: bool,
    /// Its connections by consumer.
    pub consumers: Vec<LiveConsumer>,
}

/// What there is in all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LiveTotals {
    /// The open connections.
    pub connections: u64,
    /// The bytes that wait because clients do not read.
    pub queued_bytes: u64,
    /// The consumers, those with the most connections first.
    pub consumers: Vec<LiveConsumer>,
    /// Each node that answered, by name.
    pub by_node: Vec<LiveNode>,
    /// Who was asked.
    pub nodes: LiveNodes,
}
