//! Tests through the public API.

// Clippy allows this in test functions only, and not in their helpers.
#![allow(clippy::unwrap_used)]

mod database;
mod interop;
mod password;
mod sesame;
mod session;
mod settings;
mod signing;
mod site;
#[cfg(feature = "upstream")]
mod upstream;
mod user;
mod vectors;
mod ways;
