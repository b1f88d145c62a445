//! `narrows.v1`: what the server says of itself, and what it answers.

mod desk;
mod handshake;
mod once;
mod replies;
mod roster;
