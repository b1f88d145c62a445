//! Sessions of sockets.

use axum::Router;
use axum::http::StatusCode;
use narrows::testing::TestServer;
use narrows::{Channels, Close, Connection, Consumer, NoEvent, Reject};
use narrows_django::{Accounts, Session};
use serde_json::{Value, json};

use super::{Site, values};

/// Counts its connections in the session, and takes values to keep.
struct Counter(Session);

impl Consumer for Counter {
    type Scope = Session;
    type In = Value;
    type Out = Value;
    type Event = NoEvent;

    async fn connect(session: Session, conn: &mut Connection<Self>) -> Result<Self, Reject> {
        if session.contains("banned") {
            session.insert("refused", true).unwrap();
            return Err(Reject::new(StatusCode::FORBIDDEN));
        }
        let connections = session.get::<u32>("connections").unwrap_or_default() + 1;
        session.insert("connections", connections).unwrap();
        conn.send(&json!(connections))?;
        Ok(Self(session))
    }

    async fn receive(&mut self, value: Value, conn: &mut Connection<Self>) -> Result<(), Close> {
        self.0.insert("said", value).unwrap();
        let saved = self.0.save().await;
        conn.send(&json!(saved.map_err(|error| error.to_string())))?;
        Ok(())
    }
}

async fn site() -> (Accounts, TestServer) {
    let accounts = Site::new(|accounts| accounts).await.accounts;
    let channels = Channels::new();
    let app = Router::new().route("/ws", channels.consumer::<Counter>().route()).layer(accounts.layer());
    (accounts, TestServer::new(app))
}

fn cookie(set_cookie: &str) -> &str {
    set_cookie.split(';').next().unwrap()
}

#[tokio::test]
async fn what_connect_changes_is_saved_with_the_acceptance() {
    let (accounts, server) = site().await;
    let mut client = server.connect("/ws").await;
    client.expect(&json!(1)).await;
    let header = client.response_headers()["set-cookie"].to_str().unwrap().to_owned();
    assert!(header.ends_with("; HttpOnly; Max-Age=1209600; Path=/; SameSite=Lax"), "{header}");
    let mut again = server.connect_request("/ws").header("cookie", cookie(&header)).connect().await;
    again.expect(&json!(2)).await;
    let key = cookie(&header).strip_prefix("sessionid=");
    assert_eq!(values(&accounts.session(key).await.unwrap()), json!({"connections": 2}));
}

#[tokio::test]
async fn what_connect_changes_is_saved_with_a_refusal() {
    let (accounts, server) = site().await;
    let session = accounts.session(None).await.unwrap();
    session.insert("banned", true).unwrap();
    session.save().await.unwrap();
    let sent = format!("sessionid={}", session.key().unwrap());
    let refused = server.connect_request("/ws").header("cookie", &sent).try_connect().await.unwrap_err();
    assert_eq!(refused.status(), 403);
    let session = accounts.session(session.key().as_deref()).await.unwrap();
    assert_eq!(values(&session), json!({"banned": true, "refused": true}));
}

#[tokio::test]
async fn a_socket_saves_what_it_was_told() {
    let (accounts, server) = site().await;
    let mut client = server.connect("/ws").await;
    client.expect(&json!(1)).await;
    client.send(&json!("hello")).await;
    client.expect(&json!({"Ok": null})).await;
    let header = client.response_headers()["set-cookie"].to_str().unwrap().to_owned();
    let session = accounts.session(cookie(&header).strip_prefix("sessionid=")).await.unwrap();
    assert_eq!(values(&session), json!({"connections": 1, "said": "hello"}));
}

#[tokio::test]
async fn a_socket_does_not_bring_a_deleted_session_back() {
    let (accounts, server) = site().await;
    let mut client = server.connect("/ws").await;
    client.expect(&json!(1)).await;
    let header = client.response_headers()["set-cookie"].to_str().unwrap().to_owned();
    let session = accounts.session(cookie(&header).strip_prefix("sessionid=")).await.unwrap();
    session.flush();
    session.save().await.unwrap();
    client.send(&json!("hello")).await;
    client.expect(&json!({"Err": "the session was deleted before it could be saved"})).await;
}
