//! Protection against requests that other sites make a browser send (CSRF).

use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::extract::{MatchedPath, Request};
use axum::response::{IntoResponse, Response};
use futures_util::future::Either;
use http::header::{AUTHORIZATION, COOKIE};
use http::{HeaderMap, StatusCode};
use tower::{Layer, Service};
use tower_http::csrf::{Csrf, CsrfLayer as Checks, ProtectionError};

use crate::accounts::Accounts;

type Refusal = fn(ProtectionError) -> Response;

impl Accounts {
    /// Refuses what other sites make a browser send in the name of its user, with a 403.
    ///
    /// A request passes with the method GET, HEAD or OPTIONS; or when the browser says that it comes from here
    /// (`Sec-Fetch-Site`, and `Origin` with `Host` for old ones); or when it does not come from a browser, as it has
    /// neither of these headers. There are no tokens in forms. Handlers of GET must not change anything, and
    /// WebSockets, which begin with a GET, have [`AllowedOrigins`](narrows::AllowedOrigins) instead.
    ///
    /// A request with a token in `Authorization` and without the session's cookie passes, too: no other site can make a
    /// browser send that. A password that the browser itself keeps (`Basic`) does not count.
    ///
    /// A proxy in front has to hand `Host` and `Origin` on as they are.
    ///
    /// ```no_run
    /// use axum::Router;
    /// use axum::routing::post;
    /// use narrows_django::{Accounts, Database, SecretKeys};
    ///
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// let database = Database::connect("sqlite://db.sqlite3").await?;
    /// let accounts = Accounts::builder(SecretKeys::new("a long secret"), database).build();
    /// let app: Router = Router::new()
    ///     .route("/comments", post(|| async { "saved" }))
    ///     .route("/hooks/{name}", post(|| async { "thanks" }))
    ///     .layer(accounts.layer())
    ///     .layer(accounts.csrf().exempt("/hooks/{name}").trusted_origin("https://shop.example.com")?);
    /// # Ok(())
    /// # }
    /// ```
    pub fn csrf(&self) -> CsrfLayer {
        CsrfLayer {
            checks: Checks::new().with_rejection_response(refuse as Refusal),
            rules: Rules { cookie: self.inner().cookie.name.as_str().into(), exempt: Arc::default() },
        }
    }
}

/// [`Accounts::csrf`].
#[derive(Clone)]
#[must_use = "a layer goes around routes"]
pub struct CsrfLayer {
    checks: Checks<Refusal>,
    rules: Rules,
}

impl CsrfLayer {
    /// Lets pages of this origin, such as `https://shop.example.com`, send requests: one of Django's
    /// `CSRF_TRUSTED_ORIGINS`, but without a `*`. It has to be written as browsers write it: in lower case, and without
    /// the port that the scheme has anyway.
    ///
    /// # Errors
    /// When it is not an origin of `http` or `https`.
    pub fn trusted_origin(mut self, origin: &str) -> Result<Self, TrustedOriginError> {
        self.checks =
            self.checks.add_trusted_origin(origin).map_err(|error| TrustedOriginError(error.into()))?;
        Ok(self)
    }

    /// Lets everybody send requests to this route, written as for [`Router::route`](axum::Router::route): Django's
    /// `csrf_exempt`. Such a route has to prove in another way who asks, by a signature for instance.
    ///
    /// In a service that is no router it is the whole path.
    pub fn exempt(mut self, route: &str) -> Self {
        self.rules.exempt = self.rules.exempt.iter().cloned().chain([route.into()]).collect();
        self
    }
}

/// Why an origin cannot be trusted.
#[derive(Debug, thiserror::Error)]
#[error("this is not an origin as browsers write it")]
pub struct TrustedOriginError(#[source] Box<dyn std::error::Error + Send + Sync>);

impl<S: Clone> Layer<S> for CsrfLayer {
    type Service = CsrfService<S>;

    fn layer(&self, inner: S) -> CsrfService<S> {
        CsrfService { checked: self.checks.layer(inner.clone()), inner, rules: self.rules.clone() }
    }
}

/// What [`CsrfLayer`] makes.
#[derive(Clone)]
pub struct CsrfService<S> {
    inner: S,
    checked: Csrf<S, Refusal>,
    rules: Rules,
}

impl<S: Service<Request, Response = Response>> Service<Request> for CsrfService<S> {
    type Response = Response;
    type Error = S::Error;
    type Future = Either<S::Future, <Csrf<S, Refusal> as Service<Request>>::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        ready!(self.inner.poll_ready(cx))?;
        self.checked.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        if self.rules.need_no_check(&request) {
            Either::Left(self.inner.call(request))
        } else {
            Either::Right(self.checked.call(request))
        }
    }
}

/// What needs no check.
#[derive(Clone)]
struct Rules {
    cookie: Arc<str>,
    exempt: Arc<[Box<str>]>,
}

impl Rules {
    fn need_no_check(&self, request: &Request) -> bool {
        let matched = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
        let route = matched.unwrap_or_else(|| request.uri().path());
        let is_exempt = self.exempt.iter().any(|exempt| **exempt == *route);
        is_exempt || (has_token(request.headers()) && !self.has_session(request.headers()))
    }

    fn has_session(&self, headers: &HeaderMap) -> bool {
        let mut pairs =
            headers.get_all(COOKIE).iter().flat_map(|line| line.as_bytes().split(|&byte| byte == b';'));
        pairs.any(|pair| {
            let name = pair.split(|&byte| byte == b'=').next().unwrap_or_default();
            name.trim_ascii() == self.cookie.as_bytes()
        })
    }
}

/// Whether there is an `Authorization` that a browser does not send by itself.
fn has_token(headers: &HeaderMap) -> bool {
    let mut schemes = headers.get_all(AUTHORIZATION).iter().map(|header| {
        let scheme = header.as_bytes().trim_ascii().split(|&byte| byte == b' ').next();
        scheme.unwrap_or_default().to_ascii_lowercase()
    });
    let by_itself = |scheme: &[u8]| matches!(scheme, b"basic" | b"digest" | b"negotiate" | b"ntlm");
    schemes.next().is_some_and(|scheme| !scheme.is_empty() && !by_itself(&scheme)) && schemes.next().is_none()
}

fn refuse(error: ProtectionError) -> Response {
    tracing::warn!(%error, "a request of another site was refused");
    (StatusCode::FORBIDDEN, "this request comes from another site\n").into_response()
}
