use std::sync::Arc;

use axum::{
    Router,
    extract::Request,
    response::{IntoResponse, Response},
    routing::MethodRouter,
};
use http::StatusCode;
use percent_encoding::percent_decode_str;
use tower::ServiceExt;

use super::{UrlRoutes, resolved::ResolvedExtension};

impl UrlRoutes {
    /// The routes as a router, to be merged into others or served alone.
    ///
    /// ```
    /// use axum::{Router, routing::{any, get}};
    /// use narrows::UrlRoutes;
    ///
    /// let moved = UrlRoutes::new().path("ws/chat/<slug:room>/", any(async || "chat"))?;
    /// let app: Router = Router::new().route("/", get(async || "home")).merge(moved.into_router());
    /// # Ok::<(), narrows::RouteError>(())
    /// ```
    ///
    /// They are that router's *fallback*: axum's own routes come first, layers apply to all, and
    /// [`Router::nest`] cuts off its prefix before. A router has one fallback, and axum panics when two are
    /// merged; what else there is to try comes into [`UrlRoutes::fallback`].
    ///
    /// Without one, an unknown path is answered with a 404, and a path that is not UTF-8 once decoded with
    /// a 400. For HTTP and sockets alike.
    pub fn into_router<S>(self) -> Router<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        let routes = Arc::new(self);
        Router::new().fallback(move |request: Request| {
            let routes = Arc::clone(&routes);
            async move { routes.answer(request).await }
        })
    }

    async fn answer(&self, mut request: Request) -> Response {
        // The handler is cloned to be called; the routes are not.
        let handler: MethodRouter = {
            let Ok(path) = percent_decode_str(request.uri().path()).decode_utf8() else {
                return (StatusCode::BAD_REQUEST, "The path is not valid UTF-8.\n").into_response();
            };
            match (self.find(&path), &self.fallback) {
                (Some((resolved, handler)), _) => {
                    tracing::trace!(route = resolved.route(), "path resolved");
                    request.extensions_mut().insert(ResolvedExtension(Arc::new(resolved)));
                    handler.clone()
                }
                (None, Some(fallback)) => (**fallback).clone(),
                (None, None) => {
                    tracing::debug!(%path, "no route found");
                    return not_found();
                }
            }
        };
        match handler.oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }
}

pub(super) fn not_found() -> Response {
    (StatusCode::NOT_FOUND, "There is nothing at this address.\n").into_response()
}
