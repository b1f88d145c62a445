use axum::extract::OriginalUri;
use axum::response::Redirect;
use narrows_web::{Page, Result, context};
use percent_encoding::{CONTROLS, utf8_percent_encode};

pub(super) async fn one(page: Page) -> Result {
    page.render("chats/one.html", context! {})
}

/// Which group, the query says to the page's script: `?groupID=42`.
pub(super) async fn group(page: Page) -> Result {
    page.render("chats/group.html", context! {})
}

/// These two addresses have no slash at the end, and those of before had one.
pub(super) async fn without_slash(OriginalUri(uri): OriginalUri) -> Redirect {
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    let path = format!("{}{query}", uri.path().trim_end_matches('/'));
    // Not a permanent redirect: browsers remember those, and port 8000 will serve something else tomorrow.
    Redirect::temporary(&utf8_percent_encode(&path, CONTROLS).to_string())
}
