use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sea_orm::sea_query::{Alias, Expr, ExprTrait, Query, SelectStatement};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbErr, SqlErr};

use super::super::SaveError;
use super::super::key::{can_be_key, new_key};
use super::{Change, Expires, Kept, NEW_KEYS, Put};
use crate::database::{Database, DatabaseError, time_of, time_value};

pub(super) const TABLE: &str = "django_session";
pub(super) const KEY: &str = "session_key";
pub(super) const DATA: &str = "session_data";
pub(super) const EXPIRES: &str = "expire_date";

/// Keys in one statement: below what any of the databases takes.
pub(super) const KEYS_AT_ONCE: usize = 8192;

/// Sessions in the table `django_session`.
#[derive(Clone)]
pub(crate) struct Rows(Database);

impl Rows {
    pub(super) fn new(database: Database) -> Self {
        Self(database)
    }

    pub(super) fn database(&self) -> &Database {
        &self.0
    }

    pub(super) async fn read(&self, key: &str) -> Result<Option<Kept>, DatabaseError> {
        let mut found = self.read_many(vec![key.to_owned()]).await?;
        Ok(found.remove(key).map(|(text, expires)| Kept { text, expires: Expires::At(expires) }))
    }

    /// Those that are there and not over.
    pub(crate) async fn read_many(
        &self,
        keys: Vec<String>,
    ) -> Result<HashMap<String, (String, DateTime<Utc>)>, DatabaseError> {
        self.0.run(async move |connection| read_many(&connection, &keys).await).await
    }

    pub(super) async fn apply(&self, change: Change) -> Result<Option<String>, SaveError> {
        let applied = self.0.run(async move |connection| apply(&connection, change).await).await?;
        match applied {
            Applied::Put(key) => Ok(Some(key)),
            Applied::Deleted => Ok(None),
            Applied::Missing => Err(SaveError::Deleted),
        }
    }

    pub(crate) async fn clear_expired(&self) -> Result<u64, DatabaseError> {
        self.0
            .run_long(async move |connection| {
                let now = time_value(Utc::now(), connection.get_database_backend());
                let mut delete = Query::delete();
                delete.from_table(Alias::new(TABLE)).and_where(Expr::col(Alias::new(EXPIRES)).lt(now));
                Ok::<_, DbErr>(connection.execute(&delete).await?.rows_affected())
            })
            .await
    }
}

enum Applied {
    Put(String),
    Deleted,
    /// The row to write to was not there.
    Missing,
}

async fn read_many(
    connection: &DatabaseConnection,
    keys: &[String],
) -> Result<HashMap<String, (String, DateTime<Utc>)>, DbErr> {
    let backend = connection.get_database_backend();
    let now = Utc::now();
    let mut found = HashMap::with_capacity(keys.len());
    let possible: Vec<&str> = keys.iter().map(String::as_str).filter(|key| can_be_key(key)).collect();
    for some in possible.chunks(KEYS_AT_ONCE) {
        let select =
            select(some).and_where(Expr::col(Alias::new(EXPIRES)).gt(time_value(now, backend))).to_owned();
        for row in connection.query_all(&select).await? {
            let key: String = row.try_get("", KEY)?;
            let expires = time_of(&row, EXPIRES, backend)?;
            // MySQL finds keys in other letters, too. A text that another program wrote compares otherwise than a time.
            if let Some(expires) = expires.filter(|expires| *expires > now && some.contains(&key.as_str())) {
                found.insert(key, (row.try_get("", DATA)?, expires));
            }
        }
    }
    Ok(found)
}

fn select(keys: &[&str]) -> SelectStatement {
    let key = Expr::col(Alias::new(KEY));
    Query::select()
        .columns([KEY, DATA, EXPIRES].map(Alias::new))
        .from(Alias::new(TABLE))
        .and_where(match keys {
            [one] => key.eq(*one),
            some => key.is_in(some.iter().copied()),
        })
        .to_owned()
}

async fn apply(connection: &DatabaseConnection, change: Change) -> Result<Applied, DbErr> {
    for key in &change.delete {
        delete(connection, key).await?;
    }
    let Some(Put { key, text, expires, replaces }) = change.put else { return Ok(Applied::Deleted) };
    let key = match key {
        Some(key) if !update(connection, &key, &text, expires).await? => return Ok(Applied::Missing),
        Some(key) => key,
        None => insert(connection, &text, expires).await?,
    };
    if let Some(replaced) = replaces {
        delete(connection, &replaced).await?;
    }
    Ok(Applied::Put(key))
}

async fn delete(connection: &DatabaseConnection, key: &str) -> Result<(), DbErr> {
    let mut delete = Query::delete();
    delete.from_table(Alias::new(TABLE)).and_where(Expr::col(Alias::new(KEY)).eq(key));
    connection.execute(&delete).await.map(drop)
}

/// Whether the row was there.
async fn update(
    connection: &DatabaseConnection,
    key: &str,
    text: &str,
    expires: DateTime<Utc>,
) -> Result<bool, DbErr> {
    let expires = time_value(expires, connection.get_database_backend());
    let mut update = Query::update();
    update
        .table(Alias::new(TABLE))
        .value(Alias::new(DATA), text)
        .value(Alias::new(EXPIRES), expires)
        .and_where(Expr::col(Alias::new(KEY)).eq(key));
    Ok(connection.execute(&update).await?.rows_affected() > 0)
}

/// With a key that no other has, which is given back.
async fn insert(
    connection: &DatabaseConnection,
    text: &str,
    expires: DateTime<Utc>,
) -> Result<String, DbErr> {
    let expires = time_value(expires, connection.get_database_backend());
    let mut tries = 0;
    loop {
        let key = new_key();
        let mut insert = Query::insert();
        insert.into_table(Alias::new(TABLE)).columns([KEY, DATA, EXPIRES].map(Alias::new)).values_panic([
            key.as_str().into(),
            text.into(),
            expires.clone().into(),
        ]);
        tries += 1;
        match connection.execute(&insert).await {
            Ok(_) => return Ok(key),
            Err(error)
                if tries < NEW_KEYS
                    && matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_))) => {}
            Err(error) => return Err(error),
        }
    }
}
