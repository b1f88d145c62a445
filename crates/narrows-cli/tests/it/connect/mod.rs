//! `narrows connect`.

mod client;
mod ends;
mod lines;
mod opening;
mod screen;
mod secure;
mod server;
mod terminal;
