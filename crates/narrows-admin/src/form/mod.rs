//! Rows added and changed by forms.

mod diagnose;
mod input;
mod json;
mod options;
mod parse;
mod save;
mod view;
mod was;

pub(crate) use self::input::{Input, Problems, Texts, texts};
pub(crate) use self::options::options;
pub(crate) use self::save::Outcome;
pub(crate) use self::view::{add, change, sent, show_new, submit_add, submit_change};
