//! The contracts of Narrows: what a message, a group and a channel layer are.
//!
//! An application uses the crate `narrows`, which re-exports what it needs from here. Depend on this crate
//! alone to write a channel layer: it brings no web framework and no runtime. See [`ChannelLayer`] for the
//! contract and the feature `conformance` for the suite that checks it.

#[cfg(feature = "conformance")]
pub mod conformance;
mod group;
mod layer;
mod message;
mod queue;
mod topic;

pub use group::{Channel, Group, NameError};
pub use layer::{ChannelLayer, Gap, Inbound, LayerError, Receive, Skipped};
pub use message::{Message, MessageError, PayloadFormat};
pub use queue::{Queue, Take};
pub use topic::{Topic, TopicKind};
