//! Channel layers on Redis, in the wire format of channels_redis: Narrows nodes and Django processes on one Redis are
//! one system.

mod backoff;
mod capacity;
mod connect;
mod core;
mod glob;
mod hosts;
mod inlet;
mod keys;
mod layer;
mod link;
mod options;
mod pubsub;
mod settings;
mod shard;
mod thread;
#[cfg(test)]
mod vectors;
mod wire;

pub use narrows_core::PayloadFormat;

pub use capacity::{Capacities, CapacityPatternError};
pub use connect::TlsFileError;
pub use core::CoreLayer;
pub use hosts::{Host, ParseHostError, Tls, parse_hosts};
pub use layer::{Kind, ParseKindError, RedisLayer};
pub use options::{OptionsError, RedisOptions};
pub use pubsub::PubSubLayer;
pub use settings::{LayerSettings, LayerSettingsError};
