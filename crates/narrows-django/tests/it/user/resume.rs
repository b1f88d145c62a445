//! Sockets of users that were cut off and go on: who they are is asked for all together.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime};

use axum::Router;
use futures_util::future::join_all;
use narrows::layer::MemoryLayer;
use narrows::testing::{NarrowsClient, NarrowsRequest, TestResponse, TestServer};
use narrows::{Channels, Close, Connection, Consumer, Limits, NoEvent, Reject, Resume};
use narrows_django::signing::session_auth_hash;
use narrows_django::{Accounts, Database, SessionEngine, User};
use serde_json::{Value, json};

use crate::site::Site;
use crate::vectors::{keys, list, text};

/// A desk that belongs to a user.
struct Desk(String);

impl Consumer for Desk {
    type Scope = User;
    type In = Value;
    type Out = Value;
    type Event = NoEvent;

    async fn connect(user: User, _: &mut Connection<Self>) -> Result<Self, Reject> {
        Ok(Self(user.id.as_str().to_owned()))
    }

    async fn receive(&mut self, _: Value, conn: &mut Connection<Self>) -> Result<(), Close> {
        Ok(conn.reply(&self.0)?)
    }
}

impl Resume for Desk {
    type Saved = String;

    fn save(&self) -> String {
        self.0.clone()
    }

    async fn resume(user: String, _: &mut Connection<Self>) -> Result<Self, Reject> {
        Ok(Self(user))
    }
}

/// So many users with a session each, the first of them number 3.
async fn with_users(count: u32) -> Site {
    let (site, now) = (Site::open().await, SystemTime::now());
    let last = count + 2;
    site.run(&format!(
        "WITH RECURSIVE n(i) AS (SELECT 3 UNION ALL SELECT i + 1 FROM n WHERE i < {last}) INSERT INTO auth_user \
         SELECT i, '!', NULL, 0, 'user' || i, '', '', 0, 1, '2024-01-01', '' FROM n"
    ))
    .await;
    let hash = session_auth_hash("!", keys().current());
    let rows: Vec<String> = (3..=last)
        .map(|id| {
            let values = json!({
                "_auth_user_id": id.to_string(), "_auth_user_hash": hash,
                "_auth_user_backend": "django.contrib.auth.backends.ModelBackend",
            });
            let salt = "django.contrib.sessions.SessionStore";
            let data = narrows_django::signing::dumps(&values, salt, &keys(), true, now).unwrap();
            format!("('session-of-{id}', '{data}', '2999-01-01 00:00:00')")
        })
        .collect();
    site.run(&format!("INSERT INTO django_session VALUES {}", rows.join(","))).await;
    site
}

/// Two nodes with these accounts.
fn nodes(accounts: &Accounts) -> [TestServer; 2] {
    let layer = MemoryLayer::new();
    [layer.another_node(), layer].map(|layer| {
        let patience = Duration::from_secs(120);
        let limits = Limits::default().connect_timeout(patience);
        let channels = Channels::builder().layer(layer).limits(limits).secret_key(keys().current());
        let channels = channels.on_this_thread().build();
        let desk = channels.consumer::<Desk>().resumable().route();
        let app = Router::new().route("/ws", desk).layer(accounts.layer());
        TestServer::new(app).answer_timeout(patience).receive_timeout(patience)
    })
}

async fn ends(client: Result<NarrowsClient, TestResponse>) -> bool {
    match client {
        Ok(mut client) => client.expect_close(4401).await == "session ended",
        Err(refused) => refused.status().as_u16() == 401,
    }
}

#[tokio::test]
async fn a_thousand_sockets_that_go_on_are_a_handful_of_queries() {
    let site = with_users(1000).await;
    let queries = Arc::new(AtomicU32::new(0));
    let (mut counted, count) = (site.accounts.database().connection().clone(), queries.clone());
    counted.set_metric_callback(move |_| {
        count.fetch_add(1, Ordering::Relaxed);
    });
    let accounts = Accounts::builder(keys(), Database::from(counted)).build();
    let nodes = nodes(&accounts);
    let connect = |id: u32| {
        let cookie = format!("sessionid=session-of-{id}");
        nodes[0].connect_request("/ws").header("cookie", &cookie).narrows().connect()
    };
    let there = join_all((3..=1002).map(connect)).await;
    let away: Vec<_> = there.into_iter().map(NarrowsClient::cut).collect();
    site.run("DELETE FROM django_session WHERE session_key = 'session-of-77'").await;
    let before = queries.load(Ordering::Relaxed);
    assert!(before >= 1000, "each was asked about on its own, by {before} queries");

    let mut back = join_all(away.into_iter().map(|away| away.to(&nodes[1]).try_connect())).await;

    assert!(ends(back.remove(77 - 3)).await);
    let mut ninth = back.swap_remove(6).unwrap();
    assert_eq!(ninth.request(&json!({"type": "who"})).await, Ok(json!("9")));
    assert!(back.iter().all(|client| client.as_ref().is_ok_and(NarrowsClient::is_resumed)));
    let queries = queries.load(Ordering::Relaxed) - before;
    assert!((2..=60).contains(&queries), "{queries} queries");
}

#[tokio::test]
async fn a_session_in_its_cookie_goes_on_with_that_cookie_alone() {
    let site = Site::open_with(|builder| builder.sessions(SessionEngine::SignedCookies)).await;
    let user = site.accounts.user_by_name("alice").await.unwrap().unwrap();
    let values = json!({
        "_auth_user_id": user.id.as_str(),
        "_auth_user_hash": session_auth_hash(text(&list("auth_user_rows")[0], "password"), keys().current()),
        "_auth_user_backend": "django.contrib.auth.backends.ModelBackend",
    });
    let salt = "django.contrib.sessions.backends.signed_cookies";
    let session = narrows_django::signing::dumps(&values, salt, &keys(), true, SystemTime::now()).unwrap();
    let cookie = format!("sessionid={session}");
    let nodes = nodes(&site.accounts);
    let away = nodes[0].connect_request("/ws").header("cookie", &cookie).narrows().connect().await.cut();
    for stolen in ["theme=dark", "sessionid=", "sessionid=x"] {
        let stolen = away.clone().with(|request| request.header("cookie", stolen)).try_connect().await;
        assert!(stolen.is_err(), "the user's desk is for users");
    }
    assert!(away.connect().await.is_resumed());
}

#[tokio::test]
async fn another_cookie_is_another_session() {
    let site = with_users(2).await;
    let nodes = nodes(&site.accounts);
    let as_user = |id: u32| {
        let cookie = format!("sessionid=session-of-{id}");
        nodes[0].connect_request("/ws").header("cookie", &cookie)
    };
    let away: NarrowsRequest = as_user(3).narrows().connect().await.cut();
    let other = away.clone().with(|request| request.header("cookie", "sessionid=session-of-4"));
    let mut other = other.connect().await;
    assert_eq!((other.is_resumed(), other.request(&json!({})).await), (false, Ok(json!("4"))));
    let mut back = away.connect().await;
    assert_eq!((back.is_resumed(), back.request(&json!({})).await), (true, Ok(json!("3"))));
}
