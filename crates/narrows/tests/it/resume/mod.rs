//! Connections that were cut off and go on.

mod blocking;
mod ends;
mod going_on;
mod notebook;
mod present;
mod successors;
mod tokens;
