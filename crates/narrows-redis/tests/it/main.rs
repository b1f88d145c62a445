//! The layers against a real Redis.

mod conformance;
mod connections;
mod fakes;
mod faults;
mod links;
mod memberships;
mod memory;
mod nodes;
mod sites;
mod tap;
mod tls;
