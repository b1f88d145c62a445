//! What is in an SQLite table besides what migrations know, which a rebuild has to keep.

use sea_orm::{DbErr, QueryResult};

use super::error::StepError;
use super::session::Session;
use crate::dialect::Dialect;
use crate::dialect::rebuild::{self, Rebuild};

/// Makes a table anew, or refuses where something would be lost.
pub(super) async fn rebuild(session: &Session, rebuild: &Rebuild) -> Result<(), StepError> {
    let table = &rebuild.name;
    refuse_unknown(session, rebuild).await?;
    let ours = |name: &str| rebuild.before.indexes.iter().any(|index| index.name == name);
    let indexes: Vec<_> = made(session, "index", table)
        .await?
        .into_iter()
        .filter(|(name, _)| !ours(name))
        .map(|(_, sql)| sql)
        .collect();
    let triggers: Vec<_> = made(session, "trigger", table).await?.into_iter().map(|(_, sql)| sql).collect();
    let broken = broken(session).await?;
    for sql in rebuild::statements(rebuild, &[], &[])? {
        session.execute(&sql).await?;
    }
    for sql in indexes.iter().chain(&triggers) {
        session.execute(sql).await.map_err(|error| {
            StepError::Refused(format!(
                "what is in `{table}` and in no migration cannot be made again: {sql}: {error}"
            ))
        })?;
    }
    let mut now = self::broken(session).await?.into_iter();
    match now.find(|(name, _)| broken.iter().all(|(other, _)| other != name)) {
        Some((name, why)) => Err(StepError::Refused(format!("{name} would not work any more: {why}"))),
        None => Ok(()),
    }
}

/// How many rows point at nothing.
pub(super) async fn violations(session: &Session) -> Result<Vec<String>, DbErr> {
    let rows = session.query("SELECT \"table\", rowid, parent FROM pragma_foreign_key_check").await?;
    let of = |row: &QueryResult| {
        let table: String = row.try_get_by_index(0)?;
        let id: Option<i64> = row.try_get_by_index(1)?;
        let parent: String = row.try_get_by_index(2)?;
        let id = id.map_or_else(String::new, |id| format!(" {id}"));
        Ok(format!("row{id} of `{table}` points at no row of `{parent}`"))
    };
    rows.iter().map(of).collect()
}

/// Indexes or triggers that somebody made, with their texts.
async fn made(session: &Session, kind: &str, table: &str) -> Result<Vec<(String, String)>, DbErr> {
    let select = format!(
        "SELECT name, sql FROM sqlite_master WHERE type = '{kind}' AND tbl_name = {} COLLATE NOCASE AND sql IS NOT NULL \
         ORDER BY name",
        text(table)
    );
    let rows = session.query(&select).await?;
    rows.iter().map(|row| Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?))).collect()
}

async fn refuse_unknown(session: &Session, rebuild: &Rebuild) -> Result<(), StepError> {
    let Rebuild { name, before, .. } = rebuild;
    let refuse = |what: String| {
        Err(StepError::Refused(format!("`{name}` would lose {what}, which is in no migration")))
    };
    let names = |sql: String| async move {
        let rows = session.query(&sql).await?;
        rows.iter().map(|row| row.try_get_by_index::<String>(0)).collect::<Result<Vec<_>, _>>()
    };
    let columns = names(format!("SELECT name FROM pragma_table_xinfo({})", text(name))).await?;
    if let Some(more) =
        columns.iter().find(|found| before.columns.iter().all(|column| column.name != **found))
    {
        return refuse(format!("the column `{more}`"));
    }
    let sql = names(format!("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = {}", text(name)))
        .await?;
    if let Some(word) = sql.first().and_then(|sql| unknown_word(sql)) {
        return refuse(format!("what it has with {word}"));
    }
    let list = format!("SELECT name FROM pragma_index_list({}) WHERE origin = 'u'", text(name));
    for unique in names(list).await? {
        let of =
            names(format!("SELECT name FROM pragma_index_info({}) ORDER BY seqno", text(&unique))).await?;
        if !before.indexes.iter().any(|index| index.unique && index.columns == of) {
            return refuse(format!("UNIQUE of {}", of.join(", ")));
        }
    }
    let list = format!(
        "SELECT \"table\" || '|' || group_concat(\"from\", '|') FROM \
         (SELECT * FROM pragma_foreign_key_list({}) ORDER BY id, seq) GROUP BY id",
        text(name)
    );
    let known: Vec<_> = before
        .foreign_keys
        .iter()
        .map(|key| format!("{}|{}", key.to_table, key.columns.join("|")).to_lowercase())
        .collect();
    if let Some(more) = names(list).await?.iter().find(|key| !known.contains(&key.to_lowercase())) {
        return refuse(format!("the foreign key to {}", more.replacen('|', " of ", 1).replace('|', ", ")));
    }
    Ok(())
}

