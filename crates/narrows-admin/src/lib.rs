//! An admin at `/admin/` for staff: rows of the models, users, sessions, live connections.

mod registry;

pub use registry::{Admin, Listed};
