//! A site with two users and some ways in.

use axum::body::Body;
use axum::extract::Request;
use axum::routing::get;
use axum::{Router, body};
use http::header::AUTHORIZATION;
use http::{HeaderMap, StatusCode};
use narrows::Channels;
use narrows_django::sea_orm::ConnectionTrait;
use narrows_django::{Accounts, Database, KeyKind, MaybeUser, User, UserId, UserModel};
use tower::ServiceExt;

use crate::vectors::{keys, vectors};

/// A site whose database is gone with it: `alice` is active, `bob` is not.
pub(crate) struct Site {
    pub(crate) accounts: Accounts,
    pub(crate) channels: Channels,
}

impl Site {
    pub(crate) async fn new() -> Self {
        Self::with_keys(KeyKind::Integer, ["1", "2"]).await
    }

    /// Users with keys of another type, in a table of their own.
    pub(crate) async fn with_keys(kind: KeyKind, ids: [&str; 2]) -> Self {
        let database = Database::connect("sqlite::memory:").await.unwrap();
        let mut model = UserModel::default();
        if kind != KeyKind::Integer {
            model.table = "people_person".to_owned();
            model.key_kind = kind;
        }
        let schema =
            vectors("schema_sqlite")["auth_user"][0].as_str().unwrap().replace("auth_user", &model.table);
        let key = match kind {
            KeyKind::Integer => "integer NOT NULL PRIMARY KEY AUTOINCREMENT",
            KeyKind::BigInteger => "bigint NOT NULL PRIMARY KEY",
            _ => "varchar(32) NOT NULL PRIMARY KEY",
        };
        let mut statements = vec![schema.replace("integer NOT NULL PRIMARY KEY AUTOINCREMENT", key)];
        for ((id, name), active) in ids.iter().zip(["alice", "bob"]).zip([1, 0]) {
            statements.push(format!(
                "INSERT INTO {table} (id, username, email, password, is_active, first_name, last_name, is_staff, \
                 is_superuser, date_joined) VALUES ('{id}', '{name}', '{name}@example.com', 'argon2$salt$hash of {name}', \
                 {active}, '', '', 0, 0, '2023-11-14 00:00:00')",
                table = model.table,
                id = id.replace('-', ""),
            ));
        }
        let channels = Channels::builder().on_this_thread().build();
        let accounts = Accounts::builder(keys(), database).user_model(model).channels(&channels).build();
        let site = Self { accounts, channels };
        for statement in statements {
            site.execute(&statement).await;
        }
        site.accounts.create_token_table().await.unwrap();
        site
    }

    pub(crate) async fn execute(&self, statement: &str) {
        let statement = statement.to_owned();
        let done = self.accounts.database().run(async move |pool| pool.execute_unprepared(&statement).await);
        done.await.unwrap();
    }

    pub(crate) async fn alice(&self) -> User {
        self.accounts.user_by_name("alice").await.unwrap().unwrap()
    }

    pub(crate) async fn bob(&self) -> User {
        self.accounts.user_by_name("bob").await.unwrap().unwrap()
    }

    pub(crate) async fn user(&self, id: &str) -> User {
        self.accounts.user_by_id(&UserId::new(id)).await.unwrap().unwrap()
    }

    /// Views that say who asks: `/me` refuses nobody, `/maybe` does not, and `/twice` asks twice.
    pub(crate) fn views() -> Router {
        Router::new()
            .route("/me", get(async |user: User| user.username))
            .route("/maybe", get(async |MaybeUser(user): MaybeUser| name(user)))
            .route(
                "/twice",
                get(async |first: MaybeUser, second: MaybeUser| {
                    format!("{} {}", name(first.0), name(second.0))
                }),
            )
    }
}

fn name(user: Option<User>) -> String {
    user.map_or_else(|| "nobody".to_owned(), |user| user.username)
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

/// Asks with these headers.
pub(crate) async fn ask(app: &Router, target: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = Request::get(target).header("host", "site.example");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    send(app, request.body(Body::empty()).unwrap()).await
}

pub(crate) async fn send(app: &Router, request: Request) -> Answer {
    let response = app.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let text = body::to_bytes(body, 1 << 20).await.unwrap();
    Answer { status: parts.status, headers: parts.headers, text: String::from_utf8(text.to_vec()).unwrap() }
}

/// Who asks with this in `Authorization`.
pub(crate) async fn who(app: &Router, authorization: &str) -> String {
    ask(app, "/maybe", &[(AUTHORIZATION.as_str(), authorization)]).await.text
}
