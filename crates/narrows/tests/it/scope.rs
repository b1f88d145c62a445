use axum::routing::get as on_get;
use axum::{Json, Router};
use narrows::scope::{ClientAddr, Handshake, Scheme, Subprotocols};
use narrows::{Channels, Close, Connection, Consumer, NoEvent, OriginPolicy, Raw, Reject};
use serde_json::json;

use crate::real_site::{Client, Site, get};

/// Tells what it was told.
pub(crate) struct Tell;

impl Consumer for Tell {
    type Scope = Handshake;
    type In = Raw;
    type Out = Handshake;
    type Event = NoEvent;

    async fn connect(handshake: Handshake, conn: &mut Connection<Self>) -> Result<Self, Reject> {
        conn.send(&handshake)?;
        Ok(Self)
    }

    async fn receive(&mut self, _: Raw, _: &mut Connection<Self>) -> Result<(), Close> {
        Ok(())
    }
}

fn app(channels: &Channels) -> Router {
    let few = |client: Option<ClientAddr>, scheme: Scheme, offered: Subprotocols| async move {
        Json(json!({ "client": client, "scheme": scheme, "offered": offered.iter().collect::<Vec<_>>() }))
    };
    Router::new()
        .route(
            "/ws/{room}",
            channels.consumer::<Tell>().origin(OriginPolicy::any()).subprotocols(["chat.v1"]).route(),
        )
        .nest("/in", Router::new().route("/side/{*rest}", on_get(async |told: Handshake| Json(told))))
        .route("/few", on_get(few))
        .route("/client", on_get(|client: ClientAddr| async move { client.to_string() }))
}

async fn site() -> Site {
    let channels = Channels::builder().shards(1).build();
    Site::start(app(&channels), &channels).await
}

#[tokio::test]
async fn a_consumer_over_tcp_is_told_every_field_of_its_handshake() {
    let site = site().await;
    let stream = site.tcp().await;
    let client = stream.local_addr().unwrap();
    let headers = [
        ("Cookie", "a=1; b=\"2 3\""),
        ("X-Twice", "one"),
        ("X-Twice", "two"),
        ("Sec-WebSocket-Protocol", "chat.v2, chat.v1"),
    ];
    let mut socket = Client::over(stream, "/ws/caf%C3%A9?x=1&y=a+b%21&z", &headers).await.unwrap();
    let told = socket.hear_json().await;
    assert_eq!(told["client"], client.to_string());
    assert_eq!(told["server"], "site.example");
    assert_eq!(told["scheme"], "ws");
    assert_eq!(told["http_version"], "1.1");
    assert_eq!(told["path"], "/ws/café");
    assert_eq!(told["raw_path"], "/ws/caf%C3%A9");
    assert_eq!(told["root_path"], "");
    assert_eq!(told["matched_path"], "/ws/{room}");
    assert_eq!(told["query"], "x=1&y=a+b%21&z");
    assert_eq!(told["headers"]["x-twice"], "one, two");
    assert_eq!(told["headers"]["upgrade"], "websocket");
    assert_eq!(told["cookies"], json!({ "a": "1", "b": "2 3" }));
    assert_eq!(told["subprotocols"], json!(["chat.v2", "chat.v1"]));
}

#[tokio::test]
async fn a_plain_request_has_the_scheme_of_one_and_its_whole_path_in_a_nested_router() {
    let site = site().await;
    let body = get(site.tcp().await, "/in/side/a%20b?q", &[("host", "site.example:81")]).await;
    let told: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(told["scheme"], "http");
    assert_eq!(told["server"], "site.example:81");
    assert_eq!(told["path"], "/in/side/a b");
    assert_eq!(told["matched_path"], "/in/side/{*rest}");
    assert_eq!(told["subprotocols"], json!([]));
}

#[tokio::test]
async fn on_a_unix_socket_the_client_has_no_address() {
    let site = site().await;
    let mut socket = Client::over(site.unix().await, "/ws/room", &[]).await.unwrap();
    let told = socket.hear_json().await;
    assert_eq!((&told["client"], &told["server"]), (&json!(null), &json!("site.example")));
    assert_eq!(get(site.unix().await, "/client", &[]).await, "the address of the client is not known\n");
}

#[tokio::test]
async fn the_small_extractors_say_the_same_as_the_large_one() {
    let site = site().await;
    let stream = site.tcp().await;
    let client = stream.local_addr().unwrap();
    let body = get(stream, "/few", &[("sec-websocket-protocol", "b, a")]).await;
    let told: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(told, json!({ "client": client.to_string(), "scheme": "http", "offered": ["b", "a"] }));
}

#[tokio::test]
async fn the_root_path_is_taken_off_the_path_and_named() {
    let channels = Channels::builder().shards(1).root_path("in/").build();
    let site = Site::start(app(&channels), &channels).await;
    let body = get(site.tcp().await, "/in/side/a%20b", &[]).await;
    let told: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(told["root_path"], "/in");
    assert_eq!(told["path"], "/side/a b");
    assert_eq!(told["raw_path"], "/in/side/a%20b");
}

async fn extracted(request: http::Request<()>) -> Handshake {
    use axum::extract::FromRequestParts;
    Handshake::from_request_parts(&mut request.into_parts().0, &()).await.unwrap()
}

#[tokio::test]
async fn headers_are_found_in_any_case_and_given_in_their_order() {
    let request = http::Request::get("/").header("B", "1").header("A", "2").header("B", "3");
    let told = extracted(request.header("C", &b"caf\xe9"[..]).body(()).unwrap()).await;
    assert_eq!(told.headers().collect::<Vec<_>>(), [("b", "1"), ("b", "3"), ("a", "2"), ("c", "café")]);
    assert_eq!((told.header("B"), told.header("x")), (Some("1"), None));
}

#[tokio::test]
async fn the_pairs_of_a_query_are_decoded_as_forms_are() {
    let request = http::Request::get("/?a=1%262&&b+c=d+e&f&g=%ff&h=i=j").body(()).unwrap();
    let told = extracted(request).await;
    let pairs: Vec<_> = told.query_pairs().map(|(k, v)| (k.into_owned(), v.into_owned())).collect();
    let expected = [("a", "1&2"), ("b c", "d e"), ("f", ""), ("g", "\u{fffd}"), ("h", "i=j")];
    assert_eq!(pairs, expected.map(|(k, v)| (k.to_owned(), v.to_owned())));
}

#[tokio::test]
async fn the_debug_form_keeps_secrets_to_itself() {
    let request = http::Request::get("/?token=secret").header("cookie", "sessionid=secret");
    let told = extracted(request.header("authorization", "secret").body(()).unwrap()).await;
    assert!(!format!("{told:?}").contains("secret"), "{told:?}");
}
