use std::net::SocketAddr;

use axum::routing::{get, post};
use axum::{Json, Router};
use http::StatusCode;
use narrows::{Channels, Close, Connection, Consumer, NoEvent, Reject};
use narrows_django::password::{Hasher, Hashing};
use narrows_django::sesame::{Sesame, SesameSettings};
use narrows_django::ways::{SesameWay, TokenWay};
use narrows_django::{Accounts, AccountsBuilder, Database, MaybeUser, NewUser, SecretKeys, Session, User};
use rig::{Django, Seen};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::http::{Answer, request};
use super::socket::Socket;

/// The name of the session's cookie.
const COOKIE: &str = "sessionid";
/// What tests put into a session.
pub(super) const VALUE: &str = "value";

/// A site of ours on a port, with views that do what those of [`Django`] do; it ends with this.
pub(super) struct NarrowsSite {
    pub(super) accounts: Accounts,
    pub(super) address: SocketAddr,
    server: JoinHandle<()>,
}

impl NarrowsSite {
    /// One with [`Django::SECRET_KEY`] and passwords as Django's quick hashers keep them.
    pub(super) async fn on(url: &str, settings: impl FnOnce(AccountsBuilder) -> AccountsBuilder) -> Self {
        Self::with_keys(SecretKeys::new(Django::SECRET_KEY), url, settings).await
    }

    pub(super) async fn with_keys(
        keys: SecretKeys,
        url: &str,
        settings: impl FnOnce(AccountsBuilder) -> AccountsBuilder,
    ) -> Self {
        Self::in_node(&Channels::builder().shards(1).build(), keys, url, settings).await
    }

    /// One whose sockets are in this node.
    pub(super) async fn in_node(
        channels: &Channels,
        keys: SecretKeys,
        url: &str,
        settings: impl FnOnce(AccountsBuilder) -> AccountsBuilder,
    ) -> Self {
        let database = Database::connect(url).await.unwrap();
        let hashing = Hashing::new(Hasher::pbkdf2_sha256(1000).unwrap());
        let builder = Accounts::builder(keys, database).hashing(hashing).channels(channels);
        let accounts = settings(builder).build();
        let sesame = Sesame::new(SesameSettings::default(), accounts.keys()).unwrap();
        let app = app(channels)
            .layer(accounts.way_in(SesameWay::new(sesame)))
            .layer(accounts.way_in(TokenWay::new()))
            .layer(accounts.layer());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { accounts, address, server }
    }

    pub(super) async fn login(&self, name: &str, password: &str) -> Option<String> {
        let form = json!({"username": name, "password": password});
        let answer = self.send("POST", "/login/", None, Some(&form)).await;
        if answer.status == 401 { None } else { self.seen(None, &answer).cookie }
    }

    /// What a view sees, after it was compared with what a socket sees.
    pub(super) async fn whoami(&self, cookie: &str) -> Seen {
        let answer = self.send("GET", "/whoami/", Some(cookie), None).await;
        let seen = self.seen(Some(cookie), &answer);
        // The browser has another cookie where the view has given the session another key.
        let cookies = format!("{COOKIE}={}", seen.cookie.as_deref().unwrap_or(cookie));
        let socket = Socket::connect(self.address, "/ws/whoami/", &[("cookie", &cookies)]).await;
        let over_socket = socket.unwrap().receive().await;
        let same = |value: &Value| json!([value["user"], value["id"], value["session"]]);
        assert_eq!(same(&over_socket), same(&answer.json()), "over a socket and over HTTP");
        seen
    }

    pub(super) async fn change_password(&self, cookie: &str, old: &str, new: &str) -> Seen {
        self.post("/password/", Some(cookie), &json!({"old": old, "new": new})).await
    }

    pub(super) async fn register(&self, name: &str, password: &str) -> String {
        let form = json!({"username": name, "password": password});
        let answer = self.send("POST", "/register/", None, Some(&form)).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.json().as_str().unwrap().to_owned()
    }

    pub(super) async fn authenticate(&self, name: &str, password: &str) -> Option<String> {
        let user = self.accounts.authenticate(name, password, None).await;
        user.ok().map(|user| user.id.to_string())
    }

    pub(super) async fn post(&self, target: &str, cookie: Option<&str>, body: &Value) -> Seen {
        let answer = self.send("POST", target, cookie, Some(body)).await;
        self.seen(cookie, &answer)
    }

    pub(super) async fn send(
        &self,
        method: &str,
        target: &str,
        cookie: Option<&str>,
        body: Option<&Value>,
    ) -> Answer {
        let cookie = cookie.map(|cookie| format!("{COOKIE}={cookie}"));
        let headers: Vec<(&str, &str)> = cookie.iter().map(|cookie| ("Cookie", cookie.as_str())).collect();
        request(self.address, method, target, &headers, body).await
    }

