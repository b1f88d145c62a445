//! Rows of any model.

mod key;
mod read;
mod search;

pub(crate) use self::key::Key;
pub(crate) use self::read::{MANY, Row, Selection, count, labels, one, some};
pub(crate) use self::search::{has_word, search, words};
