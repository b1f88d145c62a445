//! `narrows connect`.

mod client;
mod ends;
mod lines;
mod opening;
pub(crate) mod screen;
mod secure;
mod server;
mod terminal;
