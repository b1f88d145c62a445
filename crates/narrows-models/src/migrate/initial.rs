//! Whether the tables of a first migration are there already.

use super::error::MigrateError;
use super::graph::Graph;
use super::record;
use super::session::Session;
use crate::dialect::Dialect;
use crate::migration::Operation;
use crate::schema::{Kind, Table};

/// Whether all that this migration makes is there; an error where something else is.
pub(super) async fn is_there(session: &Session, graph: &Graph<'_>, at: usize) -> Result<bool, MigrateError> {
    let node = &graph.nodes[at];
    let is_first = graph.of_app(node.app)?.first() == Some(&at);
    let tables: Vec<_> = node.operations().iter().filter_map(made).collect();
    if !is_first || tables.is_empty() {
        return Ok(false);
    }
    let mut missing = Vec::new();
    for (name, _) in &tables {
        if !record::exists(session, name).await? {
            missing.push(*name);
        }
    }
    if missing.len() == tables.len() {
        return Ok(false);
    }
    let differs = |difference| Err(MigrateError::Differs { migration: node.label(), difference });
    if let Some(name) = missing.first() {
        return differs(format!("there is no table `{name}`"));
    }
    for (name, table) in tables {
        if let Some(difference) = difference(session, name, table).await? {
            return differs(difference);
        }
    }
    Ok(true)
}

fn made(operation: &Operation) -> Option<(&str, &Table)> {
    match operation {
        Operation::CreateTable { name, table } => Some((name, table)),
        _ => None,
    }
}

struct Found {
    name: String,
    kind: String,
    null: bool,
}

async fn difference(session: &Session, name: &str, table: &Table) -> Result<Option<String>, MigrateError> {
    let found = columns(session, name).await?;
    for column in &table.columns {
        let Some(is) = found.iter().find(|found| found.name == column.name) else {
            return Ok(Some(format!("`{name}` has no column `{}`", column.name)));
        };
        if !fits(session.dialect, &column.kind, &is.kind) {
            return Ok(Some(format!(
                "`{}` of `{name}` is `{}`, which holds no {}",
                column.name, is.kind, column.kind
            )));
        }
        if is.null != column.null && !table.primary_key.contains(&column.name) {
            let may = if is.null { "may" } else { "may not" };
            return Ok(Some(format!("`{}` of `{name}` {may} hold NULL", column.name)));
        }
    }
    let more = found.iter().find(|found| table.columns.iter().all(|column| column.name != found.name));
    Ok(more.map(|more| format!("`{name}` has a further column `{}`", more.name)))
}

async fn columns(session: &Session, table: &str) -> Result<Vec<Found>, MigrateError> {
    let name = session.dialect.text(table);
    let sql = match session.dialect {
        Dialect::Sqlite => {
            format!("SELECT name, lower(type), CAST(1 - \"notnull\" AS text) FROM pragma_table_info({name})")
        }
        Dialect::Postgres => {
            let quoted = session.dialect.text(&session.dialect.quote(table));
            format!(
                "SELECT attname::text, format_type(atttypid, atttypmod), CASE WHEN attnotnull THEN '0' ELSE '1' END \
                 FROM pg_attribute WHERE attrelid = to_regclass({quoted}) AND attnum > 0 AND NOT attisdropped"
            )
        }
        _ => format!(
            "SELECT column_name, LOWER(CONVERT(column_type USING utf8mb4)), IF(is_nullable = 'YES', '1', '0') \
             FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = {name}"
        ),
    };
    let rows = session.query(&sql).await?;
    let of = |row: &sea_orm::QueryResult| {
        let null: String = row.try_get_by_index(2)?;
        Ok(Found { name: row.try_get_by_index(0)?, kind: row.try_get_by_index(1)?, null: null == "1" })
    };
    rows.iter().map(of).collect::<Result<_, sea_orm::DbErr>>().map_err(MigrateError::from)
}

/// Whether a column of this type, as the database calls it, is read and written like one of ours. Lengths may differ.
fn fits(dialect: Dialect, kind: &Kind, found: &str) -> bool {
    let has = |parts: &[&str]| parts.iter().any(|part| found.contains(part));
    let is_text = has(&["char", "text", "clob"]) && !has(&["uuid", "json", "date", "time"]);
    match kind {
        Kind::Boolean => has(&["bool", "tinyint"]),
        Kind::SmallInteger | Kind::Integer | Kind::BigInteger => {
            has(&["int", "serial"]) && !has(&["interval"])
        }
        Kind::Float | Kind::Double => has(&["real", "float", "double"]),
        Kind::Decimal(..) => has(&["real", "decimal", "numeric"]),
        Kind::Varchar(_) | Kind::Text => is_text || has(&["enum"]),
        Kind::Bytes => has(&["blob", "binary", "bytea"]),
        Kind::Date => has(&["date"]) && !has(&["datetime"]),
        Kind::Time => has(&["time"]) && !has(&["timestamp", "datetime"]),
        Kind::DateTime if dialect == Dialect::Postgres => {
            found.starts_with("timestamp") && has(&["with time zone"])
        }
        Kind::LocalDateTime if dialect == Dialect::Postgres => {
            found.starts_with("timestamp") && !has(&["with time zone"])
        }
        Kind::DateTime | Kind::LocalDateTime => has(&["timestamp", "datetime"]),
        Kind::Uuid => has(&["uuid", "binary(16)", "blob"]),
        Kind::Json => has(&["json"]) || (dialect != Dialect::Postgres && has(&["text"])),
    }
}
