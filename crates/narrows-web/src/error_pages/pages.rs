use std::error::Error as StdError;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::response::{Html, IntoResponse, Response};
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{HeaderValue, StatusCode};
use minijinja::{Value, context};
use serde_json::json;

use super::{Asked, details};
use crate::{Page, Site};

/// An error as it is shown.
pub(super) struct Shown {
    pub(super) status: StatusCode,
    /// What is said to the reader.
    pub(super) text: Option<String>,
    pub(super) source: Option<Arc<dyn StdError + Send + Sync>>,
}

impl Shown {
    pub(super) fn title(&self) -> &'static str {
        self.status.canonical_reason().unwrap_or("Error")
    }

    fn text(&self) -> &str {
        self.text.as_deref().unwrap_or_else(|| usual(self.status))
    }
}

/// With what was behind it for developers.
pub(super) fn text(error: &Shown, causes: Option<&[String]>) -> Response {
    let lines = [error.text()].into_iter().chain(causes.unwrap_or_default().iter().map(String::as_str));
    lines.map(|line| format!("{line}\n")).collect::<String>().into_response()
}

/// As in RFC 9457; developers have `causes` besides.
pub(super) fn json(error: &Shown, causes: Option<&[String]>) -> Response {
    let mut body = json!({ "status": error.status.as_u16(), "title": error.title(), "detail": error.text() });
    if let Some(causes) = causes.filter(|causes| !causes.is_empty()) {
        body["causes"] = json!(causes);
    }
    let kind = HeaderValue::from_static("application/problem+json");
    ([(CONTENT_TYPE, kind)], body.to_string()).into_response()
}

pub(super) async fn html(
    site: &Site,
    parts: &mut Parts,
    asked: &Asked,
    error: &Shown,
    causes: Option<&[String]>,
) -> Response {
    match causes {
        Some(causes) => details::page(site, parts, asked, error, causes),
        None => page(site, parts, error, error.title(), error.text()).await,
    }
}

/// The site's own page, or the one that every site has.
async fn page(site: &Site, parts: &mut Parts, error: &Shown, title: &str, text: &str) -> Response {
    let status = error.status.as_u16();
    let own = format!("{status}.html");
    let names = [own.as_str(), "narrows/error.html"];
    let more = context! { status, title, text };
    let Ok(page) = Page::from_request_parts(parts, site).await;
    let rendered = page.status(error.status).render_first(&names, more.clone());
    rendered.unwrap_or_else(|problem| {
        // The page of an error must not fail, whatever the site's own template does.
        tracing::error!(error = %problem, template = own, "the page of an error cannot be shown");
        let plain = site.templates().get("narrows/error.html").and_then(|template| template.render(more));
        plain.map_or_else(|_| format!("{text}\n").into_response(), |html| Html(html).into_response())
    })
}

/// What is said where nobody says anything else.
pub(super) fn usual(status: StatusCode) -> &'static str {
    match status {
        StatusCode::BAD_REQUEST => "This request cannot be understood.",
        StatusCode::UNAUTHORIZED => "Log in first.",
        StatusCode::FORBIDDEN => "You may not do this.",
        StatusCode::NOT_FOUND => "There is no page at this address.",
        StatusCode::METHOD_NOT_ALLOWED => "This address does not take such a request.",
        StatusCode::PAYLOAD_TOO_LARGE => "This is more than the site takes.",
        StatusCode::UNSUPPORTED_MEDIA_TYPE => "The site does not take this kind of content.",
        StatusCode::UNPROCESSABLE_ENTITY => "What was sent is not as it has to be.",
        StatusCode::TOO_MANY_REQUESTS => "These were too many requests. Wait a moment.",
        StatusCode::SERVICE_UNAVAILABLE => "The site is busy. Wait a moment and try again.",
        status if status.is_server_error() => "Something went wrong here. It has been noted.",
        _ => "This request cannot be answered.",
    }
}

/// What a template is given of a request.
pub(super) fn value<T: serde::Serialize>(value: &T) -> Value {
    Value::from(minijinja::value::Serde(value))
}
