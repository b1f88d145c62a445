//! An admin at `/admin/` for staff: rows of the models, users, sessions, live connections.

mod admin;
mod form;
mod list;
mod listed;
mod log;
mod migrations;
mod model;
mod permissions;
mod removal;
mod rows;
mod shell;
mod value;

pub use admin::Admin;
pub use listed::Listed;
pub use narrows_models::sea_orm;
