//! SQLite's way to change what `ALTER TABLE` does not: a new table, the rows copied, the old one dropped, the new one
//! given its name. <https://sqlite.org/lang_altertable.html#otheralter>

use super::{Dialect, DialectError, sqlite};
use crate::schema::Table;

/// A table that is to be made anew.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Rebuild {
    pub(crate) name: String,
    pub(crate) before: Table,
    pub(crate) after: Table,
    /// Each column of the new table, and what it gets from a row of the old one.
    pub(crate) values: Vec<(String, String)>,
}

/// Its statements, with the texts of the indexes and triggers that are in the database and in no migration.
///
/// They are run without foreign keys enforced, as dropping a table deletes its rows, which others may follow.
pub(crate) fn statements(
    rebuild: &Rebuild,
    indexes: &[String],
    triggers: &[String],
) -> Result<Vec<String>, DialectError> {
    let quote = |name: &str| Dialect::Sqlite.quote(name);
    let text = |text: &str| Dialect::Sqlite.text(text);
    let Rebuild { name, before, after, values } = rebuild;
    let new = format!("narrows_new_{name}");
    let columns: Vec<_> = values.iter().map(|(column, _)| quote(column)).collect();
    let from: Vec<_> = values.iter().map(|(_, value)| value.as_str()).collect();
    let mut all = vec![
        // So that the last rename changes nothing but the name: all that points here goes on to do so.
        "PRAGMA legacy_alter_table = ON".to_owned(),
        sqlite::create_table(name, &new, after)?,
        format!(
            "INSERT INTO {} ({}) SELECT {} FROM {}",
            quote(&new),
            columns.join(", "),
            from.join(", "),
            quote(name)
        ),
    ];
    let is_auto = |table: &Table| table.columns.iter().any(|column| column.auto);
    if is_auto(before) && is_auto(after) {
        // Numbers of rows that are gone are not given again.
        let (new, old) = (text(&new), text(name));
        let had = format!("EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = {old})");
        all.push(format!("DELETE FROM sqlite_sequence WHERE name = {new} AND {had}"));
        all.push(format!(
            "INSERT INTO sqlite_sequence (name, seq) SELECT {new}, seq FROM sqlite_sequence WHERE name = {old}"
        ));
    }
    all.push(format!("DROP TABLE {}", quote(name)));
    all.push(format!("ALTER TABLE {} RENAME TO {}", quote(&new), quote(name)));
    all.push("PRAGMA legacy_alter_table = OFF".to_owned());
    all.extend(sqlite::create_indexes(name, after));
    all.extend(indexes.iter().chain(triggers).cloned());
    Ok(all)
}
