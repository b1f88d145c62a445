//! The command as its users run it, against servers in this process.

// Clippy allows this in test functions only, and not in their helpers.
#![allow(clippy::unwrap_used)]

mod bench;
mod server;
