//! An admin at `/admin/` for staff: rows of the models, users, sessions, live connections.

mod access;
mod admin;
mod form;
mod list;
mod listed;
mod live;
mod log;
mod migrations;
mod model;
mod permissions;
mod removal;
mod rows;
mod sessions;
mod shell;
mod users;
mod value;

pub use admin::Admin;
pub use listed::Listed;
pub use live::Target;
pub use narrows_models::sea_orm;
