use std::task::{Context, Poll};

use http::Request;
use tower::Layer;
use tower_service::Service;

use super::seen::Front;
use crate::sync::Arc;

/// Lets the extractors of [`scope`](crate::scope) know a node's trusted proxies and root path, on plain HTTP routes.
///
/// ```
/// use axum::{Router, routing::get};
/// use narrows::{Channels, scope::ClientAddr};
///
/// let channels = Channels::builder().trusted_proxies("10.0.0.0/8".parse()?).build();
/// let app: Router = Router::new()
///     .route("/ip", get(|client: ClientAddr| async move { client.to_string() }))
///     .layer(channels.scope_layer());
/// # Ok::<(), narrows::scope::ParseTrustedProxiesError>(())
/// ```
///
/// Only a router under `axum::serve` or in a test needs it: [`serve::Server`](crate::serve::Server) does this
/// for every request, and a consumer's route for its own.
#[derive(Debug, Clone)]
pub struct ScopeLayer(pub(crate) Arc<Front>);

impl<S> Layer<S> for ScopeLayer {
    type Service = ScopeService<S>;

    fn layer(&self, inner: S) -> ScopeService<S> {
        ScopeService { inner, front: self.0.clone() }
    }
}

/// What a [`ScopeLayer`] makes of a service.
#[derive(Debug, Clone)]
pub struct ScopeService<S> {
    inner: S,
    front: Arc<Front>,
}

impl<S: Service<Request<B>>, B> Service<Request<B>> for ScopeService<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> S::Future {
        request.extensions_mut().insert(self.front.clone());
        self.inner.call(request)
    }
}
