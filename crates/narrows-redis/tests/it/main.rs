//! The layers against a real Redis.

mod cluster;
mod conformance;
mod connections;
mod failover;
mod fakes;
mod faults;
mod flood;
mod junk;
mod links;
mod logs;
mod memberships;
mod memory;
mod nodes;
mod queues;
mod rights;
mod sites;
mod tap;
mod tls;
