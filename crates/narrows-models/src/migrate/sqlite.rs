//! What is in an SQLite table besides what migrations know, which a rebuild has to keep.

use sea_orm::DbErr;

use super::error::StepError;
use super::session::Session;
use crate::dialect::rebuild::{self, Rebuild};
use crate::dialect::{Dialect, action_sql};
use crate::schema::{Action, ForeignKey};

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
    with_views(session, async {
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
        Ok(())
    })
    .await
}

/// Views and triggers have to work afterwards as before: SQLite says nothing of them, but alters no table any more while
/// there is one that does not.
pub(super) async fn with_views(
    session: &Session,
    change: impl Future<Output = Result<(), StepError>>,
) -> Result<(), StepError> {
    let broken = broken(session).await?;
    change.await?;
    let mut now = self::broken(session).await?.into_iter();
    match now.find(|(name, _)| broken.iter().all(|(other, _)| other != name)) {
        Some((name, why)) => Err(StepError::Refused(format!("{name} would not work any more: {why}"))),
        None => Ok(()),
    }
}

/// Whether this statement of ours takes a table from the views that name it.
pub(super) fn drops_table(session: &Session, sql: &str) -> bool {
    session.dialect == Dialect::Sqlite && sql.starts_with("DROP TABLE")
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
    let of_columns =
        |what: &str| names(format!("SELECT name FROM pragma_table_xinfo({}) WHERE {what}", text(name)));
    if let Some(computed) = of_columns("hidden > 1").await?.first() {
        return refuse(format!("what `{computed}` is computed from"));
    }
    let no_default = |found: &&String| {
        before.columns.iter().any(|column| column.name == **found && column.default.is_none())
    };
    let with_default = of_columns("dflt_value IS NOT NULL AND upper(dflt_value) <> 'NULL'").await?;
    if let Some(column) = with_default.iter().find(no_default) {
        return refuse(format!("the default of `{column}`"));
    }
    let key = of_columns("pk > 0 ORDER BY pk").await?;
    if key != before.primary_key {
        return refuse(format!("the primary key of {}", key.join(", ")));
    }
    let sql = names(format!("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = {}", text(name)))
        .await?;
    let numbered = before.columns.iter().any(|column| column.auto);
    if let Some(word) = sql.first().and_then(|sql| unknown_word(sql, numbered)) {
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
        "SELECT \"table\" || '|' || group_concat(\"from\", '|'), max(on_delete), max(on_update) FROM \
         (SELECT * FROM pragma_foreign_key_list({}) ORDER BY id, seq) GROUP BY id",
        text(name)
    );
    for row in session.query(&list).await? {
        let key: String = row.try_get_by_index(0)?;
        let found: [String; 2] = [row.try_get_by_index(1)?, row.try_get_by_index(2)?];
        let mut alike = before.foreign_keys.iter().filter(|known| is_key(known, &key)).peekable();
        let what = format!("the foreign key to {}", key.replacen('|', " of ", 1).replace('|', ", "));
        if alike.peek().is_none() {
            return refuse(what);
        }
        if !alike
            .any(|known| [known.on_delete, known.on_update].map(does) == found.each_ref().map(|f| plain(f)))
        {
            let [delete, update] = found;
            return refuse(format!("ON DELETE {delete} ON UPDATE {update} of {what}"));
        }
    }
    Ok(())
}

/// Whether this is the table that a foreign key points at, and its columns that do.
fn is_key(known: &ForeignKey, found: &str) -> bool {
    format!("{}|{}", known.to_table, known.columns.join("|")).to_lowercase() == found.to_lowercase()
}

fn does(action: Action) -> &'static str {
    plain(action_sql(action))
}

/// One name for what is refused, whether at once or at the end.
fn plain(action: &str) -> &str {
    if action == "RESTRICT" { "NO ACTION" } else { action }
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
fn unknown_word(sql: &str, numbered: bool) -> Option<&'static str> {
    const UNKNOWN: [&str; 7] =
        ["CHECK", "COLLATE", "STRICT", "WITHOUT", "CONFLICT", "DEFERRABLE", "AUTOINCREMENT"];
    let unknown = &UNKNOWN[..UNKNOWN.len() - usize::from(numbered)];
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
                if let Some(unknown) = unknown.iter().find(|unknown| unknown.eq_ignore_ascii_case(word)) {
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
