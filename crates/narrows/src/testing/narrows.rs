use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::panic::Location;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use narrows_core::Position;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::client::TestClient;
use super::difference::{expected_json, must_equal};
use super::received::Received;
use super::request::ConnectRequest;
use super::response::TestResponse;
use super::server::TestServer;
use crate::protocol::SUBPROTOCOL;

/// A handshake of a client that speaks `narrows.v1`, from [`ConnectRequest::narrows`]: new, or back after a
/// [cut](NarrowsClient::cut).
#[derive(Debug, Clone)]
#[must_use = "`.connect()` sends it"]
pub struct NarrowsRequest {
    request: ConnectRequest,
    memory: Memory,
}

/// What a client knows as long as it lives.
#[derive(Debug, Clone)]
struct Memory {
    name: String,
    token: Option<String>,
    positions: HashMap<String, Position>,
    last_ref: u64,
}

impl NarrowsRequest {
    pub(super) fn new(request: ConnectRequest) -> Self {
        let name = URL_SAFE_NO_PAD.encode(rand::random::<[u8; 16]>());
        let (token, positions) = (None, HashMap::new());
        Self { request, memory: Memory { name, token, positions, last_ref: 0 } }
    }

    /// Goes to another server: the next node, as a load balancer has it.
    pub fn to(mut self, server: &TestServer) -> Self {
        self.request = self.request.to(server);
        self
    }

    /// Changes the request: its headers, its origin, what a middleware puts there.
    pub fn with(mut self, change: impl FnOnce(ConnectRequest) -> ConnectRequest) -> Self {
        self.request = change(self.request);
        self
    }

    /// The resume token that it brings.
    pub fn token(&self) -> Option<&str> {
        self.memory.token.as_deref()
    }

    /// Brings this token, or none.
    pub fn with_token(mut self, token: Option<&str>) -> Self {
        self.memory.token = token.map(str::to_owned);
        self
    }

    /// Claims to have had a group's messages up to this position.
    pub fn with_position(mut self, group: &str, position: Position) -> Self {
        self.memory.positions.insert(group.to_owned(), position);
        self
    }

    /// Opens the WebSocket, and takes the welcome.
    ///
    /// # Panics
    /// When it is refused, or something else comes in place of the welcome.
    #[track_caller]
    pub fn connect(self) -> impl Future<Output = NarrowsClient> + Send {
        let at = Location::caller();
        async move {
            match self.send(at).await {
                Ok(client) => client,
                Err(refusal) => panic!("the handshake was refused\n  at {at}\n\n{refusal}\n"),
            }
        }
    }

    /// Opens the WebSocket and takes the welcome, or gives the answer with which it was refused.
    ///
    /// # Panics
    /// When something else comes in place of the welcome.
    ///
    /// # Errors
    /// Any answer but 101.
    #[track_caller]
    pub fn try_connect(self) -> impl Future<Output = Result<NarrowsClient, TestResponse>> + Send {
        self.send(Location::caller())
    }

    async fn send(self, at: &'static Location<'static>) -> Result<NarrowsClient, TestResponse> {
        let Self { request, memory } = self;
        let mut offering = request.clone().subprotocol(SUBPROTOCOL);
        offering = offering.subprotocol(&format!("narrows.client.{}", memory.name));
        if let Some(token) = &memory.token {
            offering = offering.subprotocol(&format!("narrows.resume.{token}"));
        }
        if !memory.positions.is_empty() {
            let positions = serde_json::to_vec(&memory.positions).expect("positions are texts");
            offering = offering.subprotocol(&format!("narrows.at.{}", URL_SAFE_NO_PAD.encode(positions)));
        }
        let plain = offering.try_connect().await?;
        let mut client = NarrowsClient {
            plain,
            request,
            memory,
            welcome: Value::Null,
            recovered: HashMap::new(),
            replies: HashMap::new(),
            messages: VecDeque::new(),
        };
        let Some(first) = client.frame(at).await else { panic!("no welcome came\n  at {at}") };
        assert!(first["type"] == "narrows.welcome", "expected the welcome, got {first}\n  at {at}");
        client.memory.token = first["token"].as_str().map(str::to_owned);
        client.welcome = first;
        Ok(client)
    }
}

