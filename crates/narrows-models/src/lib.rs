//! `makemigrations` and `migrate` for SeaORM projects.

mod builder;
pub mod migration;
mod models;
pub mod schema;
pub mod state;

pub use migration::{Migration, Migrations};
pub use models::Models;
pub use sea_orm;
