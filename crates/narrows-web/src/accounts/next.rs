//! Where to go on to: back to where somebody came from, and nowhere else.

use axum::response::Response;
use narrows_django::safe_next;

use crate::{Form, Site, redirect};

/// What the query of a page says: `?next=/chat/lobby/`.
pub(super) fn asked_next(query: &Form<()>) -> &str {
    query.value("next").unwrap_or_default()
}

/// To `next`, if it is a path of this site, otherwise to where the setting says, which its owner may know.
pub(super) fn go(site: &Site, next: &str, setting: &str) -> Response {
    let usual = Some(site.settings().text(setting)).filter(|usual| !usual.is_empty());
    redirect(safe_next(next).or(usual).unwrap_or("/"))
}
