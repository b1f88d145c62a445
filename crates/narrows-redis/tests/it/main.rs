//! The layers against a real Redis.

// Clippy allows this in test functions only, and not in their helpers.
#![allow(clippy::unwrap_used)]

mod conformance;
mod drain;
