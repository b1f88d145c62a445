use super::rebuild::{self, Rebuild};
use super::{Dialect, DialectError, Statement, check_auto, fill_of, literal, refuse_rows};
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
        if let Some(wrong) = refused(&was.kind, &column.kind, &name) {
            all.push(Statement::Refuse {
                query: format!(
                    "SELECT 1 FROM {} WHERE {name} IS NOT NULL AND ({wrong}) LIMIT 1",
                    quote(table)
                ),
                why: format!("`{}` of `{table}` has values that are no {:?}", column.name, column.kind),
            });
        }
        value = converted(&was.kind, &column.kind, &name);
    }
    if let Some(fill) = fill_of(column, fill).filter(|_| was.null && !column.null) {
        value = format!("coalesce({value}, {})", DIALECT.literal(column, fill)?);
    }
    all.extend(rebuilt(before, after, table, |of| (of.name == column.name).then(|| value.clone()))?);
    Ok(all)
}

/// Which values are lost on the way from one kind to another: SQLite itself would make 0 of `ten`.
fn refused(from: &Kind, to: &Kind, name: &str) -> Option<String> {
    let text = matches!(from, Kind::Varchar(_) | Kind::Text);
    match to {
        Kind::Varchar(most) => Some(format!("length(CAST({name} AS TEXT)) > {most}")),
        Kind::SmallInteger | Kind::Integer | Kind::BigInteger => {
            let (least, most) = range(to);
            let bounds = format!("CAST({name} AS REAL) < {least} OR CAST({name} AS REAL) > {most}");
            // The greatest whole number has no neighbour among the others.
            let great =
                format!("CAST({name} AS REAL) >= 9223372036854775808.0 AND trim({name}) <> '{}'", i64::MAX);
            let digits = format!("substr(trim({name}), 1 + (substr(trim({name}), 1, 1) IN ('-', '+')))");
            let other = format!("{digits} = '' OR {digits} GLOB '*[^0-9]*'");
            Some(if text {
                format!("{other} OR {great} OR {bounds}")
            } else {
                format!("{great} OR {bounds}")
            })
        }
        // As JSON has them: SQLite would take the beginning of anything.
        Kind::Float | Kind::Double | Kind::Decimal(..) if text => Some(format!(
            "CASE WHEN json_valid(trim({name})) THEN json_type(trim({name})) NOT IN ('integer', 'real') ELSE 1 END"
        )),
        Kind::Boolean if text => Some(format!("lower(trim({name})) NOT IN ({TRUE}, {FALSE})")),
        Kind::Json if text => Some(format!("NOT json_valid({name})")),
        Kind::Date | Kind::DateTime | Kind::LocalDateTime if text => {
            // A bare number is a day to SQLite, and so is the 30th of February.
            let day = format!("substr({name}, 1, 10)");
            Some(format!("julianday({name}) IS NULL OR coalesce(date({day}) <> {day}, 1)"))
        }
        Kind::Time if text => Some(format!("time({name}) IS NULL")),
        Kind::Uuid if text => {
            let digits = format!("replace({name}, '-', '')");
            Some(format!("length({digits}) <> 32 OR {digits} GLOB '*[^0-9a-fA-F]*'"))
        }
        _ => None,
    }
}

const TRUE: &str = "'1', 't', 'true', 'y', 'yes', 'on'";
const FALSE: &str = "'0', 'f', 'false', 'n', 'no', 'off'";
/// The ends of texts of times in UTC.
const UTC: &str = "+00:00";

/// A value of one kind as the other kind has it.
fn converted(from: &Kind, to: &Kind, name: &str) -> String {
    match (from, to) {
        (Kind::Varchar(_) | Kind::Text, Kind::Boolean) => {
            format!("CASE WHEN {name} IS NOT NULL THEN lower(trim({name})) IN ({TRUE}) END")
        }
        (Kind::Varchar(_) | Kind::Text, Kind::Uuid) => format!("unhex(replace({name}, '-', ''))"),
        (Kind::Uuid, Kind::Varchar(_) | Kind::Text) => {
            let part = |at: u8, length: u8| format!("substr(lower(hex({name})), {at}, {length})");
            let parts = [part(1, 8), part(9, 4), part(13, 4), part(17, 4), part(21, 12)];
            format!("CASE WHEN {name} IS NOT NULL THEN {} END", parts.join(" || '-' || "))
        }
        (Kind::DateTime, Kind::LocalDateTime) => format!(
            "CASE WHEN {name} LIKE '%{UTC}' THEN replace(replace({name}, '{UTC}', ''), 'T', ' ') \
             ELSE strftime('%Y-%m-%d %H:%M:%f', {name}) END"
        ),
        (Kind::LocalDateTime, Kind::DateTime) => format!("replace({name}, ' ', 'T') || '{UTC}'"),
        (Kind::Varchar(_) | Kind::Text, Kind::Date) => format!("substr({name}, 1, 10)"),
        (Kind::Varchar(_) | Kind::Text, Kind::DateTime | Kind::LocalDateTime) => {
            format!("CASE length({name}) WHEN 10 THEN {name} || ' 00:00:00' ELSE {name} END")
        }
        (Kind::DateTime | Kind::LocalDateTime, Kind::Date) => format!("date({name})"),
        (Kind::Date, Kind::DateTime) => format!("{name} || 'T00:00:00{UTC}'"),
        (Kind::Date, Kind::LocalDateTime) => format!("{name} || ' 00:00:00'"),
        (_, Kind::Boolean) => format!("{name} <> 0"),
        (
            Kind::Float | Kind::Double | Kind::Decimal(..),
            Kind::SmallInteger | Kind::Integer | Kind::BigInteger,
        ) => {
            format!("CAST(round({name}) AS INTEGER)")
        }
        (_, Kind::SmallInteger | Kind::Integer | Kind::BigInteger) => format!("CAST({name} AS INTEGER)"),
        (_, Kind::Decimal(_, after)) => format!("round({name}, {after})"),
        (_, Kind::Float | Kind::Double) => format!("CAST({name} AS REAL)"),
        (_, Kind::Varchar(_) | Kind::Text) => format!("CAST({name} AS TEXT)"),
        (_, Kind::Bytes) => format!("CAST({name} AS BLOB)"),
        _ => name.to_owned(),
    }
}

fn range(kind: &Kind) -> (i64, i64) {
    match kind {
        Kind::SmallInteger => (i16::MIN.into(), i16::MAX.into()),
        Kind::Integer => (i32::MIN.into(), i32::MAX.into()),
        _ => (i64::MIN, i64::MAX),
    }
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
