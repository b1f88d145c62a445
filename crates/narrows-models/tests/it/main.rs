//! Models and migrations, through the public API.

// Clippy allows this in test functions only, and not in their helpers.
#![allow(clippy::unwrap_used)]

mod make;
mod migrate;
