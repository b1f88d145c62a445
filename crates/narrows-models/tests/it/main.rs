//! The tests of narrows-models.

mod migrate;
