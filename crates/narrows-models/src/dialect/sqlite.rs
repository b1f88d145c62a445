mod values;

use self::values::{converted, refused};
use super::kinds::{misfits, refuse_strange};
use super::rebuild::{self, Rebuild};
use super::{Dialect, DialectError, Statement, check_auto, fill_of, literal, refuse_nulls, refuse_rows};
use crate::migration::Operation;
use crate::schema::{Column, Kind, Literal, Schema, Table};
use crate::state;

const DIALECT: Dialect = Dialect::Sqlite;

pub(super) fn statements(
    before: &Schema,
    after: &Schema,
    operation: &Operation,
) -> Result<Vec<Statement>, DialectError> {
    Ok(match operation {
        Operation::CreateTable { name, table } => {
            let mut sql = vec![Statement::Sql(create_table(name, name, table)?)];
            sql.extend(create_indexes(name, table).into_iter().map(Statement::Sql));
            sql
        }
        Operation::DropTable { name } => sql(format!("DROP TABLE {}", quote(name))),
        Operation::RenameTable { from, to } => {
            sql(format!("ALTER TABLE {} RENAME TO {}", quote(from), quote(to)))
        }
        Operation::AddColumn { table, column, fill } => {
            add_column(before, after, table, column, fill.as_ref())?
        }
        Operation::DropColumn { table, name, .. } => drop_column(before, after, table, name)?,
        Operation::RenameColumn { table, from, to } => {
            sql(format!("ALTER TABLE {} RENAME COLUMN {} TO {}", quote(table), quote(from), quote(to)))
        }
        Operation::AlterColumn { table, column, fill, .. } => {
            alter_column(before, after, table, column, fill.as_ref())?
        }
        Operation::AddIndex { table, index } => {
            sql(DIALECT.create_index(state::get(after, table)?, table, index))
        }
        Operation::DropIndex { name, .. } => sql(format!("DROP INDEX {}", quote(name))),
        Operation::AddForeignKey { table, .. } | Operation::DropForeignKey { table, .. } => {
            rebuilt(before, after, table, |_| None)?
        }
        Operation::Sql(_) | Operation::Run(_) => Vec::new(),
    })
}

pub(super) fn create_table(name: &str, called: &str, table: &Table) -> Result<String, DialectError> {
    let mut parts = Vec::new();
    for column in &table.columns {
        parts.push(definition(column)?);
    }
    if !table.primary_key.is_empty() && table.columns.iter().all(|column| !column.auto) {
        parts.push(format!("PRIMARY KEY ({})", DIALECT.quote_all(&table.primary_key)));
    }
    parts.extend(table.foreign_keys.iter().map(|key| DIALECT.foreign_key(key)));
    table.columns.iter().try_for_each(|column| check_auto(name, table, column))?;
    Ok(format!("CREATE TABLE {} ({})", quote(called), parts.join(", ")))
}

pub(super) fn create_indexes(name: &str, table: &Table) -> Vec<String> {
    table.indexes.iter().map(|index| DIALECT.create_index(table, name, index)).collect()
}

/// Names as SeaORM has them; what counts is which of SQLite's affinities is in the name.
pub(crate) fn type_of(kind: &Kind) -> String {
    match kind {
        Kind::Boolean => "boolean".to_owned(),
        Kind::SmallInteger => "smallint".to_owned(),
        Kind::Integer => "integer".to_owned(),
        Kind::BigInteger => "bigint".to_owned(),
        Kind::Float => "float".to_owned(),
        Kind::Double => "double".to_owned(),
        // SeaORM reads it as a floating point number.
        Kind::Decimal(digits, after) => format!("real({digits}, {after})"),
        Kind::Varchar(most) => format!("varchar({most})"),
        Kind::Text => "text".to_owned(),
        Kind::Bytes => "blob".to_owned(),
        Kind::Date => "date_text".to_owned(),
        Kind::Time => "time_text".to_owned(),
        Kind::DateTime => "timestamp_with_timezone_text".to_owned(),
        Kind::LocalDateTime => "datetime_text".to_owned(),
        Kind::Uuid => "uuid_text".to_owned(),
        Kind::Json => "json_text".to_owned(),
    }
}

fn definition(column: &Column) -> Result<String, DialectError> {
    if column.auto {
        // Word for word: only so it is the row's own number, and none is given twice.
        return Ok(format!("{} integer NOT NULL PRIMARY KEY AUTOINCREMENT", quote(&column.name)));
    }
    let mut sql = format!("{} {}", quote(&column.name), type_of(&column.kind));
    if !column.null {
        sql.push_str(" NOT NULL");
    }
    if let Some(default) = &column.default {
        sql.push_str(&format!(" DEFAULT {}", default_of(column, default)?));
    }
    Ok(sql)
}

