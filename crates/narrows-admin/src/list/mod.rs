//! Lists of rows: searched, narrowed, sorted, in pages.

mod filter;
mod state;
mod view;

pub(crate) use self::view::list;
