//! Who gets in, and what browsers are told of every page.

use std::sync::Arc;

use axum::extract::{FromRequestParts, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderName, HeaderValue, StatusCode};
use narrows_django::{MaybeUser, log_in_url};
use narrows_web::{Page, Site, context};

use super::redirect;
use super::staff::Staff;
use crate::Admin;
use crate::permissions::Made;

#[derive(Clone)]
pub(super) struct Guard {
    pub(super) site: Site,
    pub(super) admin: Arc<Admin>,
    pub(super) made: Arc<Made>,
    /// The path of the page to log in at.
    pub(super) login: String,
}

/// Nobody goes to the log-in and comes back, others than staff get a 403; staff goes on with what they may.
pub(super) async fn staff_only(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let user = match MaybeUser::from_request_parts(&mut parts, &guard.site).await {
        Ok(MaybeUser(user)) => user,
        Err(refused) => return refused.into_response(),
    };
    let Some(user) = user else {
        // Nobody comes back to where something is done.
        let back = if parts.method == http::Method::GET {
            parts.uri.path_and_query().map_or("", |path| path.as_str())
        } else {
            ""
        };
        return redirect(&parts.headers, &log_in_url(&guard.login, back));
    };
    if !(user.is_staff && user.is_active) {
        return refused(&mut parts, &guard, &user.username).await;
    }
    guard.made.ensure(&guard.admin, &guard.site).await;
    let permissions = match guard.site.accounts().permissions(&user).await {
        Ok(permissions) => permissions,
        Err(error) => return narrows_django::Refused::from(error).into_response(),
    };
    parts.extensions.insert(Staff::new(user, permissions));
    next.run(Request::from_parts(parts, body)).await
}

async fn refused(parts: &mut http::request::Parts, guard: &Guard, username: &str) -> Response {
    let page = match Page::from_request_parts(parts, &guard.site).await {
        Ok(page) => page.status(StatusCode::FORBIDDEN),
        Err(refused) => return refused.into_response(),
    };
    let title = guard.admin.title.clone();
    page.render("admin/refused.html", context! { username, admin => context! { title } }).into_response()
}

/// Nothing of the admin is shown within another page, kept by anybody, or runs what is not the site's own.
pub(super) async fn headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers: [(HeaderName, &str); 5] = [
        (
            CONTENT_SECURITY_POLICY,
            "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
        ),
        (X_FRAME_OPTIONS, "DENY"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "same-origin"),
        (CACHE_CONTROL, "private, no-store"),
    ];
    for (name, value) in headers {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}
