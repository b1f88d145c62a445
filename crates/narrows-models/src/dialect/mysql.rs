use super::kinds::{FALSE, TRUE, is_integer, is_number, is_text, misfits, refuse_strange};
use super::{Dialect, DialectError, Statement, check_auto, fill_of, refuse_nulls, refuse_rows};
use crate::migration::Operation;
use crate::schema::{Action, Column, ForeignKey, Index, Kind, Literal, Schema, Table};
use crate::state::{self, StateError};

/// For names and texts, which both write alike.
const DIALECT: Dialect = Dialect::MySql;

pub(super) fn statements(
    dialect: Dialect,
    before: &Schema,
    after: &Schema,
    operation: &Operation,
) -> Result<Vec<Statement>, DialectError> {
    Ok(match operation {
        Operation::CreateTable { name, table } => sql(create_table(dialect, name, table)?),
        Operation::DropTable { name } => sql(format!("DROP TABLE {}", quote(name))),
        Operation::RenameTable { from, to } => sql(format!("RENAME TABLE {} TO {}", quote(from), quote(to))),
        Operation::AddColumn { table, column, fill } => add_column(table, column, fill.as_ref())?,
        Operation::DropColumn { table, name, .. } => drop_column(before, table, name)?,
        Operation::RenameColumn { table, from, to } => {
            sql(format!("ALTER TABLE {} RENAME COLUMN {} TO {}", quote(table), quote(from), quote(to)))
        }
        Operation::AlterColumn { table, column, fill, .. } => {
            alter_column(before, after, table, column, fill.as_ref())?
        }
        Operation::AddIndex { table, index } => add_index(before, after, table, index)?,
        Operation::DropIndex { table, name } => drop_index(state::get(after, table)?, table, name),
        Operation::AddForeignKey { table, key } => sql(add_foreign_key(table, key)?),
        Operation::DropForeignKey { table, name } => drop_foreign_key(before, table, name)?,
        Operation::Sql(_) | Operation::Run(_) => Vec::new(),
    })
}

/// A foreign key whose sides hold different kinds, which this database does not have: it was dropped when the first
/// side changed, and comes back when the other one has.
pub(crate) fn torn(schema: &Schema) -> Option<(&str, &ForeignKey)> {
    let all =
        schema.tables.iter().flat_map(|(name, table)| table.foreign_keys.iter().map(move |key| (name, key)));
    all.map(|(name, key)| (name.as_str(), key)).find(|(table, key)| !is_whole(schema, table, key))
}

pub(super) fn index_columns(table: &Table, index: &Index) -> String {
    let column = |name: &String| {
        let kind = table.columns.iter().find(|column| column.name == *name).map(|column| &column.kind);
        let long = match kind {
            Some(Kind::Text | Kind::Bytes) => true,
            Some(Kind::Varchar(most)) => *most > 768,
            _ => false,
        };
        // Its beginning: more than 3072 bytes are in no index. A unique one has to hold all.
        let part = if long && !index.unique { "(255)" } else { "" };
        format!("{}{part}", quote(name))
    };
    index.columns.iter().map(column).collect::<Vec<_>>().join(", ")
}

pub(crate) fn type_of(kind: &Kind) -> String {
    match kind {
        Kind::Boolean => "tinyint(1)".to_owned(),
        Kind::SmallInteger => "smallint".to_owned(),
        Kind::Integer => "int".to_owned(),
        Kind::BigInteger => "bigint".to_owned(),
        Kind::Float => "float".to_owned(),
        Kind::Double => "double".to_owned(),
        Kind::Decimal(digits, after) => format!("decimal({digits}, {after})"),
        Kind::Varchar(most) => format!("varchar({most})"),
        Kind::Text => "longtext".to_owned(),
        Kind::Bytes => "longblob".to_owned(),
        Kind::Date => "date".to_owned(),
        Kind::Time => "time(6)".to_owned(),
        // Not `timestamp`, which ends in 2038; in UTC.
        Kind::DateTime | Kind::LocalDateTime => "datetime(6)".to_owned(),
        Kind::Uuid => "binary(16)".to_owned(),
        Kind::Json => "json".to_owned(),
    }
}