/// A test's client that speaks `narrows.v1`, from [`NarrowsRequest::connect`].
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// # use narrows::{Channels, Close, Connection, Consumer, NoEvent, Reject, Resume};
/// # use serde_json::{Value, json};
/// struct Counter { count: u64 }
///
/// impl Consumer for Counter {
/// #   type Scope = (); type In = Value; type Out = Value; type Event = NoEvent;
///     // …
///     async fn connect((): (), _: &mut Connection<Self>) -> Result<Self, Reject> {
///         Ok(Self { count: 0 })
///     }
///     async fn receive(&mut self, _: Value, conn: &mut Connection<Self>) -> Result<(), Close> {
///         self.count += 1;
///         conn.renew_token();
///         Ok(conn.reply(&self.count)?)
///     }
/// }
///
/// impl Resume for Counter {
///     type Saved = u64;
///     fn save(&self) -> u64 { self.count }
///     async fn resume(count: u64, _: &mut Connection<Self>) -> Result<Self, Reject> {
///         Ok(Self { count })
///     }
/// }
///
/// let channels = Channels::builder().on_this_thread().build();
/// let route = channels.consumer::<Counter>().resumable().route();
/// let server = narrows::testing::TestServer::new(axum::Router::new().route("/ws", route));
///
/// let mut client = server.connect_request("/ws").narrows().connect().await;
/// assert_eq!(client.request(&json!({"type": "count"})).await, Ok(json!(1)));
/// client.settle().await;
///
/// let mut client = client.cut().connect().await; // as after a tunnel
/// assert!(client.is_resumed());
/// assert_eq!(client.request(&json!({"type": "count"})).await, Ok(json!(2)));
/// # }
/// ```
///
/// What the protocol itself says is taken in and kept aside: fresh tokens, positions, replies. Messages wait in their
/// order.
pub struct NarrowsClient {
    plain: TestClient,
    request: ConnectRequest,
    memory: Memory,
    welcome: Value,
    recovered: HashMap<String, bool>,
    replies: HashMap<u64, Result<Value, ReplyError>>,
    messages: VecDeque<Value>,
}

/// The error with which a message was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplyError {
    /// What programs look at.
    pub code: String,
    /// What people look at.
    pub detail: String,
}

impl NarrowsClient {
    /// Whether the server went on with the connection that was cut.
    pub fn is_resumed(&self) -> bool {
        self.welcome["resumed"] == true
    }

    /// The welcome, as it came.
    pub fn welcome(&self) -> &Value {
        &self.welcome
    }

    /// The newest resume token.
    pub fn token(&self) -> Option<&str> {
        self.memory.token.as_deref()
    }

    /// What it had last of a group with a history.
    pub fn position(&self, group: &str) -> Option<Position> {
        self.memory.positions.get(group).copied()
    }

    /// Whether what it missed of a group was sent again; `None` where it did not ask.
    pub fn recovered(&self, group: &str) -> Option<bool> {
        self.recovered.get(group).copied()
    }

    /// The WebSocket below, for what this has no word for. What is received from it is not taken in here.
    pub fn plain(&mut self) -> &mut TestClient {
        &mut self.plain
    }

