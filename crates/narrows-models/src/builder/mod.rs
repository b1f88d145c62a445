//! The short forms that written migrations use.

mod columns;
mod literals;
mod migrations;
mod tables;

pub use columns::{ColumnChange, DropColumn};
pub use migrations::MigrationFn;
