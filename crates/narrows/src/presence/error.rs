use narrows_core::LayerError;

use crate::sync::Arc;

/// Why a connection is not tracked, or who is there cannot be said.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum PresenceError {
    /// The key is empty.
    #[error("a key in a group's presence needs at least one character")]
    EmptyKey,
    /// The key is longer than a key may be.
    #[error("a key in a group's presence has at most {limit} bytes, this one has {bytes}")]
    KeyTooLong {
        /// Its size.
        bytes: usize,
        /// The largest size.
        limit: usize,
    },
    /// What the connection says of itself cannot be written as JSON, or is nested deeper than 64 levels.
    #[error("what a connection says of itself cannot be written")]
    Meta(#[source] Arc<serde_json::Error>),
    /// What the connection says of itself is larger than it may be.
    #[error("what a connection says of itself has at most {limit} bytes as JSON, this has {bytes}")]
    MetaTooLarge {
        /// Its size.
        bytes: usize,
        /// The largest size.
        limit: usize,
    },
    /// It is tracked in as many groups as [`max_tracked`](crate::Limits::max_tracked) allows.
    #[error("a connection can be tracked in {limit} groups at the most")]
    TooManyGroups {
        /// The limit.
        limit: usize,
    },
    /// It is not tracked in this group, so there is nothing to update.
    #[error("the connection is not tracked in {group}")]
    NotTracked {
        /// The group.
        group: String,
    },
    /// The channel layer does not know presence, or did not do it.
    #[error("the channel layer's presence failed")]
    Layer(#[source] Arc<LayerError>),
    /// The connection has ended, or came back elsewhere and is tracked there.
    #[error("the connection is closed")]
    Closed,
}

impl From<LayerError> for PresenceError {
    fn from(error: LayerError) -> Self {
        Self::Layer(Arc::new(error))
    }
}
