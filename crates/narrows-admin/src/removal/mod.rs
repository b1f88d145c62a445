//! Rows deleted, with all that goes with them.

mod going;
mod plan;
mod view;

pub(crate) use self::view::{ask, ask_selected, submit};
