use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::extract::Request;
use axum::response::Response;
use http::StatusCode;
use http::header::{UPGRADE, WWW_AUTHENTICATE};
use narrows::IdentityChecks;
use tower::{Layer, Service};

use super::credentials::take_subprotocols;
use super::{WayIn, Ways};
use crate::accounts::Accounts;

impl Accounts {
    /// Lets users into the routes inside of this layer by another way than a session.
    ///
    /// It goes inside of [`Accounts::layer`]. Several stack, and the way of the outermost is asked first. Who gives
    /// a token that is not good is nobody: [`MaybeUser`](crate::MaybeUser) has nobody, and [`User`](crate::User)
    /// refuses with a 401 that says in `WWW-Authenticate` what would do.
    ///
    /// ```no_run
    /// use axum::Router;
    /// use axum::routing::get;
    /// use narrows_django::ways::TokenWay;
    /// use narrows_django::{Accounts, Database, SecretKeys, User};
    ///
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// let database = Database::connect("sqlite://db.sqlite3").await?;
    /// let accounts = Accounts::builder(SecretKeys::new("a long secret"), database).build();
    /// let app: Router = Router::new()
    ///     .route("/api/me", get(|user: User| async move { user.username }))
    ///     .layer(accounts.way_in(TokenWay::new()))
    ///     .layer(accounts.layer());
    /// # Ok(())
    /// # }
    /// ```
    pub fn way_in(&self, way: impl WayIn) -> WayInLayer {
        WayInLayer { way: Arc::new(way) }
    }
}

/// [`Accounts::way_in`].
#[derive(Clone)]
pub struct WayInLayer {
    way: Arc<dyn WayIn>,
}

impl<S> Layer<S> for WayInLayer {
    type Service = WayInService<S>;

    fn layer(&self, inner: S) -> WayInService<S> {
        WayInService { inner, way: self.way.clone() }
    }
}

/// What [`WayInLayer`] makes.
#[derive(Clone)]
pub struct WayInService<S> {
    inner: S,
    way: Arc<dyn WayIn>,
}

impl<S: Service<Request, Response = Response>> Service<Request> for WayInService<S> {
    type Response = Response;
    type Error = S::Error;
    type Future = WayInFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let (mut parts, body) = request.into_parts();
        if let Some(prefix) = self.way.subprotocol_prefix() {
            take_subprotocols(&mut parts.headers, &mut parts.extensions, prefix);
        }
        if parts.headers.contains_key(UPGRADE)
            && let Some(accounts) = parts.extensions.get::<Accounts>()
            && let Some((name, check)) = self.way.identity_check(accounts)
        {
            IdentityChecks::add(&mut parts.extensions, name, check);
        }
        parts.extensions.get_or_insert_default::<Ways>().0.push(self.way.clone());
        let inner = self.inner.call(Request::from_parts(parts, body));
        WayInFuture { inner: Box::pin(inner), way: self.way.clone() }
    }
}

/// What [`WayInService`] answers with.
pub struct WayInFuture<F> {
    inner: Pin<Box<F>>,
    way: Arc<dyn WayIn>,
}

impl<F: Future<Output = Result<Response, E>>, E> Future for WayInFuture<F> {
    type Output = Result<Response, E>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut response = ready!(self.inner.as_mut().poll(cx))?;
        if response.status() == StatusCode::UNAUTHORIZED
            && let Some(challenge) = self.way.challenge()
        {
            response.headers_mut().append(WWW_AUTHENTICATE, challenge);
        }
        Poll::Ready(Ok(response))
    }
}
