//! Sessions that are listed and ended by those who look after a site.

use std::sync::{Arc, Mutex};

use narrows::testing::{TestClient, TestServer};
use narrows::{Channels, Close, Connection, Consumer, NoEvent, Reject};
use narrows_django::{Accounts, ListSessionsError, ListedSession, Session, SessionEngine, SessionId, UserId};
use sea_orm::ConnectionTrait;
use serde_json::Value;

use super::Site;

/// A session of this user, as a log-in leaves it.
async fn session_of(accounts: &Accounts, user: Option<&str>) -> String {
    let session = accounts.session(None).await.unwrap();
    match user {
        Some(id) => session.insert("_auth_user_id", id).unwrap(),
        None => session.insert("cart", 3).unwrap(),
    }
    session.save().await.unwrap();
    session.key().unwrap()
}

/// All sessions, page by page.
async fn all(accounts: &Accounts, user: Option<&str>, limit: u64) -> Vec<ListedSession> {
    let user = user.map(UserId::new);
    let (mut all, mut from) = (Vec::new(), Some(0));
    while let Some(at) = from {
        let page = accounts.list_sessions(user.as_ref(), at, limit).await.unwrap();
        assert!(page.sessions.len() as u64 <= limit);
        all.extend(page.sessions);
        from = page.next;
    }
    all
}

#[tokio::test]
async fn sessions_are_listed_with_their_users_and_without_their_keys() {
    let accounts = Site::new(|accounts| accounts).await.accounts;
    let key = session_of(&accounts, Some("7")).await;
    session_of(&accounts, None).await;
    let sessions = all(&accounts, None, 10).await;
    assert_eq!(sessions.len(), 2);
    let of_7 = sessions.iter().find(|session| session.user == Some(UserId::new("7"))).unwrap();
    let id = of_7.id.to_string();
    assert!(!id.contains(&key) && !format!("{of_7:?}").contains(&key), "{id}");
    assert_eq!(accounts.listed_session(&id.parse().unwrap()).await.unwrap().as_ref(), Some(of_7));
    let days = (of_7.expires - chrono::Utc::now()).num_hours() / 24;
    assert!((13..=14).contains(&days), "{days}");
}

#[tokio::test]
async fn pages_hold_each_session_once_and_those_of_one_user_alone() {
    let accounts = Site::new(|accounts| accounts).await.accounts;
    for n in 0..23 {
        session_of(&accounts, Some(if n % 3 == 0 { "1" } else { "11" })).await;
    }
    let mut ids: Vec<_> = all(&accounts, None, 5).await.into_iter().map(|one| one.id.to_string()).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 23);
    assert_eq!(all(&accounts, Some("1"), 3).await.len(), 8);
    assert_eq!(all(&accounts, Some("11"), 200).await.len(), 15);
    assert_eq!(all(&accounts, Some("2"), 5).await, []);
    assert_eq!(accounts.list_sessions(None, 0, 1).await.unwrap().count, 23);
    for from in [1_000_000, u64::MAX] {
        for user in [None, Some(&UserId::new("1"))] {
            let page = accounts.list_sessions(user, from, 5).await.unwrap();
            assert_eq!((page.sessions, page.next), (vec![], None));
        }
    }
}

#[tokio::test]
async fn a_session_that_is_ended_is_gone_and_no_other() {
    let changed = Arc::new(Mutex::new(Vec::new()));
    let told = changed.clone();
    let site = Site::new(|accounts| {
        accounts.on_session_change(move |key| told.lock().unwrap().push(key.to_owned()))
    });
    let accounts = site.await.accounts;
    let (ends, stays) = (session_of(&accounts, Some("1")).await, session_of(&accounts, Some("1")).await);
    changed.lock().unwrap().clear();
    let sessions = all(&accounts, None, 10).await;
    let digests: Vec<_> = sessions.iter().map(|session| session.id.digest()).collect();
    let id = sessions.iter().map(|session| &session.id).find(|id| key_is(id, &ends)).unwrap();
    assert!(accounts.end_listed_session(id).await.unwrap());
    assert_eq!(*changed.lock().unwrap(), std::slice::from_ref(&ends));
    assert!(!accounts.end_listed_session(id).await.unwrap() && digests.len() == 2);
    assert!(!accounts.session(Some(&ends)).await.unwrap().contains("_auth_user_id"));
    assert!(accounts.session(Some(&stays)).await.unwrap().contains("_auth_user_id"));
}

