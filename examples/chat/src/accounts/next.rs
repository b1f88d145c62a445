//! Where to go after the log-in: back to where somebody came from, and nowhere else.

use axum::http::Uri;
use narrows_django::safe_next;
use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

/// The query of a page to log in: `?next=/chat/lobby/`.
#[derive(Deserialize)]
pub(super) struct Next {
    #[serde(default)]
    pub(super) next: String,
}

/// What may not stand in the value of a query.
const QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// As it may stand in the header `location`.
pub(super) fn location(next: &str) -> String {
    let path = safe_next(next).unwrap_or("/");
    utf8_percent_encode(path, CONTROLS).to_string()
}

/// The log-in page that leads back to this address.
pub(crate) fn log_in(from: &Uri) -> String {
    let here = from.path_and_query().map_or("/", |here| here.as_str());
    format!("/login/?next={}", query(here))
}

pub(super) fn query(next: &str) -> String {
    utf8_percent_encode(next, QUERY).to_string()
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
