//! Connections that end with their session, their user's log-in, or their time.

mod blocking;
mod checks;
mod ends;
mod kit;
mod window;
