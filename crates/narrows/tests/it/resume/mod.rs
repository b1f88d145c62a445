//! Connections that were cut off and go on.

mod blocking;
mod by_id;
mod ends;
mod going_on;
mod notebook;
mod present;
mod successors;
mod tokens;
