use axum::response::{IntoResponse, Redirect, Response};
use http::HeaderMap;

/// Sends a browser on to a path of this site; htmx is told to open it as a page of its own.
pub(crate) fn redirect(headers: &HeaderMap, path: &str) -> Response {
    if headers.contains_key("hx-request") {
        return ([("hx-redirect", path)], "").into_response();
    }
    Redirect::to(path).into_response()
}
