//! The table `authtoken_token`.

use std::collections::HashMap;

use chrono::Utc;
use sea_orm::sea_query::{Alias, Expr, ExprTrait, Query};
use sea_orm::{ConnectionTrait, DbBackend, DbErr, SqlErr};

use crate::accounts::Accounts;
use crate::database::{DatabaseError, time_value};
use crate::hex::hex;
use crate::user::{Key, KeyKind, User, UserId};

const TABLE: &str = "authtoken_token";

/// `varchar(40)`.
const MAX_KEY: usize = 40;

/// So many tokens are asked for at once: fewer than the variables that any database takes.
const CHUNK: usize = 4096;

impl Accounts {
    /// Makes the table of Django REST framework's tokens, `authtoken_token`, where it is missing. The table of users has
    /// to be there.
    ///
    /// # Errors
    /// When the database does not.
    ///
    /// # Cancel safety
    /// Cancel safe: it is done to its end.
    pub async fn create_token_table(&self) -> Result<(), DatabaseError> {
        let model = &self.inner().model;
        let backend = self.database().backend();
        let quote = |name: &str| match backend {
            DbBackend::MySql => format!("`{}`", name.replace('`', "``")),
            _ => format!("\"{}\"", name.replace('"', "\"\"")),
        };
        let time = match backend {
            DbBackend::MySql => "datetime(6)",
            DbBackend::Postgres => "timestamp with time zone",
            _ => "datetime",
        };
        // Only these two check a reference at a transaction's end, as Django wants it.
        let deferred = if backend == DbBackend::MySql { "" } else { " DEFERRABLE INITIALLY DEFERRED" };
        let statement = format!(
            "CREATE TABLE IF NOT EXISTS {TABLE} ({key} varchar(40) NOT NULL PRIMARY KEY, created {time} NOT NULL, \
             user_id {user} NOT NULL UNIQUE{constraint} REFERENCES {table} ({column}){deferred}{end}",
            key = quote("key"),
            user = key_type(model.key_kind, backend),
            // MariaDB reads a reference that stands with the column; MySQL only one of its own.
            constraint = if backend == DbBackend::MySql { ", FOREIGN KEY (user_id)" } else { "" },
            table = quote(&model.table),
            column = quote(&model.key),
            end = ")",
        );
        self.database().make_tables([statement]).await
    }

    /// The user's token for [`TokenWay`](super::TokenWay): the one there is, or a new one of 160 random bits. As in
    /// Django REST framework, a user has one, and [`delete_tokens`](Self::delete_tokens) makes room for another.
    ///
    /// # Errors
    /// When the database is away, or has no such table.
    ///
    /// # Cancel safety
    /// The token may have been made.
    pub async fn make_token(&self, user: &User) -> Result<String, DatabaseError> {
        if let Some(key) = self.token_of(&user.id).await? {
            return Ok(key);
        }
        let key = hex(&rand::random::<[u8; 20]>());
        let backend = self.database().backend();
        let Some(id) = Key::parse(self.inner().model.key_kind, &user.id) else {
            return Err(DbErr::Custom("the user's id is not one of this table".to_owned()).into());
        };
        let mut insert = Query::insert();
        insert
            .into_table(Alias::new(TABLE))
            .columns(["key", "created", "user_id"].map(Alias::new))
            .values_panic([
                Expr::val(key.as_str()),
                Expr::val(time_value(Utc::now(), backend)),
                id.expr(backend),
            ]);
        let inserted = self.database().run(async move |pool| match pool.execute(&insert).await {
            Ok(_) => Ok(true),
            Err(error) if matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_))) => Ok(false),
            Err(error) => Err(error),
        });
        if inserted.await? {
            return Ok(key);
        }
        // Somebody else made one at the same time.
        let made = self.token_of(&user.id).await?;
        made.ok_or_else(|| DbErr::RecordNotInserted.into())
    }

    /// Deletes the user's tokens; says how many there were. Sockets that came in with one end soon, on every node.
    ///
    /// # Errors
    /// When the database is away, or has no such table.
    pub async fn delete_tokens(&self, user: &User) -> Result<u64, DatabaseError> {
        let Some(id) = Key::parse(self.inner().model.key_kind, &user.id) else { return Ok(0) };
        let mut delete = Query::delete();
        delete.from_table(Alias::new(TABLE));
        delete.and_where(Expr::col(Alias::new("user_id")).eq(id.expr(self.database().backend())));
        let deleted =
            self.database().run(async move |pool| pool.execute(&delete).await).await?.rows_affected();
        if let Some(channels) = &self.inner().channels
            && let Err(error) = channels.check_user(user.id.as_str()).await
        {
            // They end with their next check.
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "sockets of a deleted token are still there"
            );
        }
        Ok(deleted)
    }

    async fn token_of(&self, user: &UserId) -> Result<Option<String>, DatabaseError> {
        let Some(id) = Key::parse(self.inner().model.key_kind, user) else { return Ok(None) };
        let mut select = Query::select();
        select.column(Alias::new("key")).from(Alias::new(TABLE));
        select.and_where(Expr::col(Alias::new("user_id")).eq(id.expr(self.database().backend())));
        let row = self.database().run(async move |pool| pool.query_one(&select).await).await?;
        Ok(row.map(|row| row.try_get("", "key")).transpose()?)
    }

    /// The users of these tokens, by token. What is not exactly a token in the table is left out.
    pub(super) async fn users_of_tokens<'a>(
        &self,
        tokens: impl IntoIterator<Item = &'a str>,
    ) -> Result<HashMap<String, UserId>, DatabaseError> {
        let text = if self.database().backend() == DbBackend::MySql { "char" } else { "text" };
        let mut tokens: Vec<&str> = tokens.into_iter().filter(|token| is_key(token)).collect();
        tokens.sort_unstable();
        tokens.dedup();
        let mut users = HashMap::with_capacity(tokens.len());
        for chunk in tokens.chunks(CHUNK) {
            let mut select = Query::select();
            select.column(Alias::new("key")).from(Alias::new(TABLE));
            select.expr_as(Expr::col(Alias::new("user_id")).cast_as(text), "user_text");
            select.and_where(Expr::col(Alias::new("key")).is_in(chunk.iter().copied()));
            for row in self.database().run(async move |pool| pool.query_all(&select).await).await? {
                let key: String = row.try_get("", "key")?;
                let user = UserId::new(&row.try_get::<String>("", "user_text")?);
                let user = Key::parse(self.inner().model.key_kind, &user).map_or(user, |key| key.id());
                users.insert(key, user);
            }
        }
        // A database may find a text that is the same but for its case.
        users.retain(|key, _| tokens.binary_search(&key.as_str()).is_ok());
        Ok(users)
    }
}

/// Whether the table could have such a key; nobody else is asked.
fn is_key(token: &str) -> bool {
    (1..=MAX_KEY).contains(&token.len()) && token.bytes().all(|byte| byte.is_ascii_graphic())
}

fn key_type(kind: KeyKind, backend: DbBackend) -> &'static str {
    match (kind, backend) {
        (KeyKind::Integer, _) => "integer",
        (KeyKind::BigInteger, _) => "bigint",
        (KeyKind::Uuid, DbBackend::Postgres) => "uuid",
        (KeyKind::Uuid, _) => "char(32)",
        (KeyKind::Text, _) => "varchar(255)",
    }
}
