//! The contracts of Narrows: what a message, a group and a channel layer are.
//!
//! An application uses the crate `narrows`, which re-exports what it needs from here. Depend on this crate
//! alone to write a channel layer: it brings no web framework and no runtime. See [`ChannelLayer`] for the
//! contract and the feature `conformance` for the suite that checks it.

mod claims;
#[cfg(feature = "conformance")]
pub mod conformance;
mod group;
mod history;
mod layer;
mod message;
mod presence;
mod queue;
mod store;
mod topic;

pub use claims::KeepClaims;
pub use group::{Channel, Group, NameError};
pub use history::{
    History, HistoryFrom, HistoryRange, KeepHistory, Kept, KeptPage, ONCE, ParsePositionError, Position,
};
pub use layer::{ChannelLayer, Gap, Inbound, LayerError, Receive, Skipped};
pub use message::{Message, MessageError, PayloadFormat};
pub use presence::{
    Absence, Changes, KeepPresence, Presence, PresenceCount, PresenceDiff, PresenceEntry, Renewed, Roster,
    RosterPage, Taken,
};
pub use queue::{Queue, Take};
pub use store::{ClaimStore, HistoryStore, PresenceStore, Store};
pub use topic::{Topic, TopicKind};
