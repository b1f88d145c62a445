use std::convert::Infallible;
use std::panic::Location;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use http::{HeaderValue, Request, header::HOST};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use tokio::io::DuplexStream;
use tower::ServiceExt;

use super::client::TestClient;
use super::request::ConnectRequest;
use super::response::TestResponse;

/// The host that requests of the test kit are for.
pub(super) const HOST_NAME: &str = "testserver";

/// Serves a router to the test that made it: no port, no thread, only pipes in memory.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// use axum::{Router, routing::get};
/// use narrows::testing::TestServer;
///
/// let server = TestServer::new(Router::new().route("/", get(|| async { "hello" })));
/// assert_eq!(server.get("/").await.text(), "hello");
/// # }
/// ```
///
/// Requests are for the host `testserver`. See [the module](super) for sockets.
#[derive(Debug, Clone)]
pub struct TestServer {
    app: Router,
    times: Times,
}

/// How long clients wait.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times {
    pub(super) answer: Duration,
    pub(super) receive: Duration,
    pub(super) quiet: Duration,
}

impl TestServer {
    /// A server of this router.
    pub fn new(app: Router) -> Self {
        let times = Times {
            answer: Duration::from_secs(10),
            receive: Duration::from_secs(1),
            quiet: Duration::from_millis(100),
        };
        Self { app, times }
    }

    /// How long the answer to a handshake may take before the test fails. Default 10 s, which is longer than
    /// a consumer has.
    #[must_use]
    pub fn answer_timeout(mut self, time: Duration) -> Self {
        self.times.answer = time;
        self
    }

    /// How long a client waits for what must come, before the test fails. Default 1 s.
    #[must_use]
    pub fn receive_timeout(mut self, time: Duration) -> Self {
        self.times.receive = time;
        self
    }

    /// How long [`TestClient::expect_nothing`] waits for what must not come. Default 100 ms.
    #[must_use]
    pub fn quiet_time(mut self, time: Duration) -> Self {
        self.times.quiet = time;
        self
    }

    /// Opens a WebSocket as a page of the site would: with the site's own origin.
    ///
    /// # Panics
    /// When it is refused, with the status, headers and body of the answer.
    #[track_caller]
    pub fn connect(&self, target: &str) -> impl Future<Output = TestClient> + Send + use<> {
        self.connect_request(target).connect()
    }

    /// A handshake to add headers, subprotocols or a user to.
    pub fn connect_request(&self, target: &str) -> ConnectRequest {
        ConnectRequest::new(self, target)
    }

    /// Asks for a page.
    ///
    /// # Panics
    /// When the target is not a path.
    #[track_caller]
    pub fn get(&self, target: &str) -> impl Future<Output = TestResponse> + Send + use<> {
        self.request(built(Request::get(target).body(Body::empty()), Location::caller()))
    }

    /// Posts a body; for one with headers see [`request`](Self::request).
    ///
    /// # Panics
    /// When the target is not a path.
    #[track_caller]
    pub fn post(&self, target: &str, body: impl Into<Body>) -> impl Future<Output = TestResponse> + Send {
        self.request(built(Request::post(target).body(body.into()), Location::caller()))
    }

    /// Makes any HTTP request, extensions included.
    ///
    /// # Panics
    /// When the answer's body fails half-way.
    pub fn request(&self, mut request: Request<Body>) -> impl Future<Output = TestResponse> + Send + use<> {
        let host = HeaderValue::from_static(HOST_NAME);
        request.headers_mut().entry(HOST).or_insert(host);
        let answer = self.app.clone().oneshot(request);
        async move {
            let (parts, body) = answer.await.unwrap_or_else(|never| match never {}).into_parts();
            let body = match body.collect().await {
                Ok(body) => body.to_bytes(),
                Err(error) => panic!("the body of the answer failed: {error}"),
            };
            TestResponse { status: parts.status, headers: parts.headers, body }
        }
    }

    pub(super) fn times(&self) -> Times {
        self.times
    }

    /// Serves one pipe, to requests that carry these extensions.
    pub(super) fn serve(&self, pipe: DuplexStream, extensions: http::Extensions) {
        let app = self.app.clone();
        let service = hyper::service::service_fn(move |request: Request<Incoming>| {
            let mut request = request.map(Body::new);
            request.extensions_mut().extend(extensions.clone());
            let answer = app.clone().oneshot(request);
            async move { Ok::<_, Infallible>(answer.await.unwrap_or_else(|never| match never {})) }
        });
        let connection =
            hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(pipe), service);
        tokio::spawn(async move {
            if let Err(error) = connection.with_upgrades().await {
                tracing::debug!(%error, "a test's connection ended early");
            }
        });
    }
}

fn built(request: http::Result<Request<Body>>, at: &Location<'_>) -> Request<Body> {
    match request {
        Ok(request) => request,
        Err(error) => panic!("this is no request: {error}\n  at {at}"),
    }
}
