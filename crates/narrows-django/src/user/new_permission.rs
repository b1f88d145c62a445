//! Rows of permissions (`create_permissions` of `django.contrib.auth.management`).

use std::collections::{BTreeMap, BTreeSet};

use sea_orm::sea_query::{Alias, Expr, OnConflict, Query};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr, QueryResult};

use crate::accounts::Accounts;
use crate::database::DatabaseError;

/// A permission that can be given to users and groups.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct NewPermission {
    /// The app's label: `chat` in `chat.change_room`.
    pub app: String,
    /// The model, in lower case.
    pub model: String,
    /// `change_room`.
    pub codename: String,
    /// `Can change room`.
    pub name: String,
}

impl Accounts {
    /// Makes permissions, and the content types that they belong to, where they are missing; what is there stays as it is.
    /// Several processes may do this at the same time.
    ///
    /// # Errors
    /// When the database is away, or without Django's tables.
    ///
    /// # Cancel safety
    /// Cancel safe: it is done to its end.
    pub async fn add_permissions(&self, permissions: &[NewPermission]) -> Result<(), DatabaseError> {
        let wanted: BTreeSet<NewPermission> = permissions.iter().cloned().collect();
        self.database().run(async move |connection| add(&connection, &wanted).await).await
    }
}

async fn add(connection: &DatabaseConnection, wanted: &BTreeSet<NewPermission>) -> Result<(), DbErr> {
    let mut types = content_types(connection).await?;
    let models: BTreeSet<(String, String)> =
        wanted.iter().map(|one| (one.app.clone(), one.model.clone())).collect();
    let new: Vec<_> = models.into_iter().filter(|model| !types.contains_key(model)).collect();
    if !new.is_empty() {
        let rows = new.into_iter().map(|(app, model)| vec![Expr::val(app), Expr::val(model)]);
        insert(connection, "django_content_type", &["app_label", "model"], rows).await?;
        types = content_types(connection).await?;
    }
    let there = codenames(connection).await?;
    let rows = wanted.iter().filter_map(|one| {
        let id = *types.get(&(one.app.clone(), one.model.clone()))?;
        let is_new = !there.contains(&(id, one.codename.clone()));
        is_new.then(|| vec![Expr::val(id), Expr::val(&one.codename), Expr::val(&one.name)])
    });
    insert(connection, "auth_permission", &["content_type_id", "codename", "name"], rows).await
}

/// Inserts those rows that nobody else inserted just now.
async fn insert(
    connection: &DatabaseConnection,
    table: &'static str,
    columns: &[&'static str],
    rows: impl Iterator<Item = Vec<Expr>>,
) -> Result<(), DbErr> {
    for row in rows {
        let mut insert = Query::insert();
        insert
            .into_table(table)
            .columns(columns.iter().copied())
            .values(row)
            .expect("a value for each column");
        let mut nothing = OnConflict::new();
        match connection.get_database_backend() {
            DbBackend::MySql => nothing.do_nothing_on([columns[0]]),
            _ => nothing.do_nothing(),
        };
        insert.on_conflict(nothing);
        connection.execute(&insert).await?;
    }
    Ok(())
}

async fn content_types(connection: &DatabaseConnection) -> Result<BTreeMap<(String, String), i32>, DbErr> {
    let rows = all(connection, "django_content_type", ["app_label", "model", "id"]).await?;
    let read = |row: &QueryResult| {
        Ok(((row.try_get_by_index(0)?, row.try_get_by_index(1)?), row.try_get_by_index(2)?))
    };
    rows.iter().map(read).collect()
}

async fn codenames(connection: &DatabaseConnection) -> Result<BTreeSet<(i32, String)>, DbErr> {
    let rows = all(connection, "auth_permission", ["content_type_id", "codename"]).await?;
    rows.iter().map(|row| Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?))).collect()
}

async fn all<const N: usize>(
    connection: &DatabaseConnection,
    table: &'static str,
    columns: [&'static str; N],
) -> Result<Vec<QueryResult>, DbErr> {
    let select = Query::select().columns(columns.map(Alias::new)).from(table).to_owned();
    connection.query_all(&select).await
}
