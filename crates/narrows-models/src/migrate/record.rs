//! What the database knows of migrations: which are applied and, where it has no transactions for tables, how far one
//! is that failed.

use std::collections::HashMap;

use sea_orm::{ConnectionTrait, DbErr, Statement as Query};

use super::graph::Names;
use super::session::Session;
use crate::dialect::{Dialect, DialectError, Statement};
use crate::migration::Operation;
use crate::schema::{Column, Kind, Schema, Table};

const TABLE: &str = "narrows_migration";
const PROGRESS: &str = "narrows_migration_progress";

/// How far a migration is that stopped half-way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Progress {
    /// How many of its operations are in effect, of whichever direction.
    pub(super) done: usize,
    /// How many statements of the next one, or on the way back of the last one, are; those that only look do not count.
    pub(super) statements: usize,
    /// Which way that one went.
    pub(super) forwards: bool,
    /// The fingerprint of the operations that are in effect, a part of one too.
    pub(super) operations: String,
    /// Whether the next statement was begun by a process that did not come back to say how it ended.
    pub(super) unsure: bool,
}

/// Whether the tables are there.
pub(super) async fn is_prepared(session: &Session) -> Result<bool, DbErr> {
    let has_progress = session.dialect.has_transactions() || exists(session, PROGRESS).await?;
    Ok(has_progress && exists(session, TABLE).await?)
}

/// Makes the tables where they are missing.
pub(super) async fn prepare(session: &Session) -> Result<(), DbErr> {
    create(
        session,
        TABLE,
        &[("app", Kind::Varchar(255)), ("name", Kind::Varchar(255)), ("applied_at", Kind::DateTime)],
    )
    .await?;
    if !session.dialect.has_transactions() {
        let number = |name| (name, Kind::Integer);
        let names = [("app", Kind::Varchar(255)), ("name", Kind::Varchar(255))];
        let numbers = ["done", "statements", "forwards", "unsure"].map(number);
        let print = [("operations", Kind::Varchar(16))];
        create(session, PROGRESS, &[&names[..], &numbers, &print].concat()).await?;
    }
    Ok(())
}

pub(super) async fn applied(session: &Session) -> Result<Names, DbErr> {
    if !exists(session, TABLE).await? {
        return Ok(Names::new());
    }
    let rows = session.query(&format!("SELECT app, name FROM {TABLE}")).await?;
    rows.iter().map(|row| Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?))).collect()
}

pub(super) async fn progress(session: &Session) -> Result<HashMap<(String, String), Progress>, DbErr> {
    if session.dialect.has_transactions() || !exists(session, PROGRESS).await? {
        return Ok(HashMap::new());
    }
    let select = format!("SELECT app, name, done, statements, forwards, unsure, operations FROM {PROGRESS}");
    let rows = session.query(&select).await?;
    let of = |row: &sea_orm::QueryResult| {
        let number = |at| row.try_get_by_index::<i32>(at).map(|number| usize::try_from(number).unwrap_or(0));
        let progress = Progress {
            done: number(2)?,
            statements: number(3)?,
            forwards: number(4)? == 1,
            unsure: number(5)? == 1,
            operations: row.try_get_by_index(6)?,
        };
        Ok(((row.try_get_by_index(0)?, row.try_get_by_index(1)?), progress))
    };
    rows.iter().map(of).collect()
}

pub(super) async fn add(session: &Session, app: &str, name: &str) -> Result<(), DbErr> {
    let marks = match session.dialect {
        Dialect::Postgres => "$1, $2, $3",
        _ => "?, ?, ?",
    };
    let insert = format!("INSERT INTO {TABLE} (app, name, applied_at) VALUES ({marks})");
    let values = [app.into(), name.into(), chrono::Utc::now().into()];
    let insert = Query::from_sql_and_values(session.dialect.backend(), insert, values);
    session.transaction().execute_raw(insert).await.map(drop)
}

pub(super) async fn remove(session: &Session, app: &str, name: &str) -> Result<(), DbErr> {
    session.execute(&format!("DELETE FROM {TABLE} WHERE {}", which(session, app, name))).await
}

pub(super) async fn save_progress(
    session: &Session,
    app: &str,
    name: &str,
    progress: &Progress,
) -> Result<(), DbErr> {
    let Progress { done, statements, operations, .. } = progress;
    let (app, name) = (session.dialect.text(app), session.dialect.text(name));
    let (forwards, unsure) = (u8::from(progress.forwards), u8::from(progress.unsure));
    let replace = format!(
        "REPLACE INTO {PROGRESS} (app, name, done, statements, forwards, unsure, operations) \
         VALUES ({app}, {name}, {done}, {statements}, {forwards}, {unsure}, '{operations}')"
    );
    session.execute(&replace).await
}

pub(super) async fn clear_progress(session: &Session, app: &str, name: &str) -> Result<(), DbErr> {
    if session.dialect.has_transactions() {
        return Ok(());
    }
    session.execute(&format!("DELETE FROM {PROGRESS} WHERE {}", which(session, app, name))).await
}

/// Whether there is a table of this name.
pub(super) async fn exists(session: &Session, table: &str) -> Result<bool, DbErr> {
    let name = session.dialect.text(table);
    session
        .has_row(&match session.dialect {
            Dialect::Sqlite => format!("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = {name}"),
            // Not `to_regclass`, which goes on to say what was so before we waited for the lock.
            Dialect::Postgres => format!(
                "SELECT 1 FROM pg_catalog.pg_class \
                 WHERE relname = {name} AND relkind IN ('r', 'p') AND pg_catalog.pg_table_is_visible(oid)"
            ),
            _ => format!(
                "SELECT 1 FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = {name}"
            ),
        })
        .await
}

fn which(session: &Session, app: &str, name: &str) -> String {
    format!("app = {} AND name = {}", session.dialect.text(app), session.dialect.text(name))
}

async fn create(session: &Session, name: &str, columns: &[(&str, Kind)]) -> Result<(), DbErr> {
    if exists(session, name).await? {
        return Ok(());
    }
    for statement in
        create_table(session.dialect, name, columns).expect("its names and kinds fit every database")
    {
        if let Statement::Sql(sql) = statement {
            session.execute(&sql).await?;
        }
    }
    Ok(())
}

fn create_table(
    dialect: Dialect,
    name: &str,
    columns: &[(&str, Kind)],
) -> Result<Vec<Statement>, DialectError> {
    let column = |(name, kind): &(&str, Kind)| Column {
        name: (*name).to_owned(),
        kind: kind.clone(),
        null: false,
        default: None,
        auto: false,
    };
    let table = Table {
        columns: columns.iter().map(column).collect(),
        primary_key: vec!["app".to_owned(), "name".to_owned()],
        ..Table::default()
    };
    dialect.statements(&Schema::default(), &Operation::CreateTable { name: name.to_owned(), table })
}
