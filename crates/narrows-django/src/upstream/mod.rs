//! A site behind this one: what no route here answers is answered there.

mod address;
mod body;
mod connector;
mod exchange;
mod failure;
mod head;

use std::convert::Infallible;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tower_service::Service;

use self::address::Address;
pub use self::address::ParseUpstreamError;
use self::body::{Download, Upload};
use self::connector::Connector;
use self::exchange::Exchange;
use self::failure::Failure;
use self::head::Loops;

/// A reverse proxy, for everything that this site does not answer itself: the fallback of its router.
///
/// ```
/// use axum::Router;
/// use narrows_django::Upstream;
///
/// // Sockets are answered here, and all else by Django.
/// let app: Router = Router::new().fallback_service(Upstream::new("http://127.0.0.1:8001")?);
/// let app: Router = Router::new().fallback_service(Upstream::new("unix:/run/django.sock")?);
/// # Ok::<(), narrows_django::ParseUpstreamError>(())
/// ```
///
/// Bodies go through as they come, in both directions, and no faster than the other side takes them: nothing is kept.
/// An upstream whose workers serve one request at a time therefore waits for slow clients; one that reads ahead, such as
/// waitress, or has threads, such as gunicorn's `gthread`, does not mind.
///
/// What the upstream is sent:
///
/// * The method, and path and query byte for byte.
/// * `Host` as the client sent it. `X-Forwarded-For` and `X-Real-IP` with the one address of the client,
///   `X-Forwarded-Proto` and `X-Forwarded-Host`, as [`Handshake`](narrows::scope::Handshake) has them: whatever a client says
///   in these headers, in their relatives or in `Forwarded` is replaced, unless it came by a
///   [trusted proxy](narrows::scope::TrustedProxies).
/// * No headers about the connection (RFC 9110, 7.6.1), those that `Connection` names among them, no `Expect`, which is
///   answered here, no `Proxy`, and none with `_` in its name, which a CGI variable cannot tell from `-`.
/// * One `Cookie` header, whatever the number of them. A `Via` of its own, by which it knows a request that comes around
///   again: a 508.
///
/// A request for a WebSocket that comes here had no route: a 404. `CONNECT` and `TRACE` are a 501, and a request whose
/// length can be read in two ways is a 400.
///
/// An upstream that is away is a 502 with `Retry-After`, one that does not answer in time a 504, in short texts and with a
/// line in the log. A request is sent again only where that is safe: a kept connection turned out to be closed, and the
/// request has no body and changes nothing. When the client goes away its request ends there too.
///
/// Clones are cheap and share their connections.
#[derive(Clone)]
pub struct Upstream(Arc<Inner>);

struct Inner {
    address: Address,
    settings: Settings,
    client: Client<Connector, Upload>,
    loops: Loops,
}

#[derive(Clone)]
struct Settings {
    connect_timeout: Duration,
    answer_timeout: Duration,
    idle_timeout: Duration,
    keep_alive: Duration,
    max_body_bytes: u64,
    max_header_bytes: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(5),
            answer_timeout: Duration::from_secs(60),
            idle_timeout: Duration::from_secs(60),
            keep_alive: Duration::from_secs(1),
            max_body_bytes: u64::MAX,
            max_header_bytes: 64 * 1024,
        }
    }
}

/// How many headers an answer may have.
const MAX_HEADERS: usize = 200;

impl Upstream {
    /// The site at `http://host:port` or `unix:/path`. It need not be up yet.
    ///
    /// # Errors
    /// When this is no such address.
    pub fn new(address: &str) -> Result<Self, ParseUpstreamError> {
        Ok(Self::build(address.parse()?, Settings::default(), Loops::new()))
    }

    /// How long it may take to connect. Default 5 s.
    #[must_use]
    pub fn connect_timeout(self, timeout: Duration) -> Self {
        self.with(|settings| settings.connect_timeout = timeout)
    }

    /// How long the upstream may take until its answer begins, from the last byte that it was sent; and how long a
    /// client may take for the next byte of its body, or it is a 408. Default 60 s; zero is without an end.
    #[must_use]
    pub fn answer_timeout(self, timeout: Duration) -> Self {
        self.with(|settings| settings.answer_timeout = timeout)
    }

    /// How long the upstream may pause within an answer, which is cut then. Time in which the client does not read does not
    /// count. Default 60 s; zero is without an end, for a site that streams events.
    #[must_use]
    pub fn idle_timeout(self, timeout: Duration) -> Self {
        self.with(|settings| settings.idle_timeout = timeout)
    }

    /// How long a connection is kept for the next request. Default 1 s: gunicorn closes its own after 2 s, and whoever
    /// closes first should be this side.
    #[must_use]
    pub fn keep_alive(self, time: Duration) -> Self {
        self.with(|settings| settings.keep_alive = time)
    }

    /// How long a request's body may be, in bytes; a longer one is a 413. Default without an end, as the upstream has its
    /// own limits.
    #[must_use]
    pub fn max_body_bytes(self, bytes: u64) -> Self {
        self.with(|settings| settings.max_body_bytes = bytes)
    }

    /// How long the head of an answer may be, in bytes, at least 8192. Default 65,536.
    #[must_use]
    pub fn max_header_bytes(self, bytes: usize) -> Self {
        self.with(|settings| settings.max_header_bytes = bytes.max(8192))
    }

    fn with(self, change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = self.0.settings.clone();
        change(&mut settings);
        Self::build(self.0.address.clone(), settings, self.0.loops.clone())
    }

    fn build(address: Address, settings: Settings, loops: Loops) -> Self {
        let connector = Connector::new(address.clone(), settings.connect_timeout);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(settings.keep_alive)
            .http1_max_buf_size(settings.max_header_bytes)
            .http1_max_headers(MAX_HEADERS)
            // Set by ours, or not at all.
            .set_host(false)
            .build(connector);
        Self(Arc::new(Inner { address, settings, client, loops }))
    }

    async fn forward(&self, request: Request) -> Result<Response, Failure> {
        let Inner { address, settings, client, loops } = &*self.0;
        let (parts, body) = request.into_parts();
        let (head, upload) = head::outgoing(parts, body, address, settings, loops).await?;
        let exchange = Exchange { client, timeout: settings.answer_timeout };
        let (mut parts, body) = exchange.run(head, upload).await?.into_parts();
        head::returning(&mut parts, settings)?;
        let body = Download::new(body, settings.idle_timeout, address.clone());
        Ok(Response::from_parts(parts, Body::new(body)))
    }
}

impl fmt::Debug for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upstream").field("address", &self.0.address).finish_non_exhaustive()
    }
}

impl Service<Request> for Upstream {
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let upstream = self.clone();
        Box::pin(async move {
            let (method, path) = (request.method().clone(), request.uri().path().to_owned());
            Ok(upstream.forward(request).await.unwrap_or_else(|failure| {
                failure.log(&upstream.0.address, &method, &path);
                failure.into_response()
            }))
        })
    }
}