    /// Sends a value, written by the client's codec.
    ///
    /// # Panics
    /// As [`TestClient::send`].
    #[track_caller]
    pub fn send<T: Serialize + ?Sized>(&mut self, value: &T) -> impl Future<Output = ()> + Send + use<'_, T> {
        self.plain.send(value)
    }

    /// Sends a value with a `ref`, and waits for its reply: the value, null where there is none.
    ///
    /// # Panics
    /// When the value is no object, and when no reply comes.
    #[track_caller]
    pub fn request<T>(
        &mut self,
        value: &T,
    ) -> impl Future<Output = Result<Value, ReplyError>> + Send + use<'_, T>
    where
        T: Serialize + ?Sized,
    {
        let (at, number) = (Location::caller(), self.memory.last_ref + 1);
        self.memory.last_ref = number;
        let value = with_ref(value, number);
        async move {
            self.plain.send(&value).await;
            loop {
                if let Some(reply) = self.replies.remove(&number) {
                    return reply;
                }
                if !self.take_in(at).await {
                    panic!("no reply to {value} came\n  at {at}");
                }
            }
        }
    }

    /// The next message, read as a value.
    ///
    /// # Panics
    /// When what comes is not such a value, or nothing does.
    #[track_caller]
    pub fn receive<T>(&mut self) -> impl Future<Output = T> + Send + use<'_, T>
    where
        T: DeserializeOwned + Send + 'static,
    {
        let at = Location::caller();
        async move {
            let message = self.message(at).await;
            match serde_json::from_value(message.clone()) {
                Ok(value) => value,
                Err(error) => panic!("{message} is no {}: {error}\n  at {at}", std::any::type_name::<T>()),
            }
        }
    }

    /// Waits for a message that equals this value, without the position that it may have.
    ///
    /// # Panics
    /// When something else comes, with the places where it differs, or nothing does.
    #[track_caller]
    pub fn expect<T>(&mut self, expected: &T) -> impl Future<Output = ()> + Send + use<'_, T>
    where
        T: Serialize + ?Sized,
    {
        let at = Location::caller();
        let expected = expected_json(expected, at);
        async move { must_equal(&expected, &self.message(at).await, at) }
    }

    /// Makes sure that no message comes, whatever else does.
    ///
    /// # Panics
    /// When one comes, or the end of the connection.
    #[track_caller]
    pub fn expect_nothing(&mut self) -> impl Future<Output = ()> + Send + '_ {
        let at = Location::caller();
        async move {
            self.settle_at(at).await;
            if let Some(message) = self.messages.front() {
                panic!("expected nothing, got {message}\n  at {at}");
            }
            self.plain.expect_nothing().await;
        }
    }

    /// Waits for the server to end the connection with this code, past all messages, and gives the reason.
    ///
    /// # Panics
    /// When it ends with another code, or not.
    #[track_caller]
    pub fn expect_close(&mut self, code: u16) -> impl Future<Output = String> + Send + '_ {
        let at = Location::caller();
        async move {
            while let Some(received) = self.plain.next().await {
                if let Received::Closed { code: came, reason } = received {
                    assert!(came == code, "expected the end {code}, got {came}: {reason}\n  at {at}");
                    return reason;
                }
            }
            panic!("expected the end of the connection: {code}\n  at {at}")
        }
    }

    /// Pings as a client does that has nothing else to say, and takes in all that comes before the pong: fresh tokens
    /// too, where they are due.
    ///
    /// # Panics
    /// When no pong comes.
    #[track_caller]
    pub fn settle(&mut self) -> impl Future<Output = ()> + Send + '_ {
        self.settle_at(Location::caller())
    }

    async fn settle_at(&mut self, at: &'static Location<'static>) {
        // With a `ref`, as a fresh token comes as a pong, too, and nobody asked for that one.
        let number = self.memory.last_ref + 1;
        self.memory.last_ref = number;
        self.plain.send(&json!({"type": "narrows.ping", "ref": number})).await;
        while self.replies.remove(&number).is_none() {
            assert!(self.take_in(at).await, "no pong came\n  at {at}");
        }
    }

    /// Is gone without a word, as when TCP is lost, and can come back.
    pub fn cut(self) -> NarrowsRequest {
        NarrowsRequest { request: self.request, memory: self.memory }
    }

    /// Closes as a page does, with this code, and can come back all the same.
    ///
    /// # Panics
    /// As [`TestClient::close`].
    #[track_caller]
    pub fn close(self, code: u16) -> impl Future<Output = NarrowsRequest> + Send {
        let Self { plain, request, memory, .. } = self;
        let closing = plain.close(code, "");
        async move {
            closing.await;
            NarrowsRequest { request, memory }
        }
    }

    async fn message(&mut self, at: &'static Location<'static>) -> Value {
        loop {
            if let Some(message) = self.messages.pop_front() {
                return message;
            }
            if !self.take_in(at).await {
                panic!("expected a message, got nothing\n  at {at}");
            }
        }
    }

    /// Takes in the next frame; `false` when none comes in time.
    async fn take_in(&mut self, at: &'static Location<'static>) -> bool {
        let Some(mut frame) = self.frame(at).await else { return false };
        let group = || frame["group"].as_str().unwrap_or_default().to_owned();
        let position = |text: &Value| text.as_str().and_then(|text| text.parse::<Position>().ok());
        match frame["type"].as_str() {
            Some("narrows.pong") => {
                if let Some(token) = frame["token"].as_str() {
                    self.memory.token = Some(token.to_owned());
                }
            }
            Some("narrows.reply") => {
                let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
                let reply = match frame.get("error") {
                    Some(error) => {
                        Err(ReplyError { code: text(&error["code"]), detail: text(&error["detail"]) })
                    }
                    None => Ok(frame["value"].clone()),
                };
                let number = frame["ref"].as_u64().unwrap_or_default();
                assert!(
                    self.replies.insert(number, reply).is_none(),
                    "{number} was answered twice\n  at {at}"
                );
            }
            Some("narrows.joined" | "narrows.lost") => {
                if let Some(at) = position(&frame["at"]) {
                    self.memory.positions.insert(group(), at);
                }
                if let Some(recovered) = frame["recovered"].as_bool() {
                    self.recovered.insert(group(), recovered);
                }
                if frame["type"] == "narrows.lost" {
                    self.recovered.insert(group(), false);
                }
            }
            Some("narrows.left") => {
                self.memory.positions.remove(&group());
            }
            _ => {
                if let Some(at) = frame.as_object_mut().and_then(|members| members.remove("@"))
                    && let (Some(group), Some(at)) = (at[0].as_str(), position(&at[1]))
                {
                    self.memory.positions.insert(group.to_owned(), at);
                }
                self.messages.push_back(frame);
            }
        }
        true
    }

    async fn frame(&mut self, at: &'static Location<'static>) -> Option<Value> {
        match self.plain.next().await? {
            end @ Received::Closed { .. } => panic!("the connection has ended: {end}\n  at {at}"),
            received => match received.decode(self.plain.codec) {
                Ok(value) => Some(value),
                Err(error) => panic!("{received} is no value: {error}\n  at {at}"),
            },
        }
    }
}

#[track_caller]
fn with_ref<T: Serialize + ?Sized>(value: &T, number: u64) -> Value {
    match serde_json::to_value(value) {
        Ok(Value::Object(mut members)) => {
            members.insert("ref".to_owned(), number.into());
            Value::Object(members)
        }
        other => panic!("a request is an object, and not {other:?}"),
    }
}

impl fmt::Debug for NarrowsClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NarrowsClient").field("welcome", &self.welcome).finish_non_exhaustive()
    }
}
