//! The pages of errors: what a bare status becomes for those who read pages.

mod details;
mod near;
mod pages;
mod wants;

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Redirect, Response};
use futures_util::FutureExt;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, UPGRADE};
use http::request::Parts;
use http::{Method, StatusCode, Uri};
use http_body::Body as _;
use percent_encoding::{CONTROLS, utf8_percent_encode};

use self::wants::Wants;
use crate::Site;
use crate::error::Report;

/// What an answer says by itself, at most, for a page to say it.
const MAX_TEXT_BYTES: u64 = 2048;

/// Puts the site's pages around a router: for every answer of a status from 400 that is empty or a short plain text, by what the client
/// wants a page, JSON or a text. What is a page or JSON already is left as it is, and so are sockets' handshakes.
///
/// A panic is a 500. What is behind an error is logged here, once.
pub(crate) fn around(router: Router, site: &Site) -> Router {
    router.layer(from_fn_with_state(site.clone(), answer))
}

/// Sends a path that only lacks its last slash on, where none of these routes has it.
pub(crate) fn with_slashes(router: Router, site: &Site) -> Router {
    router.layer(from_fn_with_state(site.clone(), slash))
}

/// An answer that has been looked at. Another layer around it, which is there for the answers of those in between, leaves it alone.
#[derive(Clone)]
struct Done;

async fn answer(State(site): State<Site>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let (asked, wants) = (Asked::of(&parts), Wants::of(&parts.headers));
    let is_socket = parts.headers.contains_key(UPGRADE);
    // Only a page is told who reads it, and only developers what happened.
    let is_looked_at = wants == Wants::Html || site.is_development();
    let mut seen = (is_looked_at && !is_socket).then(|| parts.clone());
    let request = Request::from_parts(parts, body);
    let mut response = match AssertUnwindSafe(next.run(request)).catch_unwind().await {
        Ok(response) => response,
        Err(panic) => panicked(panic.as_ref()),
    };
    if response.extensions().get::<Done>().is_some() {
        return response;
    }
    let report = response.extensions_mut().remove::<Report>();
    log(&asked, response.status(), report.as_ref());
    response.extensions_mut().insert(Done);
    if is_socket || !is_bare(&response) {
        return response;
    }
    let (head, body) = response.into_parts();
    // It is as long as it says, which is short.
    let said = to_bytes(body, MAX_TEXT_BYTES as usize).await.unwrap_or_default();
    let said = String::from_utf8_lossy(&said).trim().to_owned();
    let text = report.as_ref().and_then(|report| report.text.clone()).or((!said.is_empty()).then_some(said));
    let error = pages::Shown { status: head.status, text, source: report.and_then(|report| report.source) };
    let causes = match &mut seen {
        Some(seen) => details::are_for(&site, seen, &error).await.then(|| details::chain(&error)),
        None => None,
    };
    let made = match (&mut seen, wants) {
        (Some(seen), Wants::Html) => pages::html(&site, seen, &asked, &error, causes.as_deref()).await,
        (_, Wants::Json) => pages::json(&error, causes.as_deref()),
        _ => pages::text(&error, causes.as_deref()),
    };
    merge(head, made)
}

/// What is said of a request in the log and to developers.
struct Asked {
    method: Method,
    uri: Uri,
    route: Option<MatchedPath>,
}

impl Asked {
    fn of(parts: &Parts) -> Self {
        let route = parts.extensions.get::<MatchedPath>().cloned();
        Self { method: parts.method.clone(), uri: parts.uri.clone(), route }
    }
}

/// Django's `APPEND_SLASH`: where no route has this path, but one has it with a slash.
async fn slash(State(site): State<Site>, request: Request, next: Next) -> Response {
    let is_read =
        matches!(*request.method(), Method::GET | Method::HEAD) && !request.headers().contains_key(UPGRADE);
    let path = request.uri().path();
    let is_lost = is_read && request.extensions().get::<MatchedPath>().is_none();
    // Two slashes at the beginning, which a backslash is to browsers too, would lead to another site.
    let stays = !path.get(1..).is_some_and(|rest| rest.starts_with(['/', '\\']));
    if is_lost && stays && site.names().is_some_and(|names| names.has_with_slash(path)) {
        let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
        let target = utf8_percent_encode(&format!("{path}/{query}"), CONTROLS).to_string();
        // Not for ever, as browsers remember that, and the route may be another one tomorrow.
        return Redirect::temporary(&target).into_response();
    }
    next.run(request).await
}

/// What a view's panic is to its client: the same as an error of it.
fn panicked(panic: &(dyn Any + Send)) -> Response {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    let error = Panicked(text.unwrap_or_else(|| "with something that is no text".to_owned()));
    let mut response = StatusCode::INTERNAL_SERVER_ERROR.into_response();
    response.extensions_mut().insert(Report { text: None, source: Some(Arc::new(error)) });
    response
}

#[derive(Debug, thiserror::Error)]
#[error("a view panicked: {0}")]
struct Panicked(String);

fn log(asked: &Asked, status: StatusCode, report: Option<&Report>) {
    let source = report.and_then(|report| report.source.as_ref());
    let error = source.map(|source| -> &(dyn std::error::Error + 'static) { &**source });
    let (method, path, status) = (&asked.method, asked.uri.path(), status.as_u16());
    match error {
        Some(error) if status < 500 => tracing::debug!(%method, path, status, error, "a request was refused"),
        Some(error) => tracing::error!(%method, path, status, error, "a request failed"),
        // Others, such as a 503, are no failure.
        None if status == 500 => {
            tracing::error!(%method, path, status, "a request failed, and its view does not say why");
        }
        None => {}
    }
}

/// Whether an answer is a status and no more than a short text.
fn is_bare(response: &Response) -> bool {
    let status = response.status();
    let is_text = match response.headers().get(CONTENT_TYPE) {
        None => true,
        Some(kind) => kind.as_bytes().starts_with(b"text/plain"),
    };
    let is_short = response.body().size_hint().upper().is_some_and(|length| length <= MAX_TEXT_BYTES);
    (status.is_client_error() || status.is_server_error()) && is_text && is_short
}

/// The page, with what the first answer says to its client besides: `allow`, `retry-after`, cookies.
fn merge(head: http::response::Parts, made: Response) -> Response {
    let (mut page, body) = made.into_parts();
    page.status = head.status;
    page.extensions = head.extensions;
    for name in head.headers.keys().filter(|name| **name != CONTENT_TYPE && **name != CONTENT_LENGTH) {
        if !page.headers.contains_key(name) {
            for value in head.headers.get_all(name) {
                page.headers.append(name, value.clone());
            }
        }
    }
    Response::from_parts(page, Body::new(body))
}
