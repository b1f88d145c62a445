//! Where to go after logging in (`?next=`), and the way to the page for it (`login_required`).

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::extract::{FromRequestParts, OriginalUri, Request};
use axum::response::{IntoResponse, Redirect, Response};
use http::header::UPGRADE;
use http::request::Parts;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use tower::{Layer, Service};

use super::MaybeUser;
use crate::error::Refused;

/// What Django leaves as it is in `?next=`.
const QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// `MAX_URL_LENGTH` of Django.
const MAX_LENGTH: usize = 2048;

/// The path to go to after logging in, if it is one of this site.
///
/// `next` comes from whoever wrote the link, so anything that a browser might take for another site is refused, as
/// Django's `url_has_allowed_host_and_scheme` does without allowed hosts; stricter than there, it must be a path from
/// the root, without control characters anywhere.
///
/// ```
/// use narrows_django::safe_next;
///
/// assert_eq!(safe_next("/rooms/?page=2"), Some("/rooms/?page=2"));
/// assert_eq!(safe_next("//evil.example/"), None);
/// assert_eq!(safe_next("https:evil.example"), None);
/// ```
pub fn safe_next(next: &str) -> Option<&str> {
    let mut bytes = next.bytes();
    let from_root = bytes.next() == Some(b'/');
    // Browsers read `\` as `/`.
    let other_site = matches!(bytes.next(), Some(b'/' | b'\\'));
    // They drop some control characters, and then two slashes may meet.
    let good = from_root && !other_site && next.len() <= MAX_LENGTH && !next.contains(char::is_control);
    good.then_some(next)
}

/// Goes around routes that only users see: everybody else goes to the page for logging in, and comes back.
///
/// It must be inside of [`Accounts::layer`](crate::Accounts::layer). A WebSocket handshake is not sent anywhere, but
/// refused with a 401.
///
/// ```
/// use axum::{Router, routing::get};
/// use narrows_django::login_required;
///
/// let app: Router = Router::new()
///     .route("/rooms/", get(|| async { "for users" }))
///     .layer(login_required("/login/"));
/// // A GET of /rooms/ by nobody is sent to /login/?next=/rooms/
/// ```
pub fn login_required(login_url: &str) -> LoginRequired {
    LoginRequired { login_url: login_url.into() }
}

/// The address of a page to log in that leads back to `next`, a path of this site.
///
/// ```
/// assert_eq!(narrows_django::log_in_url("/login/", "/rooms/?open=1"), "/login/?next=/rooms/%3Fopen%3D1");
/// ```
pub fn log_in_url(page: &str, next: &str) -> String {
    let join = if page.contains('?') { '&' } else { '?' };
    format!("{page}{join}next={}", utf8_percent_encode(next, QUERY))
}

/// What [`login_required`] makes.
#[derive(Debug, Clone)]
pub struct LoginRequired {
    login_url: Arc<str>,
}

impl LoginRequired {
    async fn check(&self, parts: &mut Parts) -> Result<(), Response> {
        match MaybeUser::from_request_parts(parts, &()).await {
            Ok(MaybeUser(Some(_))) => Ok(()),
            Ok(MaybeUser(None)) if parts.headers.contains_key(UPGRADE) => {
                Err(Refused::Anonymous.into_response())
            }
            Ok(MaybeUser(None)) => Err(Redirect::to(&self.url(parts)).into_response()),
            Err(refused) => Err(refused.into_response()),
        }
    }

    fn url(&self, parts: &Parts) -> String {
        let uri = parts.extensions.get::<OriginalUri>().map_or(&parts.uri, |original| &original.0);
        let next = uri.path_and_query().map_or("/", |path| path.as_str());
        log_in_url(&self.login_url, next)
    }
}

impl<S> Layer<S> for LoginRequired {
    type Service = LoginRequiredService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        LoginRequiredService { inner, required: self.clone() }
    }
}

/// A service inside of [`login_required`].
#[derive(Debug, Clone)]
pub struct LoginRequiredService<S> {
    inner: S,
    required: LoginRequired,
}

impl<S> Service<Request> for LoginRequiredService<S>
where
    S: Service<Request, Response = Response> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        // The one that is ready goes, a new one stays.
        let next = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, next);
        let required = self.required.clone();
        Box::pin(async move {
            let (mut parts, body) = request.into_parts();
            match required.check(&mut parts).await {
                Ok(()) => inner.call(Request::from_parts(parts, body)).await,
                Err(response) => Ok(response),
            }
        })
    }
}