/// Views and triggers that do not work, each with the reason.
async fn broken(session: &Session) -> Result<Vec<(String, String)>, DbErr> {
    let rows = session
        .query("SELECT type, name, tbl_name FROM sqlite_master WHERE type IN ('view', 'trigger')")
        .await?;
    let mut broken = Vec::new();
    for row in rows {
        let (kind, name): (String, String) = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
        let of = quote(&row.try_get_by_index::<String>(2)?);
        // To be compiled, a statement's triggers are compiled too.
        let probes = if kind == "view" {
            vec![format!("EXPLAIN SELECT * FROM {of}")]
        } else {
            let columns = columns(session, &row.try_get_by_index::<String>(2)?).await?;
            let set = columns.iter().map(|column| format!("{0} = {0}", quote(column))).collect::<Vec<_>>();
            vec![
                format!("EXPLAIN INSERT INTO {of} DEFAULT VALUES"),
                format!("EXPLAIN UPDATE {of} SET {}", set.join(", ")),
                format!("EXPLAIN DELETE FROM {of}"),
            ]
        };
        for probe in probes {
            if let Err(error) = session.execute(&probe).await {
                broken.push((format!("the {kind} `{name}`"), error.to_string()));
                break;
            }
        }
    }
    Ok(broken)
}

async fn columns(session: &Session, table: &str) -> Result<Vec<String>, DbErr> {
    let rows = session.query(&format!("SELECT name FROM pragma_table_info({})", text(table))).await?;
    rows.iter().map(|row| row.try_get_by_index(0)).collect()
}

/// A word in the text of a table that no migration writes.
fn unknown_word(sql: &str) -> Option<&'static str> {
    const UNKNOWN: [&str; 7] =
        ["CHECK", "COLLATE", "GENERATED", "STRICT", "WITHOUT", "CONFLICT", "DEFERRABLE"];
    let mut rest = sql;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '\'' | '"' | '`' => quoted(rest, first),
            '[' => rest.find(']').map_or(rest.len(), |end| end + 1),
            '-' if rest.starts_with("--") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => rest.find("*/").map_or(rest.len(), |end| end + 2),
            first if first.is_alphanumeric() || first == '_' => {
                let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
                let word = &rest[..end];
                if let Some(unknown) = UNKNOWN.iter().find(|unknown| unknown.eq_ignore_ascii_case(word)) {
                    return Some(unknown);
                }
                end
            }
            other => other.len_utf8(),
        };
        rest = &rest[length..];
    }
    None
}

/// The length of a quoted name or text; a doubled quote is a part of it, as two of them one after another.
fn quoted(text: &str, quote: char) -> usize {
    text[1..].find(quote).map_or(text.len(), |end| end + 2)
}

fn text(text: &str) -> String {
    Dialect::Sqlite.text(text)
}

fn quote(name: &str) -> String {
    Dialect::Sqlite.quote(name)
}