fn create_table(dialect: Dialect, name: &str, table: &Table) -> Result<String, DialectError> {
    let mut parts = Vec::new();
    for column in &table.columns {
        check_auto(name, table, column)?;
        parts.push(definition(column, column.default.as_ref())?);
    }
    if !table.primary_key.is_empty() {
        parts.push(format!("PRIMARY KEY ({})", DIALECT.quote_all(&table.primary_key)));
    }
    // Within the statement: a table is there with all that belongs to it, or not at all.
    for index in &table.indexes {
        let unique = if index.unique { "UNIQUE " } else { "" };
        parts.push(format!("{unique}INDEX {} ({})", quote(&index.name), index_columns(table, index)));
    }
    for key in &table.foreign_keys {
        parts.push(foreign_key(name, key)?);
    }
    // Bytes are compared, without padding: texts are equal here when they are equal elsewhere.
    let collation = if dialect == Dialect::MariaDb { "utf8mb4_nopad_bin" } else { "utf8mb4_0900_bin" };
    Ok(format!(
        "CREATE TABLE {} ({}) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE={collation}",
        quote(name),
        parts.join(", ")
    ))
}

fn definition(column: &Column, default: Option<&Literal>) -> Result<String, DialectError> {
    let mut sql = format!("{} {}", quote(&column.name), type_of(&column.kind));
    sql.push_str(if column.null { " NULL" } else { " NOT NULL" });
    if column.auto {
        sql.push_str(" AUTO_INCREMENT");
    } else if let Some(default) = default {
        let literal = DIALECT.literal(column, default)?;
        // These take no bare literal.
        let long = matches!(column.kind, Kind::Text | Kind::Bytes | Kind::Json);
        let literal = if long && !literal.starts_with('(') { format!("({literal})") } else { literal };
        sql.push_str(&format!(" DEFAULT {literal}"));
    }
    Ok(sql)
}

fn add_column(table: &str, column: &Column, fill: Option<&Literal>) -> Result<Vec<Statement>, DialectError> {
    let first = fill_of(column, fill);
    let mut all = Vec::new();
    if first.is_none() && !column.null {
        all.push(refuse_rows(DIALECT, table, column));
    }
    all.extend(sql(format!("ALTER TABLE {} ADD COLUMN {}", quote(table), definition(column, first)?)));
    if first != column.default.as_ref() {
        all.extend(sql(modify(table, column)?));
    }
    Ok(all)
}

/// With what is made of it: an index would stay, on the columns that are left.
fn drop_column(before: &Schema, table: &str, name: &str) -> Result<Vec<Statement>, DialectError> {
    let mut now = before.clone();
    let was = state::get(before, table)?;
    let mut all = Vec::new();
    let is = |column: &String| column == name;
    for key in was.foreign_keys.iter().filter(|key| key.columns.iter().any(is)) {
        all.extend(drop_foreign_key(&now, table, &key.name)?);
        state::apply(
            &mut now,
            &Operation::DropForeignKey { table: table.to_owned(), name: key.name.clone() },
        )?;
    }
    for index in was.indexes.iter().filter(|index| index.columns.iter().any(is)) {
        state::apply(&mut now, &Operation::DropIndex { table: table.to_owned(), name: index.name.clone() })?;
        all.extend(drop_index(state::get(&now, table)?, table, &index.name));
    }
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
    check_auto(table, state::get(after, table)?, column)?;
    let mut all: Vec<_> = refuse_nulls(DIALECT, table, was, column, fill).into_iter().collect();
    if was.kind != column.kind {
        all.extend(refuse_strange(DIALECT, table, was, column));
    }
    if let Some(fill) = fill_of(column, fill).filter(|_| was.null && !column.null) {
        all.extend(fill_nulls(table, was, column, fill)?);
    }
    let other_type = type_of(&was.kind) != type_of(&column.kind);
    if other_type {
        for (of, key) in keys_of(before, table, &column.name).filter(|(of, key)| is_whole(before, of, key)) {
            all.extend(sql(format!("ALTER TABLE {} DROP FOREIGN KEY {}", quote(of), quote(&key.name))));
        }
        all.extend(convert(table, was, column)?);
    }
    let (old, new) = (state::get(before, table)?, state::get(after, table)?);
    all.extend(sql(format!("{}{}", modify(table, column)?, reindexed(old, new))));
    if other_type {
        for (of, key) in keys_of(after, table, &column.name).filter(|(of, key)| is_whole(after, of, key)) {
            all.extend(sql(add_foreign_key(of, key)?));
        }
    }
    Ok(all)
}

/// The indexes of which another part of a column is kept, made anew in the same statement.
fn reindexed(before: &Table, after: &Table) -> String {
    let other =
        after.indexes.iter().filter(|index| index_columns(before, index) != index_columns(after, index));
    let anew = other.map(|index| {
        let unique = if index.unique { "UNIQUE " } else { "" };
        let (name, columns) = (quote(&index.name), index_columns(after, index));
        format!(", DROP INDEX {name}, ADD {unique}INDEX {name} ({columns})")
    });
    anew.collect()
}

