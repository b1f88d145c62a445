//! Sessions: who is logged in, and the end of that.

mod end;
mod list;

use axum::routing::get;

use crate::shell::Paths;

/// Who may see sessions.
const VIEW: &str = "sessions.view_session";

/// Who may end them.
const DELETE: &str = "sessions.delete_session";

/// Adds the pages of sessions.
pub(crate) fn routes(paths: Paths) -> Paths {
    paths
        .route("sessions", "/sessions/", get(list::list))
        .route("sessions_clear", "/sessions/clear/", get(end::ask_clear).post(end::clear))
        .route("sessions_end", "/sessions/{id}/end/", get(end::ask).post(end::end))
        .route("sessions_end_user", "/sessions/users/{id}/end/", get(end::ask_user).post(end::end_user))
}
