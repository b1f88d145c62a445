//! The tests of narrows-models.

mod make;
mod migrate;
