//! Connections that end with their session, their user's log-in, or their time.

mod blocking;
mod checks;
mod ends;
pub(crate) mod kit;
mod window;
