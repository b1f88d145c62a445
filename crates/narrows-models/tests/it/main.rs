//! Models and migrations, through the public API.

mod make;
mod migrate;