/// Before the change, so in the kind that is still there; that holds the other one's value, or it could not become it.
fn fill_nulls(
    table: &str,
    was: &Column,
    column: &Column,
    fill: &Literal,
) -> Result<Vec<Statement>, DialectError> {
    let name = quote(&column.name);
    let value = DIALECT.literal(was, fill).or_else(|_| DIALECT.literal(column, fill))?;
    Ok(sql(format!("UPDATE {} SET {name} = {value} WHERE {name} IS NULL", quote(table))))
}

/// What has to be done to the values where the database itself would make something else of them.
fn convert(table: &str, was: &Column, column: &Column) -> Result<Vec<Statement>, DialectError> {
    let (of, name) = (quote(table), quote(&column.name));
    let refuse = |wrong: String| Statement::Refuse {
        query: format!("SELECT 1 FROM {of} WHERE {name} IS NOT NULL AND ({wrong}) LIMIT 1"),
        why: misfits(column),
    };
    let update =
        |value: String| Statement::Sql(format!("UPDATE {of} SET {name} = {value} WHERE {name} IS NOT NULL"));
    let null = if was.null { "NULL" } else { "NOT NULL" };
    let between = |kind: &str| Statement::Sql(format!("ALTER TABLE {of} MODIFY COLUMN {name} {kind} {null}"));
    let text = is_text;
    Ok(match (&was.kind, &column.kind) {
        (from, Kind::Boolean) if text(from) => {
            let plain = format!("LOWER(TRIM({name}))");
            vec![
                refuse(format!("{plain} NOT IN ({TRUE}, {FALSE})")),
                update(format!("IF({plain} IN ({TRUE}), '1', '0')")),
            ]
        }
        (from, Kind::Boolean) if is_number(from) => vec![update(format!("{name} <> 0"))],
        (from, to) if text(from) && is_integer(to) => {
            vec![refuse(format!("TRIM({name}) NOT REGEXP '^[-+]?[0-9]+$'"))]
        }
        (from, Kind::Date | Kind::DateTime | Kind::LocalDateTime) if text(from) => {
            // A bare number is a day to MariaDB.
            vec![refuse(format!("{name} NOT REGEXP '^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}'"))]
        }
        (from, Kind::Time) if text(from) => {
            // So is one of seconds, and there are days of 838 hours.
            let time = "^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]+)?)?$";
            vec![refuse(format!("{name} NOT REGEXP '{time}'"))]
        }
        // A short one would be filled up.
        (Kind::Bytes, Kind::Uuid) => vec![refuse(format!("LENGTH({name}) <> 16"))],
        (from, Kind::Uuid) if text(from) => vec![
            refuse(format!("REPLACE({name}, '-', '') NOT REGEXP '^[0-9a-fA-F]{{32}}$'")),
            between("varbinary(255)"),
            update(format!("UNHEX(REPLACE({name}, '-', ''))")),
        ],
        // None fits; they are not to be changed half-way.
        (Kind::Uuid, Kind::Varchar(..36)) => vec![refuse("TRUE".to_owned())],
        (Kind::Uuid, to) if text(to) => {
            let part = |at: u8, length: u8| format!("SUBSTR(LOWER(HEX({name})), {at}, {length})");
            let parts = [part(1, 8), part(9, 4), part(13, 4), part(17, 4), part(21, 12)];
            vec![between("varbinary(36)"), update(format!("CONCAT_WS('-', {})", parts.join(", ")))]
        }
        _ => Vec::new(),
    })
}

fn add_index(
    before: &Schema,
    after: &Schema,
    table: &str,
    index: &Index,
) -> Result<Vec<Statement>, DialectError> {
    let (was, is) = (state::get(before, table)?, state::get(after, table)?);
    let mut all = sql(DIALECT.create_index(is, table, index));
    // Foreign keys that have lived on an index of their own live on this one.
    let moved =
        is.foreign_keys.iter().filter(|key| !is_covered(was, &key.columns) && is_covered(is, &key.columns));
    all.extend(moved.filter(|key| key.name != index.name).map(|key| drop_own_index(table, &key.name)));
    Ok(all)
}

fn drop_own_index(table: &str, key: &str) -> Statement {
    Statement::If {
        query: index_query(table, key),
        sql: format!("DROP INDEX {} ON {}", quote(key), quote(table)),
    }
}

