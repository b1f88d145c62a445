//! How a consumer answers a handshake, and what it receives and sends.

use std::convert::Infallible;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{FromRequestParts, Path};
use axum::{Extension, Router};
use http::{HeaderValue, StatusCode, header, request::Parts};
use narrows::codec::DecodeError;
use narrows::testing::TestServer;
use narrows::{
    Binary, Channels, Close, Codec, Connection, Consumer, Disconnect, Group, NoEvent, Raw, Reject, Text,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;

use crate::site::{Ask, Site, ask_echo, ask_say, number, said};

/// Answers its handshake as the path says.
struct Door;

impl Consumer for Door {
    type Scope = Path<String>;
    type In = Text;
    type Out = Text;
    type Event = NoEvent;

    async fn connect(Path(how): Path<String>, conn: &mut Connection<Self>) -> Result<Self, Reject> {
        match how.as_str() {
            "header" => {
                conn.response_header(header::SET_COOKIE, HeaderValue::from_static("a=1"));
                conn.response_header(header::SET_COOKIE, HeaderValue::from_static("b=2"));
            }
            "second" => {
                let offered = conn.offered_subprotocols().to_vec();
                assert!(conn.select_subprotocol(&offered[1]));
                assert!(!conn.select_subprotocol("never.offered"));
            }
            "teapot" => {
                let teapot = Reject::new(StatusCode::IM_A_TEAPOT).header("x-why", "tea only");
                return Err(teapot.body("short and stout"));
            }
            "stream" => {
                let parts = ["no", " ", "entry"].map(Ok::<_, Infallible>);
                let body = axum::body::Body::from_stream(futures_util::stream::iter(parts));
                return Err(Reject::new(StatusCode::FORBIDDEN).body(body));
            }
            "error" => return Err(std::io::Error::other("password of the database").into()),
            "panic" => panic!("asked to panic"),
            "stall" => pending().await,
            "greet" => (0..3).try_for_each(|n| conn.send(&Text(format!("greeting {n}"))))?,
            name => drop(Group::<()>::new(name)?),
        }
        Ok(Self)
    }

    async fn receive(&mut self, msg: Text, conn: &mut Connection<Self>) -> Result<(), Close> {
        Ok(conn.send(&msg)?)
    }
}

fn doors() -> (Channels, TestServer) {
    let channels = Channels::builder().on_this_thread().build();
    let door = channels.consumer::<Door>().subprotocols(["chat.v2", "chat.v1"]);
    let server = TestServer::new(Router::new().route("/{how}", door.route()));
    (channels, server)
}

#[tokio::test(start_paused = true)]
async fn the_first_subprotocol_of_the_server_that_the_client_offers_is_chosen() {
    let (_channels, server) = doors();
    let request = || server.connect_request("/room");
    let both = request().subprotocol("other").subprotocol("chat.v1").subprotocol("chat.v2").connect().await;
    assert_eq!(both.subprotocol(), Some("chat.v2"));
    let one = request().subprotocol("chat.v1").connect().await;
    assert_eq!(one.subprotocol(), Some("chat.v1"));
    assert_eq!(request().subprotocol("other").connect().await.subprotocol(), None);
    assert_eq!(request().connect().await.subprotocol(), None);
}

#[tokio::test(start_paused = true)]
async fn connect_selects_another_subprotocol_of_those_offered() {
    let (_channels, server) = doors();
    let client = server.connect_request("/second").subprotocol("chat.v1").subprotocol("token.abc");
    assert_eq!(client.connect().await.subprotocol(), Some("token.abc"));
}

#[tokio::test(start_paused = true)]
async fn an_acceptance_carries_extra_headers() {
    let (_channels, server) = doors();
    let client = server.connect("/header").await;
    let cookies: Vec<_> = client.response_headers().get_all(header::SET_COOKIE).iter().collect();
    assert_eq!(cookies, ["a=1", "b=2"]);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_any_status_with_headers_and_body() {
    let (channels, server) = doors();
    let refused = server.connect_request("/teapot").try_connect().await.unwrap_err();
    assert_eq!(refused.status(), StatusCode::IM_A_TEAPOT);
    assert_eq!((refused.header("x-why"), refused.text()), (Some("tea only"), "short and stout"));
    let streamed = server.connect_request("/stream").try_connect().await.unwrap_err();
    assert_eq!((streamed.status().as_u16(), streamed.text()), (403, "no entry"));
    assert_eq!((channels.stats().accepted, channels.stats().refused), (0, 2));
}

#[tokio::test(start_paused = true)]
async fn a_bad_name_is_a_400_and_any_other_error_a_500_without_its_text() {
    let (_channels, server) = doors();
    let name = server.connect_request("/a%20b").try_connect().await.unwrap_err();
    assert_eq!(name.status(), StatusCode::BAD_REQUEST);
    assert!(name.text().contains("cannot stand in a name"), "{name}");
    let error = server.connect_request("/error").try_connect().await.unwrap_err();
    assert_eq!(error.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert!(!error.text().contains("database"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_consumer_that_panics_before_it_answers_gives_500() {
    let (_channels, server) = doors();
    let refused = server.connect_request("/panic").try_connect().await.unwrap_err();
    assert_eq!(refused.status(), StatusCode::INTERNAL_SERVER_ERROR);
    server.connect("/room").await.ping("the server lives").await;
}

#[tokio::test(start_paused = true)]
async fn a_consumer_that_does_not_answer_gives_503_after_its_time() {
    let (channels, server) = doors();
    let start = Instant::now();
    let refused = server.connect_request("/stall").try_connect().await.unwrap_err();
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert_eq!(start.elapsed().as_secs(), 5);
    assert_eq!(channels.stats().connections, 0);
}

/// An extractor that answers as the header `x-user` says.
struct Staff;

impl<S: Sync> FromRequestParts<S> for Staff {
    type Rejection = (StatusCode, &'static str);
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        match parts.headers.get("x-user").map(HeaderValue::as_bytes) {
            Some(b"ada") => {}
            Some(b"slow") => pending().await,
            Some(b"late") => tokio::time::sleep(Duration::from_secs(2)).await,
            Some(b"panic") => panic!("asked to panic"),
            _ => return Err((StatusCode::UNAUTHORIZED, "log in first")),
        }
        Ok(Self)
    }
}

struct Office;

impl Consumer for Office {
    type Scope = Staff;
    type In = Raw;
    type Out = Raw;
    type Event = NoEvent;
    async fn connect(_: Staff, _: &mut Connection<Self>) -> Result<Self, Reject> {
        Ok(Self)
    }
    async fn receive(&mut self, msg: Raw, conn: &mut Connection<Self>) -> Result<(), Close> {
        Ok(conn.send(&msg)?)
    }
}

fn office() -> (Channels, TestServer) {
    let channels = Channels::builder().on_this_thread().build();
    let server = TestServer::new(Router::new().route("/", channels.consumer::<Office>().route()));
    (channels, server)
}

#[tokio::test(start_paused = true)]
async fn an_extractor_that_rejects_refuses_the_handshake_with_its_answer() {
    let (channels, server) = office();
    let refused = server.connect_request("/").try_connect().await.unwrap_err();
    assert_eq!((refused.status().as_u16(), refused.text()), (401, "log in first"));
    server.connect_request("/").header("x-user", "ada").connect().await.ping("in").await;
    assert_eq!((channels.stats().accepted, channels.stats().refused), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn an_extractor_that_stalls_or_panics_is_answered_like_a_consumer_that_does() {
    let (channels, server) = office();
    for (user, status) in [("slow", 503), ("panic", 500)] {
        let refused = server.connect_request("/").header("x-user", user).try_connect().await.unwrap_err();
        assert_eq!(refused.status().as_u16(), status, "{user}");
    }
    assert_eq!((channels.stats().connections, channels.stats().refused), (0, 2));
}

/// Joins, says so, and then takes its time to answer.
struct Hesitant(#[expect(dead_code, reason = "dropped to be seen")] Option<Dropped>);

struct Dropped(mpsc::UnboundedSender<&'static str>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.send("dropped").unwrap();
    }
}

type Told = mpsc::UnboundedSender<&'static str>;

impl Consumer for Hesitant {
    type Scope = (Extension<Told>, Extension<Arc<Notify>>);
    type In = Raw;
    type Out = serde_json::Value;
    type Event = NoEvent;
    async fn connect((tell, answer): Self::Scope, conn: &mut Connection<Self>) -> Result<Self, Reject> {
        let guard = Dropped(tell.0.clone());
        conn.join(&Group::<serde_json::Value>::everyone()).await?;
        tell.0.send("joined")?;
        answer.notified().await;
        Ok(Self(Some(guard)))
    }
    async fn receive(&mut self, _: Raw, _: &mut Connection<Self>) -> Result<(), Close> {
        Ok(())
    }
    async fn disconnect(self, end: Disconnect, _: &mut Connection<Self>) {
        assert_eq!(end.code, 1006);
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_goes_away_during_connect_ends_it_where_it_stands() {
    let channels = Channels::builder().on_this_thread().build();
    let (tell, mut told) = mpsc::unbounded_channel();
    let app = Router::new().route("/", channels.consumer::<Hesitant>().route());
    let app = app.layer(Extension::<Told>(tell)).layer(Extension(Arc::new(Notify::new())));
    let connecting = tokio::spawn(TestServer::new(app).connect("/"));
    assert_eq!(told.recv().await, Some("joined"));
    let start = Instant::now();
    connecting.abort();
    assert_eq!(told.recv().await, Some("dropped"));
    assert!(start.elapsed() < Duration::from_secs(1), "only its time-out ended it");
    channels.broadcast(&Group::everyone(), &json!({"anyone": "there?"})).await.unwrap();
    tokio::time::sleep(Duration::from_millis(10)).await;
    assert_eq!((channels.stats().delivered, channels.stats().connections), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_handshake_that_a_drain_overtakes_is_not_forgotten() {
    let channels = Channels::builder().on_this_thread().build();
    let (tell, mut told) = mpsc::unbounded_channel();
    let answer = Arc::new(Notify::new());
    let app = Router::new().route("/", channels.consumer::<Hesitant>().route());
    let app = app.layer(Extension::<Told>(tell)).layer(Extension(answer.clone()));
    let connecting = tokio::spawn(TestServer::new(app).connect("/"));
    assert_eq!(told.recv().await, Some("joined"));
    channels.drain(Duration::ZERO).await;
    answer.notify_one();
    connecting.await.unwrap().expect_close(1012).await;
}

#[tokio::test(start_paused = true)]
async fn a_handshake_whose_extractors_outlast_the_start_of_a_drain_is_refused() {
    let (channels, server) = office();
    let connecting = server.connect_request("/").header("x-user", "late").try_connect();
    let drain = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        channels.drain(Duration::ZERO).await;
    };
    let (refused, ()) = tokio::join!(connecting, drain);
    assert_eq!(refused.unwrap_err().status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(channels.stats().connections, 0);
}

#[tokio::test(start_paused = true)]
async fn what_connect_sends_arrives_first_and_in_order() {
    let (_channels, server) = doors();
    let mut client = server.connect("/greet").await;
    client.send_text("hello").await;
    for text in ["greeting 0", "greeting 1", "greeting 2", "hello"] {
        client.expect_text(text).await;
    }
    client.expect_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn text_and_binary_come_and_go_as_they_are_empty_ones_too() {
    let (_channels, server) = office();
    let mut client = server.connect_request("/").header("x-user", "ada").connect().await;
    for text in ["", "hi", "聊天 🦀", &"long ".repeat(20_000)] {
        client.send_text(text).await;
        assert_eq!(client.receive_text().await, text);
    }
    for bytes in [&b""[..], b"\0\xff", &[7; 70_000]] {
        client.send_binary(bytes).await;
        assert_eq!(client.receive_binary().await, bytes);
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_of_the_wrong_kind_does_not_decode() {
    let (_channels, server) = doors();
    let mut client = server.connect("/room").await;
    client.send_binary(*b"bytes").await;
    let error: serde_json::Value = client.receive().await;
    assert_eq!((&error["type"], &error["code"]), (&json!("error"), &json!("malformed")));
    client.expect_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn a_malformed_message_is_answered_and_the_socket_stays() {
    let site = Site::new();
    let mut ada = site.connect().await;
    let bad = ["", "{", "null", "[]", r#"{"do":"fly"}"#, r#"{"do":"echo","text":7}"#, r#"{"do":"echo"}"#];
    for text in bad {
        ada.send_text(text).await;
        let error: serde_json::Value = ada.receive().await;
        assert_eq!((&error["type"], &error["code"]), (&json!("error"), &json!("malformed")), "{text}");
        assert!(error["detail"].as_str().unwrap().starts_with("the message does not decode: "), "{error}");
    }
    ada.send(&ask_echo("fine")).await;
    ada.expect(&said("fine")).await;
}

/// Takes numbers and nothing else.
struct Strict;

#[derive(Deserialize, Serialize)]
struct Count {
    n: u64,
    ratio: Option<f64>,
}

impl Consumer for Strict {
    type Scope = ();
    type In = Count;
    type Out = Count;
    type Event = NoEvent;
    async fn connect((): (), _: &mut Connection<Self>) -> Result<Self, Reject> {
        Ok(Self)
    }
    async fn receive(&mut self, msg: Count, conn: &mut Connection<Self>) -> Result<(), Close> {
        Ok(conn.send(&msg)?)
    }
    async fn malformed(&mut self, error: DecodeError, _: &mut Connection<Self>) -> Result<(), Close> {
        Err(Close::malformed(&error))
    }
}

fn strict(codec: Codec) -> TestServer {
    let channels = Channels::builder().on_this_thread().build();
    TestServer::new(Router::new().route("/", channels.consumer::<Strict>().codec(codec).route()))
}

#[tokio::test(start_paused = true)]
async fn a_consumer_may_close_with_1007_instead() {
    let server = strict(Codec::Json);
    let beyond = r#"{"n":18446744073709551616}"#;
    for text in ["NaN", r#"{"n":NaN}"#, r#"{"n":-1}"#, beyond, r#"{"n":1e999}"#, r#"{"n":1,"ratio":1e999}"#] {
        let mut client = server.connect("/").await;
        client.send_text(text).await;
        let reason = client.expect_close(1007).await;
        assert!(reason.starts_with("the message does not decode: "), "{text}: {reason}");
    }
    let mut client = server.connect("/").await;
    client.send(&json!({"n": u64::MAX})).await;
    client.expect(&json!({"n": u64::MAX, "ratio": null})).await;
}

#[tokio::test(start_paused = true)]
async fn messages_are_message_pack_in_binary_frames_where_the_route_says_so() {
    let server = strict(Codec::MsgPack);
    let mut client = server.connect_request("/").codec(Codec::MsgPack).connect().await;
    client.send_binary(*b"\x81\xa1n\x07").await;
    assert_eq!(client.receive_binary().await, b"\x82\xa1n\x07\xa5ratio\xc0"[..]);
    client.send(&Count { n: 8, ratio: Some(f64::NAN) }).await;
    assert!(client.receive::<Count>().await.ratio.unwrap().is_nan());
    client.send_text(r#"{"n":7}"#).await;
    client.expect_close(1007).await;
}

/// Has a type whose own code panics.
struct Fragile;

struct Bomb;

impl<'de> Deserialize<'de> for Bomb {
    fn deserialize<D: serde::Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        panic!("asked to panic")
    }
}

impl Consumer for Fragile {
    type Scope = Extension<mpsc::UnboundedSender<Disconnect>>;
    type In = Bomb;
    type Out = Binary;
    type Event = NoEvent;
    async fn connect(_: Self::Scope, _: &mut Connection<Self>) -> Result<Self, Reject> {
        Ok(Self)
    }
    async fn receive(&mut self, _: Bomb, _: &mut Connection<Self>) -> Result<(), Close> {
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_while_a_message_is_read_closes_with_1011() {
    let channels = Channels::builder().on_this_thread().build();
    let (tell, _told) = mpsc::unbounded_channel::<Disconnect>();
    let app = Router::new().route("/", channels.consumer::<Fragile>().route()).layer(Extension(tell));
    let mut client = TestServer::new(app).connect("/").await;
    client.send_text("{}").await;
    assert_eq!(client.expect_close(1011).await, "internal error");
}

#[tokio::test(start_paused = true)]
async fn pipelined_messages_are_handled_in_order_past_a_slow_handler() {
    let site = Site::new();
    let mut ada = site.connect().await;
    ada.receive_timeout(Duration::from_secs(10));
    ada.send(&ask_echo("before")).await;
    ada.send(&Ask::Sleep { millis: 3000 }).await;
    for n in 0..200 {
        ada.send(&ask_echo(&n.to_string())).await;
        ada.send(&Ask::Send { count: 1, bytes: n * 10 }).await;
    }
    ada.expect(&said("before")).await;
    ada.receive_timeout(Duration::from_secs(10));
    for n in 0..200 {
        ada.expect(&said(&n.to_string())).await;
        ada.expect(&number(1, n * 10)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_others_say_reaches_a_client_while_its_own_handler_waits() {
    let site = Site::new();
    let (mut ada, mut bob) = (site.connect().await, site.connect().await);
    ada.send(&Ask::Sleep { millis: 5000 }).await;
    bob.send(&ask_say("no waiting")).await;
    let start = Instant::now();
    ada.expect(&said("no waiting")).await;
    assert!(start.elapsed() < Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn a_plain_request_is_told_that_a_websocket_is_here() {
    let (_channels, server) = doors();
    let page = server.get("/room").await;
    assert_eq!((page.status().as_u16(), page.header("upgrade")), (426, Some("websocket")));
    assert_eq!(server.post("/room", "x").await.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(server.get("/no/such/path").await.status(), StatusCode::NOT_FOUND);
}

#[tokio::test(start_paused = true)]
async fn a_foreign_page_is_refused_and_a_program_without_cookies_is_not() {
    let (_channels, server) = doors();
    let foreign = server.connect_request("/room").origin("https://evil.example").try_connect().await;
    assert_eq!(foreign.unwrap_err().status(), StatusCode::FORBIDDEN);
    server.connect_request("/room").no_origin().connect().await.ping("in").await;
}
