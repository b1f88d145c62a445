//! The page that developers see: what happened, and what was asked.

use std::error::Error as StdError;

use axum::extract::MatchedPath;
use axum::response::{Html, IntoResponse, Response};
use http::header::CACHE_CONTROL;
use http::request::Parts;
use http::{HeaderValue, StatusCode};
use minijinja::context;
use serde::Serialize;

use super::pages::{Shown, value};
use super::{Asked, near, pages};
use crate::Site;

/// Never in production; in development for a failure, and for an address that is not there; and only for clients that are near: a site
/// that is developed may still be reached from elsewhere.
pub(super) async fn are_for(site: &Site, parts: &mut Parts, error: &Shown) -> bool {
    let is_told =
        error.status.is_server_error() || error.status == StatusCode::NOT_FOUND || error.source.is_some();
    site.is_development() && is_told && near::is_near(site, parts).await
}

#[derive(Serialize)]
struct Header<'a> {
    name: &'a str,
    value: String,
}

#[derive(Serialize)]
struct Route<'a> {
    name: &'a str,
    path: &'a str,
}

pub(super) fn page(site: &Site, parts: &Parts, asked: &Asked, error: &Shown, causes: &[String]) -> Response {
    let template = error.source.as_deref().and_then(|source| find::<minijinja::Error>(source));
    let summary = causes.first().cloned().or_else(|| error.text.clone());
    let summary = summary.unwrap_or_else(|| match error.status {
        StatusCode::NOT_FOUND => format!("No route has the path {}", asked.uri.path()),
        _ => "Nothing is known of why".to_owned(),
    });
    let routes: Vec<Route<'_>> = match (error.status, site.names()) {
        (StatusCode::NOT_FOUND, Some(names)) if asked.route.is_none() => {
            names.all().map(|(name, path)| Route { name, path }).collect()
        }
        _ => Vec::new(),
    };
    let request = context! {
        method => asked.method.as_str(),
        path => asked.uri.path(),
        query => asked.uri.query(),
        route => asked.route.as_ref().map(MatchedPath::as_str),
        headers => value(&headers(parts)),
    };
    let rendered = site.templates().get("narrows/development.html").and_then(|page| {
        page.render(context! {
            status => error.status.as_u16(),
            summary, request,
            title => error.title(),
            causes => value(&causes.get(1..).unwrap_or_default()),
            routes => value(&routes),
            template => template.and_then(|error| Some(context! { name => error.name()?, line => error.line() })),
            excerpt => template.map(|error| error.display_debug_info().to_string()).filter(|text| !text.trim().is_empty()),
        })
    });
    match rendered {
        Ok(html) => {
            ([(CACHE_CONTROL, HeaderValue::from_static("private, no-store"))], Html(html)).into_response()
        }
        Err(problem) => {
            tracing::error!(error = %problem, "the page for developers cannot be shown");
            pages::usual(error.status).into_response()
        }
    }
}

/// The error and what was behind it, one after another.
pub(super) fn chain(error: &Shown) -> Vec<String> {
    let first = error.source.as_deref().map(|source| source as &(dyn StdError + 'static));
    let mut texts: Vec<String> = Vec::new();
    for error in std::iter::successors(first, |error| (*error).source()) {
        let text = error.to_string();
        // Errors that say what is behind them say it once.
        if texts.last() != Some(&text) {
            texts.push(text);
        }
    }
    texts
}

fn find<'a, E: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a E> {
    std::iter::successors(Some(error), |error| (*error).source()).find_map(|error| error.downcast_ref())
}

/// Without those that let somebody in, by their names.
fn headers(parts: &Parts) -> Vec<Header<'_>> {
    const SECRET: [&str; 7] = ["auth", "cookie", "key", "pass", "secret", "signature", "token"];
    let is_shown = |name: &str| !SECRET.iter().any(|secret| name.contains(secret));
    let shown = parts.headers.iter().filter(|(name, _)| is_shown(name.as_str()));
    shown
        .map(|(name, value)| Header {
            name: name.as_str(),
            value: String::from_utf8_lossy(value.as_bytes()).into_owned(),
        })
        .collect()
}
