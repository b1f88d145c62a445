//! Where to go after the log-in: back to where somebody came from, and nowhere else.

use axum::http::Uri;
use axum::response::{IntoResponse, Redirect, Response};
use narrows_web::narrows_django::{log_in_url, safe_next};
use percent_encoding::{CONTROLS, utf8_percent_encode};
use serde::Deserialize;

/// The query of a page to log in: `?next=/chat/lobby/`.
#[derive(Deserialize)]
pub(super) struct Next {
    #[serde(default)]
    pub(super) next: String,
}

/// As it may stand in the header `location`.
pub(super) fn location(next: &str) -> String {
    let path = safe_next(next).unwrap_or("/");
    utf8_percent_encode(path, CONTROLS).to_string()
}

/// To the log-in page, which leads back to this address.
pub(crate) fn to_log_in(from: &Uri) -> Response {
    // What only takes forms is no address to come back to.
    let here = from.path_and_query().map_or("/", |here| here.as_str());
    let here = if here.starts_with("/account/") { "/account/" } else { here };
    Redirect::to(&log_in_url("/login/", here)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_path_of_this_site_is_gone_to() {
        for path in ["/", "/chat/lobby/", "/chatgroup?groupID=a%20b", "/a//b", "/?u=https://x.example"] {
            assert_eq!(location(path), path);
        }
        for bad in [
            "",
            "chat/",
            "//evil.example/",
            "/\\evil.example",
            "/\t/evil.example",
            "https://evil.example/",
            "javascript:alert(1)",
        ] {
            assert_eq!(location(bad), "/", "{bad:?}");
        }
        assert_eq!(location("/chat/大厅/"), "/chat/%E5%A4%A7%E5%8E%85/");
    }
}
