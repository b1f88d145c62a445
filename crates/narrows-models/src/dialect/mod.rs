//! The statements of each operation, for each database.

mod kinds;
mod literal;
mod mysql;
mod postgres;
pub(crate) mod rebuild;
mod sqlite;

use sea_orm::DbBackend;

pub(crate) use self::mysql::torn;
use self::rebuild::Rebuild;
use crate::migration::{Operation, SqlText};
use crate::schema::{Action, Column, ForeignKey, Index, Literal, Schema, Table};
use crate::state::{self, StateError};

/// A database, as far as its statements differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    Sqlite,
    Postgres,
    MySql,
    MariaDb,
}

/// One step of an operation.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Statement {
    /// Is run as it is.
    Sql(String),
    /// Is run where the query finds a row.
    If { query: String, sql: String },
    /// Where the query finds a row, the operation is refused.
    Refuse { query: String, why: String },
    /// SQLite's way to change what `ALTER TABLE` does not.
    Rebuild(Box<Rebuild>),
}

/// Why there are no statements for an operation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DialectError {
    #[error(transparent)]
    State(#[from] StateError),
    #[error("the value {value} is none of the column `{column}`, which holds {kind}")]
    Literal { column: String, kind: String, value: String },
    #[error("the name `{name}` is too long for this database: it takes {most} {unit}")]
    Name { name: String, most: usize, unit: &'static str },
    #[error("the foreign key `{key}` of `{table}` points at its default, which InnoDB does not know")]
    SetDefault { table: String, key: String },
    #[error("a name has a NUL in it")]
    Nul,
    #[error(
        "the column `{column}` of `{table}` is numbered by the database, so it has to be the whole primary key, of whole numbers"
    )]
    Auto { table: String, column: String },
}

impl Dialect {
    pub(crate) fn backend(self) -> DbBackend {
        match self {
            Self::Sqlite => DbBackend::Sqlite,
            Self::Postgres => DbBackend::Postgres,
            Self::MySql | Self::MariaDb => DbBackend::MySql,
        }
    }

    /// Whether a change of a table can be rolled back.
    pub(crate) fn has_transactions(self) -> bool {
        matches!(self, Self::Sqlite | Self::Postgres)
    }

    /// The steps of an operation that meets this schema, which is that of all apps. Code has none.
    pub(crate) fn statements(
        self,
        before: &Schema,
        operation: &Operation,
    ) -> Result<Vec<Statement>, DialectError> {
        let mut after = before.clone();
        state::apply(&mut after, operation)?;
        self.check(operation)?;
        match self {
            Self::Sqlite => sqlite::statements(before, &after, operation),
            Self::Postgres => postgres::statements(before, &after, operation),
            Self::MySql | Self::MariaDb => mysql::statements(self, before, &after, operation),
        }
    }

    pub(crate) fn quote(self, name: &str) -> String {
        match self {
            Self::Sqlite | Self::Postgres => format!("\"{}\"", name.replace('"', "\"\"")),
            Self::MySql | Self::MariaDb => format!("`{}`", name.replace('`', "``")),
        }
    }

    pub(crate) fn quote_all(self, names: &[String]) -> String {
        names.iter().map(|name| self.quote(name)).collect::<Vec<_>>().join(", ")
    }

    /// A text as a literal. MySQL's connection is set to take `\` as an escape.
    pub(crate) fn text(self, text: &str) -> String {
        literal::text(self, text)
    }

    /// A value as the column holds it.
    fn literal(self, column: &Column, value: &Literal) -> Result<String, DialectError> {
        literal::literal(self, &column.kind, value).ok_or_else(|| DialectError::Literal {
            column: column.name.clone(),
            kind: column.kind.to_string(),
            value: format!("{value:?}"),
        })
    }

    fn create_index(self, table: &Table, name: &str, index: &Index) -> String {
        let unique = if index.unique { "UNIQUE " } else { "" };
        let columns = match self {
            Self::MySql | Self::MariaDb => mysql::index_columns(table, index),
            _ => self.quote_all(&index.columns),
        };
        format!("CREATE {unique}INDEX {} ON {} ({columns})", self.quote(&index.name), self.quote(name))
    }