fn key_is(id: &SessionId, key: &str) -> bool {
    use sha2::{Digest, Sha256};
    id.digest() == Sha256::digest(key).iter().map(|byte| format!("{byte:02x}")).collect::<String>()
}

#[tokio::test]
async fn all_sessions_of_a_user_end_but_the_one_that_stays() {
    let accounts = Site::new(|accounts| accounts).await.accounts;
    let mine = session_of(&accounts, Some("1")).await;
    // Copies of two, among one another: more than are read at once.
    for (user, every) in [("1", "= 0"), ("2", "> 0")] {
        session_of(&accounts, Some(user)).await;
        let copies = format!(
            "INSERT INTO django_session SELECT printf('%032d', n), session_data, expire_date FROM django_session, \
             (WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 1200) SELECT n FROM numbers) \
             WHERE n % 100 {every} AND session_key = (SELECT session_key FROM django_session ORDER BY rowid DESC LIMIT 1)"
        );
        accounts.database().connection().execute_unprepared(&copies).await.unwrap();
    }
    assert_eq!(accounts.end_sessions_of(&UserId::new("1"), Some(&mine)).await.unwrap(), 13);
    let left = accounts.list_sessions(Some(&UserId::new("1")), 0, 200).await.unwrap();
    assert_eq!((left.sessions.len(), left.count), (1, 1190));
    assert!(key_is(&left.sessions[0].id, &mine));
    assert_eq!(accounts.end_sessions_of(&UserId::new("1"), None).await.unwrap(), 1);
}

#[tokio::test]
async fn a_row_that_another_key_signed_is_nobodys_and_can_be_ended() {
    let site = Site::new(|accounts| accounts).await;
    let row = "INSERT INTO django_session VALUES ('%_strange!key%_1234', 'eyJ9:forged:text', '2020-01-01 00:00:00')";
    site.accounts.database().connection().execute_unprepared(row).await.unwrap();
    let sessions = all(&site.accounts, None, 10).await;
    assert_eq!((sessions.len(), &sessions[0].user), (1, &None));
    assert!(site.accounts.end_listed_session(&sessions[0].id).await.unwrap());
    assert_eq!(all(&site.accounts, None, 10).await, []);
}

#[tokio::test]
async fn sessions_in_cookies_and_files_are_not_listed() {
    let folder = tempfile::tempdir().unwrap();
    for engine in [SessionEngine::SignedCookies, SessionEngine::Files(folder.path().to_owned())] {
        let accounts = Site::new(|accounts| accounts.sessions(engine)).await.accounts;
        assert!(!accounts.lists_sessions());
        let listed = accounts.list_sessions(None, 0, 10).await;
        assert!(matches!(listed, Err(ListSessionsError::NotListed)));
        let ended = accounts.end_sessions_of(&UserId::new("1"), None).await;
        assert!(matches!(ended, Err(ListSessionsError::NotListed)));
    }
}

/// Takes anybody with a session.
struct Idle;

impl Consumer for Idle {
    type Scope = Session;
    type In = Value;
    type Out = Value;
    type Event = NoEvent;

    async fn connect(session: Session, _: &mut Connection<Self>) -> Result<Self, Reject> {
        let user = session.get::<String>("_auth_user_id");
        user.map(|_| Self).ok_or_else(|| Reject::new(axum::http::StatusCode::FORBIDDEN))
    }

    async fn receive(&mut self, value: Value, conn: &mut Connection<Self>) -> Result<(), Close> {
        Ok(conn.send(&value)?)
    }
}

async fn connect(server: &TestServer, key: &str) -> TestClient {
    server.connect_request("/ws").header("cookie", &format!("sessionid={key}")).connect().await
}

#[tokio::test]
async fn the_sockets_of_a_session_that_is_ended_close_at_once() {
    let channels = Channels::new();
    let accounts = Site::new(|accounts| accounts.channels(&channels)).await.accounts;
    let idle = channels.consumer::<Idle>().route();
    let server = TestServer::new(axum::Router::new().route("/ws", idle).layer(accounts.layer()));
    let (ends, stays) = (session_of(&accounts, Some("1")).await, session_of(&accounts, Some("1")).await);
    let (mut gone, mut here) = (connect(&server, &ends).await, connect(&server, &stays).await);
    let sessions = all(&accounts, None, 10).await;
    let id = sessions.iter().map(|session| &session.id).find(|id| key_is(id, &ends)).unwrap();
    assert!(accounts.end_listed_session(id).await.unwrap());
    assert_eq!(gone.expect_close(4401).await, "session ended");
    here.send(&serde_json::json!("here")).await;
    here.expect(&serde_json::json!("here")).await;
}
