//! Real-time for axum: consumers, groups and a channel layer.
//!
//! * A [`Consumer`] is the code for one WebSocket: `connect` answers the handshake, `receive` handles messages.
//!   [`BlockingConsumer`] is the same for code that blocks.
//! * A [`Group`] names a set of connections. A consumer joins it by its [`Connection`]; what is broadcast to it reaches
//!   every member on every node. [`Group::inbox`] is all of a user's devices, [`Group::everyone`] is everyone.
//! * A group with a [`History`] keeps its newest messages: who was away gets what it missed, each message once and in order, or is told
//!   that it cannot.
//! * [`Channels`] is the node: it makes axum routes of consumers, and broadcasts from anywhere. A [`ChannelLayer`] carries
//!   messages between nodes; [`layer::MemoryLayer`] is the default.
//! * [`Presence`] is who is in a group: [`Connection::track`], [`Channels::roster`].
//! * [`live`] is who is connected now, on all nodes, and the end of one of them.
//! * A [`Worker`] handles what is sent to named channels, in the background or in a process of its own.
//! * [`serve`] runs it all on one thread a core and drains it in the end; `axum::serve` works as well.
//! * [`testing`] is the test kit.
//!
//! ```
//! use axum::{Json, Router, extract::{Path, State}, routing::post};
//! use narrows::{Channels, Close, Connection, Consumer, Group, NoEvent, Reject};
//! use serde::{Deserialize, Serialize};
//!
//! /// A page that shows what happens to one user.
//! struct Notifications;
//!
//! #[derive(Serialize, Deserialize)]
//! #[serde(tag = "type", rename_all = "lowercase")]
//! enum Notice { Comment { by: String } }
//!
//! impl Consumer for Notifications {
//!     type Scope = Path<String>;
//!     type In = serde_json::Value;
//!     type Out = Notice;
//!     type Event = NoEvent;
//!
//!     async fn connect(Path(user): Path<String>, conn: &mut Connection<Self>) -> Result<Self, Reject> {
//!         conn.join(&Group::<Notice>::inbox(user)).await?;
//!         Ok(Self)
//!     }
//!
//!     async fn receive(&mut self, _: serde_json::Value, _: &mut Connection<Self>) -> Result<(), Close> {
//!         Err(Close::with(4000, "nothing to say here"))
//!     }
//! }
//!
//! /// A view that tells the user, on each of their devices.
//! async fn comment(State(channels): State<Channels>, Path(user): Path<String>, Json(by): Json<String>) {
//!     if let Err(error) = channels.broadcast(&Group::inbox(user), &Notice::Comment { by }).await {
//!         tracing::warn!(%error, "nobody was told");
//!     }
//! }
//!
//! fn app(channels: &Channels) -> Router {
//!     Router::new()
//!         .route("/comment/{user}", post(comment))
//!         .route("/ws/notifications/{user}", channels.consumer::<Notifications>().route())
//!         .with_state(channels.clone())
//! }
//! # app(&Channels::new());
//! ```

mod admission;
mod blocking;
mod capacity;
mod channels;
pub mod client;
mod close;
pub mod codec;
mod connection;
mod consumer;
mod encode;
mod history;
mod hub;
mod identity;
pub mod layer;
mod limits;
pub mod live;
mod origin;
mod presence;
mod protocol;
mod reject;
mod resume;
mod routing;
pub mod scope;
pub mod serve;
mod session;
mod shard;
mod stats;
mod stripes;
mod sync;
pub mod testing;
mod timers;
mod transport;
mod worker;

pub use narrows_core::{
    Channel, ChannelLayer, Gap, Group, History, HistoryFrom, HistoryRange, Inbound, LayerError, Message,
    MessageError, NameError, ParsePositionError, PayloadFormat, Position, Presence, PresenceCount,
    PresenceDiff, Queue, Roster, Skipped, Take, Topic, TopicKind,
};

pub use blocking::{Blocking, BlockingConnection, BlockingConsumer, BlockingResume};
pub use capacity::{Capacity, Overflow};
pub use channels::{BroadcastError, Channels, ChannelsBuilder, InvalidSettings};
pub use close::{Cause, Close, Disconnect};
#[doc(inline)]
pub use codec::{Binary, Codec, Raw, Text};
pub use connection::{Connection, JoinError, SendError};
pub use consumer::{Consumer, NoEvent};
pub use history::{HistoryError, HistoryPage, Recovery};
pub use identity::{Checking, Identity, IdentityCheck, Standing};
pub use limits::Limits;
pub use origin::{
    AllowedOrigins, MissingOrigin, OriginPolicy, OriginRefused, ParseOriginPolicyError, Suspicion,
};
pub use presence::PresenceError;
pub use protocol::Reply;
pub use reject::Reject;
pub use resume::{IdentityChecks, Resume};
pub use routing::{
    Captured, CapturedRejection, ConverterError, Integer, Resolved, RouteError, UrlRoutes, Value,
};
pub use stats::{DropReason, Stats};
pub use timers::Timer;
pub use transport::ConsumerRoute;
pub use worker::{Worker, WorkerError, WorkerReport};

/// What benches and fuzz targets reach into; not part of the contract, and free to change at any time.
#[cfg(feature = "internals")]
#[doc(hidden)]
pub mod internals {
    pub use crate::protocol::internals as protocol;
    pub use crate::shard::bench::BenchShard;
    pub use crate::shard::faults::{panic_in_engine, panic_in_state};
    pub use crate::transport::frame::*;
}

#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;

#[cfg(doctest)]
#[doc = include_str!("../../../docs/background-work.md")]
struct BackgroundWork;

#[cfg(doctest)]
#[doc = include_str!("../../../docs/delivery.md")]
struct DeliveryPage;

#[cfg(doctest)]
#[doc = include_str!("../../../docs/identity.md")]
struct IdentityPage;

#[cfg(doctest)]
#[doc = include_str!("../../../docs/live.md")]
struct LivePage;

#[cfg(doctest)]
#[doc = include_str!("../../../docs/resume.md")]
struct ResumePage;

#[cfg(doctest)]
#[doc = include_str!("../../../docs/javascript-client.md")]
struct JavaScriptClientPage;

#[cfg(doctest)]
#[doc = include_str!("../../../docs/presence.md")]
struct PresencePage;
