//! Narrows.

mod limits;
pub mod serve;

pub use limits::Limits;