fn drop_index(after: &Table, table: &str, name: &str) -> Vec<Statement> {
    // A foreign key needs an index of its columns: one that lived on this one gets its own, as if it were new.
    let bare = after.foreign_keys.iter().filter(|key| !is_covered(after, &key.columns));
    let made = bare.map(|key| Statement::If {
        query: format!("SELECT 1 FROM DUAL WHERE NOT EXISTS ({})", index_query(table, &key.name)),
        sql: format!(
            "CREATE INDEX {} ON {} ({})",
            quote(&key.name),
            quote(table),
            DIALECT.quote_all(&key.columns)
        ),
    });
    let mut all: Vec<_> = made.collect();
    all.extend(sql(format!("DROP INDEX {} ON {}", quote(name), quote(table))));
    all
}

/// With the index that the database made for it.
fn drop_foreign_key(before: &Schema, table: &str, name: &str) -> Result<Vec<Statement>, DialectError> {
    let was = state::get(before, table)?;
    let missing = || StateError::NoForeignKey { table: table.to_owned(), name: name.to_owned() };
    let key = was.foreign_keys.iter().find(|key| key.name == name).ok_or_else(missing)?;
    let mut all = Vec::new();
    if is_whole(before, table, key) {
        all.extend(sql(format!("ALTER TABLE {} DROP FOREIGN KEY {}", quote(table), quote(name))));
    }
    let mut others = was.foreign_keys.iter().filter(|other| other.name != name);
    let used =
        others.any(|other| key.columns.starts_with(&other.columns) && !is_covered(was, &other.columns));
    if !used && was.indexes.iter().all(|index| index.name != name) {
        all.push(drop_own_index(table, name));
    }
    Ok(all)
}

/// Whether an index of a migration begins with these columns.
fn is_covered(table: &Table, columns: &[String]) -> bool {
    table.primary_key.starts_with(columns)
        || table.indexes.iter().any(|index| index.columns.starts_with(columns))
}

/// The foreign keys that this column is part of, on either side.
fn keys_of<'a>(
    schema: &'a Schema,
    table: &str,
    column: &str,
) -> impl Iterator<Item = (&'a str, &'a ForeignKey)> {
    let all = schema
        .tables
        .iter()
        .flat_map(|(name, of)| of.foreign_keys.iter().map(move |key| (name.as_str(), key)));
    all.filter(move |(name, key)| {
        let is = |names: &[String]| names.iter().any(|name| name == column);
        (*name == table && is(&key.columns)) || (key.to_table == table && is(&key.to_columns))
    })
}

/// Whether both sides hold the same. What a table of somebody else holds is not known here.
fn is_whole(schema: &Schema, table: &str, key: &ForeignKey) -> bool {
    let kind =
        |table: &str, column: &str| state::column(schema, table, column).ok().map(|column| &column.kind);
    key.columns.iter().zip(&key.to_columns).all(|(from, to)| {
        match (kind(table, from), kind(&key.to_table, to)) {
            (Some(Kind::Varchar(_)), Some(Kind::Varchar(_))) => true,
            (Some(from), Some(to)) => type_of(from) == type_of(to),
            _ => true,
        }
    })
}

fn index_query(table: &str, name: &str) -> String {
    format!(
        "SELECT 1 FROM information_schema.statistics WHERE table_schema = DATABASE() AND table_name = {} \
         AND index_name = {} LIMIT 1",
        DIALECT.text(table),
        DIALECT.text(name)
    )
}

fn modify(table: &str, column: &Column) -> Result<String, DialectError> {
    let definition = definition(column, column.default.as_ref())?;
    Ok(format!("ALTER TABLE {} MODIFY COLUMN {definition}", quote(table)))
}

fn add_foreign_key(table: &str, key: &ForeignKey) -> Result<String, DialectError> {
    Ok(format!("ALTER TABLE {} ADD {}", quote(table), foreign_key(table, key)?))
}

fn foreign_key(table: &str, key: &ForeignKey) -> Result<String, DialectError> {
    if key.on_delete == Action::SetDefault || key.on_update == Action::SetDefault {
        return Err(DialectError::SetDefault { table: table.to_owned(), key: key.name.clone() });
    }
    Ok(DIALECT.foreign_key(key))
}

fn sql(sql: String) -> Vec<Statement> {
    vec![Statement::Sql(sql)]
}

fn quote(name: &str) -> String {
    DIALECT.quote(name)
}
