//! The layers against a real Redis, with Django Channels on the other side.

// Clippy allows this in test functions only, and not in their helpers.
#![allow(clippy::unwrap_used)]

mod capacity;
mod churn;
mod conformance;
mod consumers;
mod direct;
mod drain;
mod expiry;
mod groups;
mod keys;
mod large;
mod lone_sender;
mod matrix;
mod membership;
mod named;
mod names;
mod node;
mod order;
mod refuse;
mod site;
mod thousands;
mod values;
