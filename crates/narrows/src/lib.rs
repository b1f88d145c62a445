//! Real-time for axum: consumers, groups and a channel layer.
//!
//! A [`Consumer`] is the code for one WebSocket. A [`Group`] names a set of connections; what is broadcast to it
//! reaches every member on every node. [`Channels`] is the node, on a channel layer that carries messages
//! between nodes: in memory by default.

mod admission;
mod blocking;
mod capacity;
mod channels;
mod close;
pub mod codec;
mod connection;
mod consumer;
mod encode;
mod hub;
pub mod layer;
mod limits;
mod origin;
mod reject;
mod routing;
pub mod scope;
pub mod serve;
mod session;
mod shard;
mod stats;
mod sync;
pub mod testing;
mod timers;
mod transport;

pub use narrows_core::{
    Channel, ChannelLayer, Gap, Group, Inbound, LayerError, Message, MessageError, NameError, PayloadFormat,
    Topic, TopicKind,
};

pub use blocking::{Blocking, BlockingConnection, BlockingConsumer};
pub use capacity::{Capacity, Overflow};
pub use channels::{BroadcastError, Channels, ChannelsBuilder, InvalidSettings};
pub use close::{Cause, Close, Disconnect};
#[doc(inline)]
pub use codec::{Binary, Codec, Raw, Text};
pub use connection::{Connection, JoinError, SendError};
pub use consumer::{Consumer, NoEvent};
pub use limits::Limits;
pub use origin::{
    AllowedOrigins, MissingOrigin, OriginPolicy, OriginRefused, ParseOriginPolicyError, Suspicion,
};
pub use reject::Reject;
pub use routing::{
    Captured, CapturedRejection, ConverterError, Integer, Resolved, RouteError, UrlRoutes, Value,
};
pub use stats::{DropReason, Stats};
pub use timers::Timer;
pub use transport::ConsumerRoute;

/// What benches and fuzz targets reach into; not part of the contract, and free to change at any time.
#[cfg(feature = "internals")]
#[doc(hidden)]
pub mod internals {
    pub use crate::shard::bench::BenchShard;
    pub use crate::transport::frame::*;
}
