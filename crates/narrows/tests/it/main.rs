//! The tests of the public API, in one binary.

// Clippy allows this in test functions only, and not in their helpers.
#![allow(clippy::unwrap_used)]

mod compile_fail;
mod cookies;
mod faulty_layer;
mod layers;
mod origin;
mod routing;
