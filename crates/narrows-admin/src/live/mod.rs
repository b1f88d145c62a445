//! Live connections: who is here now, on all nodes, and the end of one.

mod announce;
mod confirm;
mod deed;
mod end;
mod list;

use axum::routing::get;
use narrows_web::Site;

pub(crate) use self::announce::Announce;
pub use self::announce::Target;
pub(crate) use self::confirm::Confirm;
pub(crate) use self::deed::{to_its_end, write_down};
pub(crate) use self::end::username;
pub(crate) use self::list::{known_id, names, user_id};
use crate::Admin;
use crate::shell::Paths;

/// Who may see connections.
const VIEW: &str = "narrows_admin.view_connection";

/// Who may end them.
const END: &str = "narrows_admin.end_connection";

/// Who may send announcements.
const ANNOUNCE: &str = "narrows_admin.add_announcement";

/// Adds the pages of live connections. This node answers the questions of others from here on.
pub(crate) fn routes(paths: Paths, admin: &Admin, site: &Site) -> Paths {
    site.channels().live();
    let paths = paths
        .route("live", "/live/", get(list::list))
        .route("live_end", "/live/connections/{id}/end/", get(end::ask).post(end::end))
        .route("live_end_user", "/live/users/{id}/end/", get(end::ask_user).post(end::end_user));
    if admin.announce.is_none() {
        return paths;
    }
    paths.route("announcements", "/live/announcements/", get(announce::form).post(announce::send))
}
