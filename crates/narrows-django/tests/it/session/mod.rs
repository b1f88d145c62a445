//! Sessions: the handle, the layer around routes, and the stores.

mod away;
mod browser;
mod concurrency;
mod cookie;
mod expiry;
mod files;
mod handle;
mod kept;
mod layer;
mod listed;
mod sockets;

use std::path::Path;

use axum::Router;
use axum::body::Body;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use narrows_django::{Accounts, AccountsBuilder, Database, Session, SessionEngine};
use serde_json::{Map, Value, json};

use self::browser::Browser;
use crate::vectors::keys;

/// A site that does with its session what it is told.
struct Site {
    accounts: Accounts,
    app: Router,
}

impl Site {
    async fn new(set: impl FnOnce(AccountsBuilder) -> AccountsBuilder) -> Self {
        let database = Database::connect("sqlite::memory:").await.unwrap();
        database.create_tables().await.unwrap();
        Self::on(database, set)
    }

    fn on(database: Database, set: impl FnOnce(AccountsBuilder) -> AccountsBuilder) -> Self {
        let accounts = set(Accounts::builder(keys(), database)).build();
        let app = Router::new()
            .route("/untouched", get(async || "nothing"))
            .route("/stream", get(stream))
            .route("/do", post(obey))
            .layer(accounts.layer());
        Self { accounts, app }
    }

    fn browser(&self) -> Browser {
        Browser::new(self.app.clone())
    }
}

/// Each store, the one in files in this folder.
fn engines(folder: &Path) -> [SessionEngine; 4] {
    [
        SessionEngine::Database,
        SessionEngine::CachedDatabase,
        SessionEngine::SignedCookies,
        SessionEngine::Files(folder.to_owned()),
    ]
}

/// All that is in a session.
fn values(session: &Session) -> Value {
    let values = session.keys().into_iter().map(|key| {
        let value = session.get::<Value>(&key);
        (key, value.unwrap())
    });
    Value::Object(values.collect::<Map<_, _>>())
}

/// Does one thing a line: `set NAME JSON`, `remove NAME`, `clear`, `flush`, `cycle`, `after SECONDS`, `close`, and
/// `status CODE`; answers with the session.
async fn obey(session: Session, lines: String) -> Response {
    let mut status = StatusCode::OK;
    for line in lines.lines() {
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        match verb {
            "set" => {
                let (name, value) = rest.split_once(' ').unwrap();
                session.insert(name, serde_json::from_str::<Value>(value).unwrap()).unwrap();
            }
            "remove" => drop(session.remove(rest)),
            "clear" => session.clear(),
            "flush" => session.flush(),
            "cycle" => session.cycle_key(),
            "after" => session.expire_after(std::time::Duration::from_secs(rest.parse().unwrap())),
            "close" => session.expire_at_browser_close(),
            "status" => status = StatusCode::from_bytes(rest.as_bytes()).unwrap(),
            _ => panic!("what is {line:?}?"),
        }
    }
    (status, axum::Json(json!({"key": session.key(), "values": values(&session)}))).into_response()
}

/// Begins an answer that never ends.
async fn stream(session: Session) -> Response {
    session.insert("streamed", true).unwrap();
    Body::from_stream(futures_util::stream::pending::<Result<String, std::io::Error>>()).into_response()
}
