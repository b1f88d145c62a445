use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use chrono::Utc;
use http::header::{SET_COOKIE, UPGRADE, VARY};
use http::{HeaderMap, HeaderValue, StatusCode};
use narrows::IdentityChecks;
use narrows::scope::Cookies;
use tower::{Layer, Service};

use super::{SaveError, Session};
use crate::accounts::Accounts;
use crate::error::Refused;

/// Where extractors find the session, which nobody asked for yet.
#[derive(Clone)]
pub(super) struct Asked(pub(super) Session);

/// What the accounts' check is called in the tokens of sockets that come back.
const CHECK: &str = "narrows-django.accounts";

/// [`Accounts::layer`].
#[derive(Clone)]
pub struct SessionLayer(Accounts);

impl SessionLayer {
    pub(crate) fn new(accounts: Accounts) -> Self {
        Self(accounts)
    }
}

impl<S> Layer<S> for SessionLayer {
    type Service = SessionService<S>;

    fn layer(&self, inner: S) -> SessionService<S> {
        SessionService { inner, accounts: self.0.clone() }
    }
}

/// What [`SessionLayer`] makes.
#[derive(Clone)]
pub struct SessionService<S> {
    inner: S,
    accounts: Accounts,
}

impl<S> Service<Request> for SessionService<S>
where
    S: Service<Request> + Clone + Send + 'static,
    S::Response: IntoResponse,
    S::Future: Send,
    S::Error: Send,
{
    type Response = Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        // The one that is ready; the clone takes its place.
        let clone = self.inner.clone();
        let mut inner = mem::replace(&mut self.inner, clone);
        if request.extensions().get::<Asked>().is_some() {
            // The layer further out does it all.
            let answer = inner.call(request);
            return Box::pin(async move { Ok(answer.await?.into_response()) });
        }
        let cookies = Cookies::from_headers(request.headers());
        let sent = cookies.get(&self.accounts.cookie().name);
        let (session, was_sent) = (Session::new(self.accounts.clone(), sent), sent.is_some());
        request.extensions_mut().insert(self.accounts.clone());
        if request.headers().contains_key(UPGRADE) {
            // A socket that comes back is asked about by the same check, whichever node it comes to.
            IdentityChecks::add(request.extensions_mut(), CHECK, self.accounts.identity_check());
        }
        request.extensions_mut().insert(Asked(session.clone()));
        let answer = inner.call(request);
        Box::pin(async move {
            let response = answer.await.map(IntoResponse::into_response);
            match response {
                Ok(response) => Ok(finish(&session, was_sent, response).await),
                Err(error) => Err(error),
            }
        })
    }
}

/// What Django's `SessionMiddleware` does with an answer.
async fn finish(session: &Session, was_sent: bool, mut response: Response) -> Response {
    let cookie = session.accounts().cookie();
    let is_error = response.status().is_server_error();
    let is_due = session.is_modified() || (cookie.save_every_request && !session.is_nothing());
    let saved = match (is_error, is_due) {
        (true, _) => session.save_flushes().await,
        (false, true) => save(session).await,
        (false, false) => Ok(()),
    };
    if let Err(error) = saved {
        return refuse(error);
    }
    let now = Utc::now();
    let header = match session.cookie_value() {
        _ if was_sent && session.is_nothing() => Some(cookie.delete()),
        // By the handler itself, too, whatever its answer is then: the browser would be left with a key that is gone.
        Some(value) if session.was_saved() => Some(cookie.set(&value, session.cookie_age(now), now)),
        _ => None,
    };
    if session.was_accessed() || header.is_some() {
        vary_on_cookie(response.headers_mut());
    }
    if let Some(header) = header {
        match HeaderValue::try_from(header) {
            Ok(header) => drop(response.headers_mut().append(SET_COOKIE, header)),
            Err(error) => tracing::error!(%error, "the session's cookie cannot be written"),
        }
    }
    response
}

/// Saves it, loaded or not: `save_every_request` writes what nobody asked for, too.
async fn save(session: &Session) -> Result<(), SaveError> {
    session.load().await?;
    session.save().await
}

fn refuse(error: SaveError) -> Response {
    match error {
        SaveError::Deleted => {
            tracing::warn!("the request's session was deleted before the request was answered");
            (StatusCode::BAD_REQUEST, "your session has ended meanwhile\n").into_response()
        }
        SaveError::Unavailable(error) => Refused::Unavailable(error).into_response(),
        SaveError::Content(error) => {
            tracing::error!(%error, "the session cannot be written as JSON");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// `patch_vary_headers` of Django.
fn vary_on_cookie(headers: &mut HeaderMap) {
    let names = |value: &HeaderValue| match value.to_str() {
        Ok(text) => text.split(',').map(|name| name.trim().to_ascii_lowercase()).collect(),
        Err(_) => Vec::new(),
    };
    let mut there = headers.get_all(VARY).iter().flat_map(names);
    if !there.any(|name| name == "cookie" || name == "*") {
        headers.append(VARY, HeaderValue::from_static("Cookie"));
    }
}
