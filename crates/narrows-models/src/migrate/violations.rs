//! Rows of SQLite that point at nothing: a migration that looked away from foreign keys leaves no more of them.

use std::collections::BTreeMap;

use sea_orm::{DbErr, QueryResult};

use super::session::Session;

/// How many rows of a table point at nothing in another one, and the number of one of them.
#[derive(Debug, Default)]
pub(super) struct Violations {
    rows: BTreeMap<(String, String), (i64, Option<i64>)>,
}

impl Violations {
    /// Counted by the database: there may be many of them.
    pub(super) async fn read(session: &Session) -> Result<Self, DbErr> {
        let count = "SELECT \"table\", parent, count(*), min(rowid) FROM pragma_foreign_key_check \
                     GROUP BY \"table\", parent";
        let of = |row: &QueryResult| {
            let tables = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
            Ok((tables, (row.try_get_by_index(2)?, row.try_get_by_index(3)?)))
        };
        let rows = session.query(count).await?.iter().map(of).collect::<Result<_, DbErr>>()?;
        Ok(Self { rows })
    }

    /// The same, once a table has another name.
    pub(super) fn renamed(self, from: &str, to: &str) -> Self {
        let new = |name: String| if name == from { to.to_owned() } else { name };
        let rows = self.rows.into_iter();
        Self { rows: rows.map(|((table, parent), rows)| ((new(table), new(parent)), rows)).collect() }
    }

    /// What points at nothing now, and did not before.
    pub(super) fn since(&self, before: &Self) -> Option<String> {
        self.rows.iter().find_map(|(tables, (rows, id))| {
            let had = before.rows.get(tables).map_or(0, |(had, _)| *had);
            let (table, parent) = tables;
            match (rows, id) {
                (rows, _) if *rows <= had => None,
                (1, Some(id)) => Some(format!("row {id} of `{table}` points at no row of `{parent}`")),
                _ if had == 0 => Some(format!("{rows} rows of `{table}` point at no row of `{parent}`")),
                _ => Some(format!(
                    "{rows} rows of `{table}` point at no row of `{parent}`, where {had} did before"
                )),
            }
        })
    }
}
