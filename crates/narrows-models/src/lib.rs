//! `makemigrations` and `migrate` for SeaORM projects.

mod builder;
pub mod commands;
mod dialect;
pub mod diff;
mod literal;
pub mod migrate;
pub mod migration;
mod models;
pub mod question;
mod read;
mod render;
pub mod schema;
pub mod snapshot;
pub mod state;

pub use commands::Commands;
pub use migrate::{MigrateError, Migrator};
pub use migration::{Migration, Migrations};
pub use models::Models;
pub use read::ModelError;
pub use sea_orm;