fn default_of(column: &Column, default: &Literal) -> Result<String, DialectError> {
    let literal = DIALECT.literal(column, default)?;
    // Anything but a bare literal has to be in parentheses.
    Ok(if literal.starts_with("CAST") { format!("({literal})") } else { literal })
}

fn add_column(
    before: &Schema,
    after: &Schema,
    table: &str,
    column: &Column,
    fill: Option<&Literal>,
) -> Result<Vec<Statement>, DialectError> {
    let constant = column.default.as_ref().is_none_or(literal::is_constant);
    if constant && (column.null || column.default.is_some()) {
        let mut all = sql(format!("ALTER TABLE {} ADD COLUMN {}", quote(table), definition(column)?));
        if let Some(fill) = fill.filter(|fill| column.default.as_ref() != Some(fill)) {
            let value = DIALECT.literal(column, fill)?;
            all.extend(sql(format!("UPDATE {} SET {} = {value}", quote(table), quote(&column.name))));
        }
        return Ok(all);
    }
    let value = match fill_of(column, fill) {
        Some(fill) => DIALECT.literal(column, fill)?,
        None => "NULL".to_owned(),
    };
    let mut all = Vec::new();
    if value == "NULL" && !column.null {
        all.push(refuse_rows(DIALECT, table, column));
    }
    all.extend(rebuilt(before, after, table, |of| (of.name == column.name).then(|| value.clone()))?);
    Ok(all)
}

fn drop_column(
    before: &Schema,
    after: &Schema,
    table: &str,
    name: &str,
) -> Result<Vec<Statement>, DialectError> {
    let was = state::get(before, table)?;
    if was.foreign_keys.iter().any(|key| key.columns.iter().any(|column| column == name)) {
        return rebuilt(before, after, table, |_| None);
    }
    let indexes = was.indexes.iter().filter(|index| index.columns.iter().any(|column| column == name));
    let mut all: Vec<_> =
        indexes.map(|index| Statement::Sql(format!("DROP INDEX {}", quote(&index.name)))).collect();
    all.extend(sql(format!("ALTER TABLE {} DROP COLUMN {}", quote(table), quote(name))));
    Ok(all)
}

fn alter_column(
    before: &Schema,
    after: &Schema,
    table: &str,
    column: &Column,
    fill: Option<&Literal>,
) -> Result<Vec<Statement>, DialectError> {
    let was = state::column(before, table, &column.name)?;
    let name = quote(&column.name);
    let mut all = Vec::new();
    let mut value = name.clone();
    if was.kind != column.kind {
        all.extend(refuse_strange(DIALECT, table, was, column));
        if let Some(wrong) = refused(&was.kind, &column.kind, &name) {
            let query =
                format!("SELECT 1 FROM {} WHERE {name} IS NOT NULL AND ({wrong}) LIMIT 1", quote(table));
            all.push(Statement::Refuse { query, why: misfits(column) });
        }
        value = converted(&was.kind, &column.kind, &name);
    }
    all.extend(refuse_nulls(DIALECT, table, was, column, fill));
    if let Some(fill) = fill_of(column, fill).filter(|_| was.null && !column.null) {
        value = format!("coalesce({value}, {})", DIALECT.literal(column, fill)?);
    }
    all.extend(rebuilt(before, after, table, |of| (of.name == column.name).then(|| value.clone()))?);
    Ok(all)
}

/// A rebuild in which these columns get these expressions, and the others what they had.
fn rebuilt(
    before: &Schema,
    after: &Schema,
    table: &str,
    value: impl Fn(&Column) -> Option<String>,
) -> Result<Vec<Statement>, DialectError> {
    let rebuild = Rebuild {
        name: table.to_owned(),
        before: state::get(before, table)?.clone(),
        after: state::get(after, table)?.clone(),
        values: {
            let columns = &state::get(after, table)?.columns;
            columns.iter().map(|of| (of.name.clone(), value(of).unwrap_or_else(|| quote(&of.name)))).collect()
        },
    };
    // Whatever it cannot write is found before anything is done.
    rebuild::statements(&rebuild, &[], &[])?;
    Ok(vec![Statement::Rebuild(Box::new(rebuild))])
}

fn sql(sql: String) -> Vec<Statement> {
    vec![Statement::Sql(sql)]
}

fn quote(name: &str) -> String {
    DIALECT.quote(name)
}
