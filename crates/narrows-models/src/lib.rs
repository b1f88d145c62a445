//! `makemigrations` and `migrate` for SeaORM projects.

pub mod commands;
mod dialect;
pub mod migrate;
pub mod migration;
mod models;
pub mod schema;
pub mod state;

pub use commands::Commands;
pub use migrate::{MigrateError, Migrator};
pub use migration::{Migration, Migrations};
pub use models::Models;
pub use sea_orm;
