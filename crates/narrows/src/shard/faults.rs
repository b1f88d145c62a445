//! Faults of the engine's own, for the tests of what becomes of the process.

use super::Mail;
use crate::channels::Channels;

/// Panics in a shard's own future, as a mistake in the engine would.
pub fn panic_in_engine(channels: &Channels) {
    let shards = channels.shards().expect("the shards can be started");
    shards[0].post(Mail::Run(Box::new(|_| panic!("a mistake in the engine"))));
}

/// Panics in what a session does to its shard's state; called on a shard's thread.
pub fn panic_in_state(channels: &Channels) {
    let (_, shard) = channels.here().expect("the caller runs on a shard");
    shard.local(|_| panic!("a mistake in the state"));
}
