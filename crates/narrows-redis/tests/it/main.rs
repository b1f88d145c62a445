//! The layers against a real Redis, with Django Channels on the other side.

// Clippy allows this in test functions only, and not in their helpers.
#![allow(clippy::unwrap_used)]

mod capacity;
mod churn;
mod claims;
mod cluster;
mod conformance;
mod connections;
mod consumers;
mod direct;
mod expiry;
mod failover;
mod fakes;
mod faults;
mod flood;
mod groups;
mod histories;
mod identities;
mod junk;
mod keys;
mod large;
mod links;
mod live;
mod logs;
mod lone_sender;
mod matrix;
mod membership;
mod memberships;
mod memory;
mod named;
mod names;
mod node;
mod nodes;
mod order;
mod presence;
mod queues;
mod refuse;
mod resuming;
mod rights;
mod site;
mod sites;
mod tap;
mod thousands;
mod tls;
mod values;
