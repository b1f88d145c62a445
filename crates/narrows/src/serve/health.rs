use axum::Router;
use axum::routing::get;
use http::StatusCode;

use crate::Channels;

/// Routes for whoever watches the process: `/healthz` says that it lives, `/readyz` that it wants traffic.
///
/// ```
/// let channels = narrows::Channels::new();
/// let app: axum::Router = axum::Router::new().merge(narrows::serve::health(&channels));
/// ```
///
/// From the first moment of a drain `/readyz` answers 503, so that a load balancer looks elsewhere before
/// this process stops accepting ([`drain_delay`](crate::serve::settings::Settings::drain_delay)).
pub fn health<S: Clone + Send + Sync + 'static>(channels: &Channels) -> Router<S> {
    let channels = channels.clone();
    let ready = move || {
        let draining = channels.is_unready();
        async move {
            if draining {
                (StatusCode::SERVICE_UNAVAILABLE, "draining\n")
            } else {
                (StatusCode::OK, "ready\n")
            }
        }
    };
    Router::new().route("/healthz", get(|| async { "alive\n" })).route("/readyz", get(ready))
}
