//! The database of the accounts.

mod connect;
mod servers;
mod tables;
