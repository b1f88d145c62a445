use std::fmt::Display;
use std::net::SocketAddr;
use std::panic::Location;

use axum::extract::ConnectInfo;
use http::header::{CONNECTION, HOST, ORIGIN, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL};
use http::header::{SEC_WEBSOCKET_VERSION, UPGRADE};
use http::{Extensions, HeaderMap, HeaderName, HeaderValue, StatusCode};

use super::client::TestClient;
use super::narrows::NarrowsRequest;
use super::response::TestResponse;
use super::server::{HOST_NAME, TestServer};
use super::wire;
use crate::codec::Codec;

/// A WebSocket handshake on its way, from [`TestServer::connect_request`].
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// # use narrows::{Channels, Close, Connection, Consumer, NoEvent, Raw, Reject};
/// # struct Echo;
/// # impl Consumer for Echo {
/// #     type Scope = (); type In = Raw; type Out = Raw; type Event = NoEvent;
/// #     async fn connect(_: (), _: &mut Connection<Self>) -> Result<Self, Reject> { Ok(Self) }
/// #     async fn receive(&mut self, m: Raw, c: &mut Connection<Self>) -> Result<(), Close> { Ok(c.send(&m)?) }
/// # }
/// # let channels = Channels::builder().on_this_thread().build();
/// # let echo = channels.consumer::<Echo>().subprotocols(["chat.v1"]).route();
/// # let server = narrows::testing::TestServer::new(axum::Router::new().route("/ws/echo", echo));
/// let client = server
///     .connect_request("/ws/echo")
///     .header("cookie", "sessionid=abc")
///     .subprotocol("chat.v1")
///     .client(([192, 0, 2, 7], 4711).into())
///     .connect()
///     .await;
/// assert_eq!(client.subprotocol(), Some("chat.v1"));
///
/// let refused = server.connect_request("/ws/echo").origin("https://evil.example").try_connect().await;
/// assert_eq!(refused.unwrap_err().status().as_u16(), 403);
/// # }
/// ```
#[derive(Debug, Clone)]
#[must_use = "`.connect()` sends it"]
pub struct ConnectRequest {
    server: TestServer,
    target: String,
    headers: HeaderMap,
    extensions: Extensions,
    codec: Codec,
    pipe_bytes: usize,
}

impl ConnectRequest {
    pub(super) fn new(server: &TestServer, target: &str) -> Self {
        let headers = [
            (HOST, HOST_NAME),
            (CONNECTION, "Upgrade"),
            (UPGRADE, "websocket"),
            (SEC_WEBSOCKET_VERSION, "13"),
            // The standard's own example: a test needs no key that nobody can guess.
            (SEC_WEBSOCKET_KEY, "dGhlIHNhbXBsZSBub25jZQ=="),
            (ORIGIN, "http://testserver"),
        ];
        Self {
            server: server.clone(),
            target: target.to_owned(),
            headers: headers
                .map(|(name, value)| (name, HeaderValue::from_static(value)))
                .into_iter()
                .collect(),
            extensions: Extensions::new(),
            codec: Codec::Json,
            pipe_bytes: 64 * 1024,
        }
    }

    /// Sets a header, in place of what it was.
    ///
    /// # Panics
    /// When the name or value cannot stand in a header.
    #[track_caller]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        let name: HeaderName = checked(name.parse(), name);
        self.headers.insert(name, checked(value.parse(), value));
        self
    }

    /// Comes from a page of another site.
    ///
    /// # Panics
    /// When the text cannot stand in a header.
    #[track_caller]
    pub fn origin(self, origin: &str) -> Self {
        self.header(ORIGIN.as_str(), origin)
    }

    /// Comes from a program, which sends no origin.
    pub fn no_origin(mut self) -> Self {
        self.headers.remove(ORIGIN);
        self
    }

    /// Offers a subprotocol; called again, it offers one more, less wanted.
    ///
    /// # Panics
    /// When the text cannot stand in a header.
    #[track_caller]
    pub fn subprotocol(mut self, subprotocol: &str) -> Self {
        self.headers.append(SEC_WEBSOCKET_PROTOCOL, checked(subprotocol.parse(), subprotocol));
        self
    }

    /// Puts a value into the request's extensions, as a middleware would: a user who is logged in, for a
    /// scope with `Extension<User>`.
    pub fn extension(mut self, value: impl Clone + Send + Sync + 'static) -> Self {
        self.extensions.insert(value);
        self
    }

    /// Comes from this address, as extractors of `ConnectInfo<SocketAddr>` see it.
    pub fn client(self, address: SocketAddr) -> Self {
        self.extension(ConnectInfo(address))
    }

    /// How the client writes and reads values. Default [`Codec::Json`].
    pub fn codec(mut self, codec: Codec) -> Self {
        self.codec = codec;
        self
    }

    /// How many bytes each direction holds that the other side has not read. Default 64 KiB; a small number
    /// makes a client that stops reading a slow one soon.
    pub fn pipe_bytes(mut self, bytes: usize) -> Self {
        self.pipe_bytes = bytes;
        self
    }

    /// Comes as a client that speaks `narrows.v1`: with replies, and able to come back.
    pub fn narrows(self) -> NarrowsRequest {
        NarrowsRequest::new(self)
    }

    pub(super) fn to(mut self, server: &TestServer) -> Self {
        self.server = server.clone();
        self
    }

    /// Opens the WebSocket.
    ///
    /// # Panics
    /// When it is refused, with the status, headers and body of the answer.
    #[track_caller]
    pub fn connect(self) -> impl Future<Output = TestClient> + Send {
        let at = Location::caller();
        async move {
            let target = self.target.clone();
            match self.send(at).await {
                Ok(client) => client,
                Err(refusal) => panic!("the handshake for {target} was refused\n  at {at}\n\n{refusal}\n"),
            }
        }
    }

    /// Opens the WebSocket, or gives the answer with which it was refused.
    ///
    /// # Panics
    /// When the server does not answer, or accepts without keeping to RFC 6455.
    ///
    /// # Errors
    /// Any answer but 101.
    #[track_caller]
    pub fn try_connect(self) -> impl Future<Output = Result<TestClient, TestResponse>> + Send {
        self.send(Location::caller())
    }

    async fn send(self, at: &'static Location<'static>) -> Result<TestClient, TestResponse> {
        let (mut ours, theirs) = tokio::io::duplex(self.pipe_bytes);
        self.server.serve(theirs, self.extensions);
        let times = self.server.times();
        let asking = wire::ask(&mut ours, &self.target, &self.headers);
        let answer = match tokio::time::timeout(times.answer, asking).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(fault)) => panic!("the handshake for {} failed: {fault}\n  at {at}", self.target),
            Err(_) => {
                panic!("the handshake for {} had no answer within {:?}\n  at {at}", self.target, times.answer)
            }
        };
        if answer.response.status != StatusCode::SWITCHING_PROTOCOLS {
            return Err(answer.response);
        }
        let accepted = answer.response.header("sec-websocket-accept");
        assert_eq!(accepted, Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "the wrong key was accepted\n  at {at}");
        Ok(TestClient::new(ours, answer.rest, answer.response.headers, self.codec, times))
    }
}

#[track_caller]
fn checked<T, E: Display>(parsed: Result<T, E>, text: &str) -> T {
    match parsed {
        Ok(value) => value,
        Err(error) => panic!("{text:?} cannot stand in a header: {error}"),
    }
}