    fn seen(&self, cookie: Option<&str>, answer: &Answer) -> Seen {
        let set_cookie = answer.set_cookie(COOKIE);
        let cookie = match set_cookie {
            None => cookie,
            Some(text) if text.to_lowercase().contains("max-age=0") => None,
            Some(text) => text.split(['=', ';']).nth(1),
        };
        let content = if answer.status == 200 { answer.json() } else { answer.body.clone().into() };
        Seen::from(json!({
            "status": answer.status,
            "content": content,
            "cookie": cookie,
            "set_cookie": set_cookie,
        }))
    }
}

impl Drop for NarrowsSite {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn app(channels: &Channels) -> Router {
    Router::new()
        .route("/whoami/", get(whoami))
        .route("/login/", post(log_in))
        .route("/logout/", post(log_out))
        .route("/password/", post(change_password))
        .route("/session/", post(change_session))
        .route("/register/", post(register))
        .route("/ws/whoami/", channels.consumer::<Whoami>().route())
        .route("/ws/user/", channels.consumer::<ForUsers>().route())
}

fn seen(user: Option<&User>, session: &Session) -> Value {
    json!({
        "user": user.map(|user| &user.username),
        "id": user.map(|user| user.id.as_str()),
        "session": {VALUE: session.get::<Value>(VALUE)},
        "key": session.key(),
    })
}

async fn whoami(MaybeUser(user): MaybeUser, session: Session) -> Json<Value> {
    Json(seen(user.as_ref(), &session))
}

#[derive(Deserialize)]
struct LogIn {
    username: String,
    password: String,
}

async fn log_in(
    accounts: Accounts,
    session: Session,
    Json(form): Json<LogIn>,
) -> Result<Json<Value>, StatusCode> {
    let user = accounts.authenticate(&form.username, &form.password, None).await;
    let user = user.map_err(|_| StatusCode::UNAUTHORIZED)?;
    accounts.log_in(&session, &user).await.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
    Ok(Json(seen(Some(&user), &session)))
}

async fn log_out(accounts: Accounts, session: Session) -> Result<Json<Value>, StatusCode> {
    accounts.log_out(&session).await.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
    Ok(Json(seen(None, &session)))
}

#[derive(Deserialize)]
struct ChangePassword {
    old: String,
    new: String,
}

async fn change_password(
    accounts: Accounts,
    user: User,
    session: Session,
    Json(form): Json<ChangePassword>,
) -> Result<Json<Value>, (StatusCode, String)> {
    let changed = accounts.change_password(&session, &user, &form.old, &form.new).await;
    let user = changed.map_err(|error| (StatusCode::UNPROCESSABLE_ENTITY, error.to_string()))?;
    Ok(Json(seen(Some(&user), &session)))
}

async fn change_session(
    MaybeUser(user): MaybeUser,
    session: Session,
    Json(values): Json<Map<String, Value>>,
) -> Json<Value> {
    for (key, value) in values {
        session.insert(&key, value).unwrap();
    }
    Json(seen(user.as_ref(), &session))
}

async fn register(accounts: Accounts, Json(new): Json<NewUser>) -> Result<Json<Value>, (StatusCode, String)> {
    let user = accounts.register(&new).await;
    let user = user.map_err(|error| (StatusCode::UNPROCESSABLE_ENTITY, error.to_string()))?;
    Ok(Json(user.id.as_str().into()))
}

/// Says who is there, and stays open.
struct Whoami;

impl Consumer for Whoami {
    type Scope = (MaybeUser, Session);
    type In = Value;
    type Out = Value;
    type Event = NoEvent;

    async fn connect(
        (MaybeUser(user), session): Self::Scope,
        conn: &mut Connection<Self>,
    ) -> Result<Self, Reject> {
        conn.send(&seen(user.as_ref(), &session))?;
        Ok(Self)
    }

    async fn receive(&mut self, _: Value, _: &mut Connection<Self>) -> Result<(), Close> {
        Ok(())
    }
}

/// Lets nobody in who is not logged in, and stays open.
struct ForUsers;

impl Consumer for ForUsers {
    type Scope = User;
    type In = Value;
    type Out = Value;
    type Event = NoEvent;

    async fn connect(user: User, conn: &mut Connection<Self>) -> Result<Self, Reject> {
        conn.send(&json!(user.username))?;
        Ok(Self)
    }

    async fn receive(&mut self, _: Value, _: &mut Connection<Self>) -> Result<(), Close> {
        Ok(())
    }
}
