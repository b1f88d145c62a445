//! A site with Django's tables in SQLite, and the users of the vectors: alice, active, and bob, who is not.

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use axum::routing::get;
use http::header::SET_COOKIE;
use http::{Request, StatusCode};
use narrows_django::password::{Hasher, Hashing};
use narrows_django::{
    Accounts, AccountsBuilder, Database, MaybeUser, StaffUser, Superuser, User, UserModel, login_required,
};
use sea_orm::ConnectionTrait;
use tempfile::TempDir;
use tower::ServiceExt;

use crate::vectors::{keys, list, text, vectors};

/// The password of both.
pub(crate) const PASSWORD: &str = "correct horse";

pub(crate) struct Site {
    pub(crate) accounts: Accounts,
    pub(crate) hashing: Hashing,
    /// The database is in here.
    _folder: TempDir,
}

impl Site {
    pub(crate) async fn open() -> Self {
        Self::open_with(|builder| builder).await
    }

    /// With few iterations, for speed. Alice's password has as many; Bob's is by Argon2.
    pub(crate) async fn open_with(settings: impl FnOnce(AccountsBuilder) -> AccountsBuilder) -> Self {
        let (folder, database) = database().await;
        for schema in ["auth_user", "django_session"] {
            for statement in vectors("schema_sqlite")[schema].as_array().expect("a list") {
                run(&database, statement.as_str().expect("a text")).await;
            }
        }
        for row in list("auth_user_rows") {
            let (password, username, email) =
                (text(row, "password"), text(row, "username"), text(row, "email"));
            let (id, active, joined) = (&row["id"], &row["is_active"], text(row, "date_joined"));
            run(&database, &format!(
                "INSERT INTO auth_user (id, password, is_superuser, username, last_name, email, is_staff, is_active, \
                 date_joined, first_name) VALUES ({id}, '{password}', 0, '{username}', '', '{email}', 0, {active}, \
                 '{joined}', '')"
            ))
            .await;
        }
        let hashing = Hashing::new(Hasher::pbkdf2_sha256(1000).expect("some iterations"));
        let builder = Accounts::builder(keys(), database).hashing(hashing.clone());
        Self { accounts: settings(builder).build(), hashing, _folder: folder }
    }

    /// With a table of users of its own.
    pub(crate) async fn with_model(model: UserModel, table: &str) -> Self {
        let (folder, database) = database().await;
        run(&database, table).await;
        let hashing = Hashing::new(Hasher::pbkdf2_sha256(1000).expect("some iterations"));
        let builder = Accounts::builder(keys(), database).hashing(hashing.clone());
        Self { accounts: builder.user_model(model).build(), hashing, _folder: folder }
    }

    /// Does something to the database as another program would.
    pub(crate) async fn run(&self, sql: &str) {
        run(self.accounts.database(), sql).await;
    }

    /// One text from the database.
    pub(crate) async fn text(&self, sql: &str) -> String {
        let rows = self.accounts.database().connection();
        let statement = sea_orm::Statement::from_string(rows.get_database_backend(), sql);
        let row =
            rows.query_one_raw(statement).await.expect("the database is there").expect("there is a row");
        row.try_get_by_index(0).expect("it is a text")
    }
}

async fn database() -> (TempDir, Database) {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let url = format!("sqlite://{}?mode=rwc", folder.path().join("db.sqlite3").display());
    (folder, Database::connect(&url).await.expect("the database opens"))
}

async fn run(database: &Database, sql: &str) {
    database.connection().execute_unprepared(sql).await.expect("the statement is a good one");
}

/// What a browser with this session sees of a page that needs nobody: who it is, and the cookie it is given.
pub(crate) struct Seen {
    pub(crate) status: StatusCode,
    pub(crate) who: String,
    pub(crate) cookie: Option<String>,
}

impl Site {
    /// A browser with this session's key asks for a page: `/who` for all, `/user`, `/staff` and `/root`, and `/only`
    /// behind `login_required`.
    pub(crate) async fn get(&self, key: Option<&str>, path: &str) -> Seen {
        let response = self.response(key, path, &[]).await;
        let cookie = response.headers().get(SET_COOKIE).map(|cookie| cookie.to_str().unwrap().to_owned());
        let status = response.status();
        let body = axum::body::to_bytes(response.into_body(), 1000).await.unwrap();
        Seen { status, who: String::from_utf8(body.to_vec()).unwrap(), cookie }
    }

    pub(crate) async fn response(&self, key: Option<&str>, path: &str, headers: &[(&str, &str)]) -> Response {
        let only =
            Router::new().route("/only/{*rest}", get(async || "for users")).layer(login_required("/login/"));
        let app = Router::new()
            .route(
                "/who",
                get(async |MaybeUser(user)| user.map_or("nobody".to_owned(), |user: User| user.username)),
            )
            .route("/user", get(async |user: User| user.username))
            .route("/staff", get(async |StaffUser(user)| user.username))
            .route("/root", get(async |Superuser(user)| user.username))
            .merge(only)
            .layer(self.accounts.layer());
        let mut request = Request::get(path);
        if let Some(key) = key {
            request = request.header("cookie", format!("sessionid={key}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        app.oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
    }

    pub(crate) async fn who(&self, key: &str) -> String {
        self.get(Some(key), "/who").await.who
    }

    /// The key of a session in which this user is logged in.
    pub(crate) async fn logged_in(&self, username: &str) -> String {
        let session = self.accounts.session(None).await.unwrap();
        let user = self.accounts.user_by_name(username).await.unwrap().unwrap();
        self.accounts.log_in(&session, &user).await.unwrap();
        session.key().unwrap()
    }
}
