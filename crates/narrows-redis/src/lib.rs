//! Channel layers on Redis, in the wire format of channels_redis: Narrows nodes and Django processes on one Redis are
//! one system.

mod capacity;
mod glob;
#[allow(dead_code)] // used by the layers
mod hosts;
#[allow(dead_code)] // used by the layers
mod keys;
#[allow(dead_code)] // used by the layers
mod shard;
#[cfg(test)]
mod vectors;
#[allow(dead_code)] // used by the layers
mod wire;

pub use capacity::{Capacities, CapacityPatternError};
pub use hosts::{Host, ParseHostError, Tls, parse_hosts};
