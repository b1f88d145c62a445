//! Who changed what, and when.

mod entity;
mod entry;
mod view;

pub(crate) use self::entity::Entity;
pub(crate) use self::entry::{Action, Change, write, write_all};
pub(crate) use self::view::{all, history};
