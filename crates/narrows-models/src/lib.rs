//! `makemigrations` and `migrate` for SeaORM projects: models are compared with the migrations there are, what differs is
//! written as a Rust file, and one migration is for SQLite, PostgreSQL, MySQL and MariaDB alike.
//!
//! * [`Models`] are the entities of an app, and [`Migrations`], by the macro [`migrations!`], the steps that make their tables.
//! * [`Commands`] is what a program does with both by its command line; it needs nothing else of Narrows.
//! * [`migration`] has the short forms that files of migrations are written in.
//!
//! `docs/models.md` tells all of it in order.

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

#[cfg(doctest)]
#[doc = include_str!("../../../docs/models.md")]
struct ModelsPage;
