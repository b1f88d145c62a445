//! The command as its users run it, against servers in this process.

// Clippy allows this in test functions only, and not in their helpers.
#![allow(clippy::unwrap_used)]

mod command;
mod connect;
mod connecting;
mod crooked;
mod faults;
mod groups;
mod idle;
mod input;
mod layer;
mod misbehaviour;
mod plot;
mod presence;
mod project;
mod server;
mod slow;
mod socket_io;
mod superuser;
