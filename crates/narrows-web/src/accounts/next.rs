//! Where to go on to: back to where somebody came from, and nowhere else.

use axum::response::{IntoResponse, Redirect, Response};
use narrows_django::safe_next;
use percent_encoding::{CONTROLS, utf8_percent_encode};
use serde::Deserialize;

use crate::Site;

/// The query of a page: `?next=/chat/lobby/`.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Next {
    #[serde(default)]
    pub(super) next: String,
}

/// To `next`, if it is a path of this site, otherwise to where the setting says.
pub(super) fn go(site: &Site, next: &str, setting: &str) -> Response {
    let usual = site.settings().text(setting);
    let path = safe_next(next).or_else(|| safe_next(usual)).unwrap_or("/");
    // As it may stand in a header.
    Redirect::to(&utf8_percent_encode(path, CONTROLS).to_string()).into_response()
}
