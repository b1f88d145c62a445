//! Narrows.

mod limits;
pub mod scope;

pub use limits::Limits;
