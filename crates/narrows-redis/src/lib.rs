//! Channel layers on Redis, in the wire format of channels_redis: Narrows nodes and Django processes on one Redis are
//! one system.

mod backoff;
mod capacity;
mod claims;
mod connect;
mod core;
mod glob;
mod histories;
mod hosts;
mod inlet;
mod keys;
mod layer;
mod link;
mod options;
mod presence;
mod pubsub;
mod settings;
mod shard;
mod stores;
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

/// What fuzz targets see of the wire.
#[cfg(feature = "internals")]
#[doc(hidden)]
pub mod internals {
    use std::time::Duration;

    use narrows_core::{PayloadFormat, Position};

    use crate::wire::{Opened, To, Unplaced, Wire};

    fn wire(format: PayloadFormat) -> Wire {
        Wire { format, keys: None, random_prefix: 2, max_message_bytes: 1 << 20 }
    }

    /// Opens what may be a message of either layer. What opens can be addressed and sent on, and given a position; what
    /// has none is left as it is.
    ///
    /// # Panics
    /// When it cannot.
    pub fn open(format: PayloadFormat, data: &[u8]) {
        let wire = wire(format);
        if let Ok(Opened { payload, at }) = wire.open(data.to_vec()) {
            if at.is_none() {
                assert_eq!(payload, data);
            }
            let at = at.unwrap_or(Position { epoch: u64::MAX, offset: 1 });
            let Unplaced { mut head, ending } = wire.seal_unplaced(&payload).expect("it is a map");
            head.extend(format!("{:016x}-{:016}{}", at.epoch, at.offset, ending.tail).bytes());
            let once = wire.open(head.clone()).expect("it was sealed just now");
            assert_eq!(once.at, Some(at));
            let addressed = wire.open_addressed([&[0; 2], &head[..]].concat(), Duration::MAX);
            assert_eq!(addressed.expect("it is the same").at, Some(at));
        }
        let Ok(message) = wire.open_addressed(data.to_vec(), Duration::MAX) else { return };
        let names: Vec<&str> = message.to.iter().map(String::as_str).collect();
        let pass_on = |payload: &[u8]| {
            let sealed = wire.seal_for(payload, Some(To::List(&names)));
            wire.open_addressed(sealed, Duration::MAX).expect("it was sealed just now")
        };
        // Once through, a map is written as short as it can be; from then on nothing changes.
        let once = pass_on(&message.payload);
        assert_eq!(once.to, names);
        assert_eq!(pass_on(&once.payload).payload, once.payload);
    }
}