    fn foreign_key(self, key: &ForeignKey) -> String {
        let mut sql = format!(
            "CONSTRAINT {} FOREIGN KEY ({}) REFERENCES {} ({})",
            self.quote(&key.name),
            self.quote_all(&key.columns),
            self.quote(&key.to_table),
            self.quote_all(&key.to_columns)
        );
        for (when, action) in [("DELETE", key.on_delete), ("UPDATE", key.on_update)] {
            // What every database does where nothing is said.
            if action != Action::NoAction {
                sql.push_str(&format!(" ON {when} {}", action_sql(action)));
            }
        }
        sql
    }

    fn check(self, operation: &Operation) -> Result<(), DialectError> {
        let mut names: Vec<&str> = Vec::new();
        match operation {
            Operation::CreateTable { name, table } => {
                names.push(name);
                names.extend(table.columns.iter().map(|column| column.name.as_str()));
                names.extend(table.indexes.iter().map(|index| index.name.as_str()));
                names.extend(table.foreign_keys.iter().map(|key| key.name.as_str()));
                table.columns.iter().try_for_each(|column| check_auto(name, table, column))?;
            }
            Operation::RenameTable { to, .. } | Operation::RenameColumn { to, .. } => names.push(to),
            Operation::AddColumn { table, column, .. } => {
                names.push(&column.name);
                if column.auto {
                    return Err(DialectError::Auto { table: table.clone(), column: column.name.clone() });
                }
            }
            Operation::AddIndex { index, .. } => names.push(&index.name),
            Operation::AddForeignKey { key, .. } => names.push(&key.name),
            _ => {}
        }
        names.into_iter().try_for_each(|name| self.check_name(name))
    }

    fn check_name(self, name: &str) -> Result<(), DialectError> {
        if name.contains('\0') {
            return Err(DialectError::Nul);
        }
        let (is, most, unit) = match self {
            Self::Sqlite => return Ok(()),
            // It would cut it off, without an error.
            Self::Postgres => (name.len(), 63, "bytes"),
            Self::MySql | Self::MariaDb => (name.chars().count(), 64, "characters"),
        };
        if is <= most { Ok(()) } else { Err(DialectError::Name { name: name.to_owned(), most, unit }) }
    }
}

impl SqlText {
    pub(crate) fn of(&self, dialect: Dialect) -> &str {
        match (self, dialect) {
            (Self::Any(sql), _)
            | (Self::Each { sqlite: sql, .. }, Dialect::Sqlite)
            | (Self::Each { postgres: sql, .. }, Dialect::Postgres)
            | (Self::Each { mysql: sql, .. }, Dialect::MySql | Dialect::MariaDb) => sql,
        }
    }
}

/// What fills a new column, or the place of NULLs.
fn fill_of<'a>(column: &'a Column, fill: Option<&'a Literal>) -> Option<&'a Literal> {
    fill.or(column.default.as_ref())
}

/// Refuses where the table has rows: MySQL would make something up for them.
fn refuse_rows(dialect: Dialect, table: &str, column: &Column) -> Statement {
    Statement::Refuse {
        query: format!("SELECT 1 FROM {} LIMIT 1", dialect.quote(table)),
        why: format!(
            "`{table}` has rows, and the new column `{}` holds no NULL and has neither a default nor a value for them",
            column.name
        ),
    }
}

/// Refuses where a column may hold no NULL any more and does, and nothing is said of what takes its place.
fn refuse_nulls(
    dialect: Dialect,
    table: &str,
    was: &Column,
    column: &Column,
    fill: Option<&Literal>,
) -> Option<Statement> {
    let left = was.null && !column.null && fill_of(column, fill).is_none();
    let (table, name) = (dialect.quote(table), dialect.quote(&column.name));
    left.then(|| Statement::Refuse {
        query: format!("SELECT 1 FROM {table} WHERE {name} IS NULL LIMIT 1"),
        why: format!(
            "`{}` is NULL in some rows, and has neither a default nor a value for them",
            column.name
        ),
    })
}

fn check_auto(name: &str, table: &Table, column: &Column) -> Result<(), DialectError> {
    let fits = table.primary_key == [column.name.clone()] && kinds::is_integer(&column.kind);
    if column.auto && !fits {
        return Err(DialectError::Auto { table: name.to_owned(), column: column.name.clone() });
    }
    Ok(())
}

pub(crate) fn action_sql(action: Action) -> &'static str {
    match action {
        Action::Restrict => "RESTRICT",
        Action::Cascade => "CASCADE",
        Action::SetNull => "SET NULL",
        Action::SetDefault => "SET DEFAULT",
        Action::NoAction => "NO ACTION",
    }
}
