//! The page that developers see: what happened, and what was asked.

use std::error::Error as StdError;
use std::net::IpAddr;

use axum::extract::{MatchedPath, OptionalFromRequestParts};
use axum::response::{Html, IntoResponse, Response};
use http::header::{AUTHORIZATION, CACHE_CONTROL, COOKIE, PROXY_AUTHORIZATION};
use http::request::Parts;
use http::{HeaderValue, StatusCode};
use minijinja::context;
use narrows::scope::ClientAddr;
use serde::Serialize;

use super::pages::{Shown, value};
use super::{Asked, pages};
use crate::Site;

/// Never in production; in development for a failure, and for an address that is not there; and only for clients on this machine or in a
/// private network: a site that is developed may still be reached from elsewhere.
pub(super) async fn are_for(site: &Site, parts: &mut Parts, error: &Shown) -> bool {
    let is_told =
        error.status.is_server_error() || error.status == StatusCode::NOT_FOUND || error.source.is_some();
    if !site.is_development() || !is_told {
        return false;
    }
    let Ok(client) = <ClientAddr as OptionalFromRequestParts<Site>>::from_request_parts(parts, site).await;
    // Without an address it came by a socket of this machine.
    client.is_none_or(|client| is_near(client.ip()))
}

fn is_near(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_loopback() || ip.is_private() || ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local(),
    }
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

pub(super) fn page(site: &Site, parts: &Parts, asked: &Asked, error: &Shown, title: &str) -> Response {
    let chain = chain(error);
    let template = error.source.as_deref().and_then(|source| find::<minijinja::Error>(source));
    let summary = chain.first().cloned().or_else(|| error.text.clone());
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
            title, summary, request,
            causes => value(&chain.get(1..).unwrap_or_default()),
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
fn chain(error: &Shown) -> Vec<String> {
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

/// Without those that let somebody in.
fn headers(parts: &Parts) -> Vec<Header<'_>> {
    let secret = [COOKIE, AUTHORIZATION, PROXY_AUTHORIZATION];
    let shown = parts.headers.iter().filter(|(name, _)| !secret.contains(name));
    shown
        .map(|(name, value)| Header {
            name: name.as_str(),
            value: String::from_utf8_lossy(value.as_bytes()).into_owned(),
        })
        .collect()
}
