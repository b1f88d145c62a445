//! The layers against a real Redis.

mod conformance;
mod faults;
mod links;
mod memberships;
mod memory;
mod nodes;
mod sites;
mod tap;
