//! An admin at `/admin/` for staff: rows of the models, users, sessions, live connections.

mod admin;
mod shell;

pub use admin::{Admin, Listed};
