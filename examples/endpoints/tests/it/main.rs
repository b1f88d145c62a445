//! Tests of the endpoints example as a program, in one binary.

// In a test a failed unwrap is a failed test; the lint's own exception stops at helper functions.
#![allow(clippy::unwrap_used)]

mod clients;
mod django;
mod drain;
mod headers;
mod limits;
mod listen;
mod pages;
mod server;
mod whoami;
