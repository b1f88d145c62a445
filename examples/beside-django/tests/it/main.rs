//! The program as somebody runs it: Django, Redis and the sockets, from outside.

#![allow(clippy::unwrap_used, reason = "all of this is tests, the helpers too")]

mod browser;
mod outage;
mod pages;
mod program;
mod site;
mod sockets;
mod visitor;
