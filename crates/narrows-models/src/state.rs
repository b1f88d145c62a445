//! What operations do to a schema, and what takes them back. Without a database.

use crate::migration::{Operation, Run, Sql};
use crate::schema::{Column, ForeignKey, Index, Schema, Table};

/// Why an operation does not fit the schema that it meets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the fields are what the sentence of their variant names")]
pub enum StateError {
    /// It changes a table that is not there.
    #[error("there is no table `{table}`")]
    NoTable { table: String },
    /// It makes a table that is there already.
    #[error("there is a table `{table}` already")]
    TableExists { table: String },
    /// It names a column that is not there.
    #[error("the table `{table}` has no column `{column}`")]
    NoColumn { table: String, column: String },
    /// It makes a column that is there already.
    #[error("the table `{table}` has a column `{column}` already")]
    ColumnExists { table: String, column: String },
    /// A table without a column.
    #[error("the table `{table}` has no column at all")]
    NoColumns { table: String },
    /// It takes a column out of a primary key.
    #[error("the column `{column}` is in the primary key of `{table}`, which no operation changes")]
    InPrimaryKey { table: String, column: String },
    /// It drops an index that is not there.
    #[error("the table `{table}` has no index `{name}`")]
    NoIndex { table: String, name: String },
    /// It makes an index whose name is taken.
    #[error("there is an index `{name}` already, of the table `{table}`")]
    IndexExists { table: String, name: String },
    /// It drops a foreign key that is not there.
    #[error("the table `{table}` has no foreign key `{name}`")]
    NoForeignKey { table: String, name: String },
    /// It makes a foreign key whose name is taken.
    #[error("there is a foreign key `{name}` already, of the table `{table}`")]
    ForeignKeyExists { table: String, name: String },
    /// An index, or one side of a foreign key, without columns, or sides of different lengths.
    #[error("`{name}` of the table `{table}` needs columns, and as many on each side")]
    Columns { table: String, name: String },
    /// A foreign key to what several rows may have alike.
    #[error(
        "the foreign key `{key}` points at {columns} of `{table}`, which are neither its primary key nor unique"
    )]
    NotUnique { table: String, key: String, columns: String },
    /// It drops what a foreign key points at.
    #[error("the foreign key `{key}` of the table `{by}` points at `{table}`: it has to be dropped first")]
    PointedAt { table: String, by: String, key: String },
}

/// Why an operation cannot be taken back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Irreversible {
    /// SQL or code that was not given a way back.
    #[error("{0} has no way back")]
    NoWayBack(&'static str),
    /// It does not fit the schema that it is said to have met.
    #[error(transparent)]
    State(#[from] StateError),
}

/// Does to a schema what the operation does to a database.
///
/// A dropped column takes the indexes and foreign keys of its table with it that it is part of; a new name of a table or
/// column is followed by all that named it.
///
/// ```
/// use narrows_models::migration::Operation;
/// use narrows_models::schema::{Schema, Table};
/// use narrows_models::state;
/// # use narrows_models::schema::{Column, Kind};
/// # let id = Column { name: "id".into(), kind: Kind::BigInteger, null: false, default: None, auto: true };
/// # let table = Table { columns: vec![id], primary_key: vec!["id".into()], ..Table::default() };
///
/// let mut schema = Schema::default();
/// state::apply(&mut schema, &Operation::CreateTable { name: "person".into(), table })?;
/// state::apply(&mut schema, &Operation::RenameTable { from: "person".into(), to: "member".into() })?;
/// assert!(schema.tables.contains_key("member"));
/// # Ok::<(), state::StateError>(())
/// ```
///
/// # Errors
/// When it does not fit, which leaves the schema as it was.
pub fn apply(schema: &mut Schema, operation: &Operation) -> Result<(), StateError> {
    match operation {
        Operation::CreateTable { name, table } => create_table(schema, name, table),
        Operation::DropTable { name } => drop_table(schema, name),
        Operation::RenameTable { from, to } => rename_table(schema, from, to),
        Operation::AddColumn { table, column, .. } => add_column(schema, table, column),
        Operation::DropColumn { table, name, .. } => drop_column(schema, table, name),
        Operation::RenameColumn { table, from, to } => rename_column(schema, table, from, to),
        Operation::AlterColumn { table, column, .. } => {
            let columns = &mut table_mut(schema, table)?.columns;
            let found = columns.iter_mut().find(|found| found.name == column.name);
            *found.ok_or_else(|| no_column(table, &column.name))? = column.clone();
            Ok(())
        }
        Operation::AddIndex { table, index } => {
            check_index(schema, table, get(schema, table)?, index)?;
            table_mut(schema, table)?.indexes.push(index.clone());
            Ok(())
        }
        Operation::DropIndex { table, name } => drop_index(schema, table, name),
        Operation::AddForeignKey { table, key } => {
            check_foreign_key(schema, table, get(schema, table)?, key)?;
            table_mut(schema, table)?.foreign_keys.push(key.clone());
            Ok(())
        }
        Operation::DropForeignKey { table, name } => {
            let keys = &mut table_mut(schema, table)?.foreign_keys;
            let at = keys.iter().position(|key| key.name == *name);
            keys.remove(at.ok_or_else(|| no_foreign_key(table, name))?);
            Ok(())
        }
        Operation::Sql(_) | Operation::Run(_) => Ok(()),
    }
}

impl Operation {
    /// What takes this back, in order, where this is what it meets. A dropped column comes with the indexes and foreign
    /// keys that went with it.
    ///
    /// # Errors
    /// When nothing does, or when it does not fit the schema.
    pub fn reversed(&self, before: &Schema) -> Result<Vec<Operation>, Irreversible> {
        let reversed = match self {
            Self::CreateTable { name, .. } => Self::DropTable { name: name.clone() },
            Self::DropTable { name } => {
                Self::CreateTable { name: name.clone(), table: get(before, name)?.clone() }
            }
            Self::RenameTable { from, to } => Self::RenameTable { from: to.clone(), to: from.clone() },
            Self::AddColumn { table, column, fill } => {
                Self::DropColumn { table: table.clone(), name: column.name.clone(), fill: fill.clone() }
            }
            Self::DropColumn { table, name, fill } => {
                let dropped = column(before, table, name)?.clone();
                let mut all =
                    vec![Self::AddColumn { table: table.clone(), column: dropped, fill: fill.clone() }];
                let was = get(before, table)?;
                let indexes = was.indexes.iter().filter(|index| index.columns.contains(name)).cloned();
                all.extend(indexes.map(|index| Self::AddIndex { table: table.clone(), index }));
                let keys = was.foreign_keys.iter().filter(|key| key.columns.contains(name)).cloned();
                all.extend(keys.map(|key| Self::AddForeignKey { table: table.clone(), key }));
                return Ok(all);
            }
            Self::RenameColumn { table, from, to } => {
                Self::RenameColumn { table: table.clone(), from: to.clone(), to: from.clone() }
            }
            Self::AlterColumn { table, column: altered, fill, undo_fill } => Self::AlterColumn {
                table: table.clone(),
                column: column(before, table, &altered.name)?.clone(),
                fill: undo_fill.clone(),
                undo_fill: fill.clone(),
            },
            Self::AddIndex { table, index } => {
                Self::DropIndex { table: table.clone(), name: index.name.clone() }
            }
            Self::DropIndex { table, name } => {
                let index = get(before, table)?.indexes.iter().find(|index| index.name == *name);
                Self::AddIndex {
                    table: table.clone(),
                    index: index.ok_or_else(|| no_index(table, name))?.clone(),
                }
            }
            Self::AddForeignKey { table, key } => {
                Self::DropForeignKey { table: table.clone(), name: key.name.clone() }
            }
            Self::DropForeignKey { table, name } => {
                let key = get(before, table)?.foreign_keys.iter().find(|key| key.name == *name);
                Self::AddForeignKey {
                    table: table.clone(),
                    key: key.ok_or_else(|| no_foreign_key(table, name))?.clone(),
                }
            }
            Self::Sql(Sql { backwards: None, .. }) => return Err(Irreversible::NoWayBack("SQL")),
            Self::Sql(Sql { forwards, backwards }) => {
                Self::Sql(Sql { forwards: backwards.clone(), backwards: forwards.clone() })
            }
            Self::Run(Run { backwards: None, .. }) => return Err(Irreversible::NoWayBack("code")),
            Self::Run(Run { forwards, backwards }) => {
                Self::Run(Run { forwards: backwards.clone(), backwards: forwards.clone() })
            }
        };
        Ok(vec![reversed])
    }
}

pub(crate) fn get<'a>(schema: &'a Schema, table: &str) -> Result<&'a Table, StateError> {
    schema.tables.get(table).ok_or_else(|| no_table(table))
}

pub(crate) fn column<'a>(schema: &'a Schema, table: &str, name: &str) -> Result<&'a Column, StateError> {
    let found = get(schema, table)?.columns.iter().find(|column| column.name == name);
    found.ok_or_else(|| no_column(table, name))
}

/// The foreign keys that point at this table, its own too, each with the table that it is of.
pub(crate) fn pointing_at<'a>(
    schema: &'a Schema,
    table: &str,
) -> impl Iterator<Item = (&'a str, &'a ForeignKey)> {
    schema.tables.iter().flat_map(move |(name, found)| {
        found.foreign_keys.iter().filter(move |key| key.to_table == table).map(|key| (name.as_str(), key))
    })
}

fn create_table(schema: &mut Schema, name: &str, table: &Table) -> Result<(), StateError> {
    if schema.tables.contains_key(name) {
        return Err(StateError::TableExists { table: name.to_owned() });
    }
    if table.columns.is_empty() {
        return Err(StateError::NoColumns { table: name.to_owned() });
    }
    for (at, column) in table.columns.iter().enumerate() {
        if table.columns[..at].iter().any(|other| other.name == column.name) {
            return Err(StateError::ColumnExists { table: name.to_owned(), column: column.name.clone() });
        }
    }
    has_columns(name, table, &table.primary_key)?;
    for (at, index) in table.indexes.iter().enumerate() {
        check_index(schema, name, table, index)?;
        if table.indexes[..at].iter().any(|other| other.name == index.name) {
            return Err(StateError::IndexExists { table: name.to_owned(), name: index.name.clone() });
        }
    }
    for (at, key) in table.foreign_keys.iter().enumerate() {
        check_foreign_key(schema, name, table, key)?;
        if table.foreign_keys[..at].iter().any(|other| other.name == key.name) {
            return Err(StateError::ForeignKeyExists { table: name.to_owned(), name: key.name.clone() });
        }
    }
    schema.tables.insert(name.to_owned(), table.clone());
    Ok(())
}

fn drop_table(schema: &mut Schema, name: &str) -> Result<(), StateError> {
    get(schema, name)?;
    if let Some((by, key)) = pointing_at(schema, name).find(|(by, _)| *by != name) {
        return Err(pointed_at(name, by, key));
    }
    schema.tables.remove(name);
    Ok(())
}

fn rename_table(schema: &mut Schema, from: &str, to: &str) -> Result<(), StateError> {
    get(schema, from)?;
    if schema.tables.contains_key(to) {
        return Err(StateError::TableExists { table: to.to_owned() });
    }
    let table = schema.tables.remove(from).unwrap_or_default();
    schema.tables.insert(to.to_owned(), table);
    for key in schema.tables.values_mut().flat_map(|table| &mut table.foreign_keys) {
        if key.to_table == from {
            to.clone_into(&mut key.to_table);
        }
    }
    Ok(())
}

fn add_column(schema: &mut Schema, table: &str, column: &Column) -> Result<(), StateError> {
    let columns = &mut table_mut(schema, table)?.columns;
    if columns.iter().any(|found| found.name == column.name) {
        return Err(StateError::ColumnExists { table: table.to_owned(), column: column.name.clone() });
    }
    columns.push(column.clone());
    Ok(())
}

fn drop_column(schema: &mut Schema, table: &str, name: &str) -> Result<(), StateError> {
    column(schema, table, name)?;
    let is = |column: &String| column == name;
    if get(schema, table)?.primary_key.iter().any(is) {
        return Err(StateError::InPrimaryKey { table: table.to_owned(), column: name.to_owned() });
    }
    // One of its own that points with this very column goes with it.
    let stays = |by: &str, key: &ForeignKey| by != table || !key.columns.iter().any(is);
    let mut pointing = pointing_at(schema, table).filter(|(_, key)| key.to_columns.iter().any(is));
    if let Some((by, key)) = pointing.find(|(by, key)| stays(by, key)) {
        return Err(pointed_at(table, by, key));
    }
    drop(pointing);
    let found = table_mut(schema, table)?;
    if found.columns.len() == 1 {
        return Err(StateError::NoColumns { table: table.to_owned() });
    }
    found.columns.retain(|column| column.name != name);
    found.indexes.retain(|index| !index.columns.iter().any(is));
    found.foreign_keys.retain(|key| !key.columns.iter().any(is));
    Ok(())
}

fn rename_column(schema: &mut Schema, table: &str, from: &str, to: &str) -> Result<(), StateError> {
    column(schema, table, from)?;
    if column(schema, table, to).is_ok() {
        return Err(StateError::ColumnExists { table: table.to_owned(), column: to.to_owned() });
    }
    let rename = |name: &mut String| {
        if name == from {
            to.clone_into(name);
        }
    };
    let found = table_mut(schema, table)?;
    found.columns.iter_mut().map(|column| &mut column.name).for_each(rename);
    found.primary_key.iter_mut().for_each(rename);
    found.indexes.iter_mut().flat_map(|index| &mut index.columns).for_each(rename);
    found.foreign_keys.iter_mut().flat_map(|key| &mut key.columns).for_each(rename);
    let keys = schema.tables.values_mut().flat_map(|table| &mut table.foreign_keys);
    keys.filter(|key| key.to_table == table).flat_map(|key| &mut key.to_columns).for_each(rename);
    Ok(())
}

fn check_index(schema: &Schema, name: &str, table: &Table, index: &Index) -> Result<(), StateError> {
    if index.columns.is_empty() {
        return Err(StateError::Columns { table: name.to_owned(), name: index.name.clone() });
    }
    has_columns(name, table, &index.columns)?;
    let mut all =
        schema.tables.iter().flat_map(|(of, table)| table.indexes.iter().map(move |found| (of, found)));
    match all.find(|(_, found)| found.name == index.name) {
        Some((of, _)) => Err(StateError::IndexExists { table: of.clone(), name: index.name.clone() }),
        None => Ok(()),
    }
}

fn check_foreign_key(schema: &Schema, name: &str, table: &Table, key: &ForeignKey) -> Result<(), StateError> {
    if key.columns.is_empty() || key.columns.len() != key.to_columns.len() {
        return Err(StateError::Columns { table: name.to_owned(), name: key.name.clone() });
    }
    has_columns(name, table, &key.columns)?;
    // A table that is not known here is another's, such as Django's.
    let to = if key.to_table == name { Some(table) } else { schema.tables.get(&key.to_table) };
    if let Some(to) = to {
        has_columns(&key.to_table, to, &key.to_columns)?;
        if !is_unique(to, &key.to_columns) {
            return Err(StateError::NotUnique {
                table: key.to_table.clone(),
                key: key.name.clone(),
                columns: key.to_columns.join(", "),
            });
        }
    }
    let mut all =
        schema.tables.iter().flat_map(|(of, table)| table.foreign_keys.iter().map(move |found| (of, found)));
    match all.find(|(_, found)| found.name == key.name) {
        Some((of, _)) => Err(StateError::ForeignKeyExists { table: of.clone(), name: key.name.clone() }),
        None => Ok(()),
    }
}

fn drop_index(schema: &mut Schema, table: &str, name: &str) -> Result<(), StateError> {
    let mut left = get(schema, table)?.clone();
    let at = left.indexes.iter().position(|index| index.name == name);
    left.indexes.remove(at.ok_or_else(|| no_index(table, name))?);
    if let Some((by, key)) = pointing_at(schema, table).find(|(_, key)| !is_unique(&left, &key.to_columns)) {
        return Err(pointed_at(table, by, key));
    }
    schema.tables.insert(table.to_owned(), left);
    Ok(())
}

/// Whether no two rows have the same in these columns, in whatever order.
pub(crate) fn is_unique(table: &Table, columns: &[String]) -> bool {
    let same = |other: &[String]| {
        other.len() == columns.len() && other.iter().all(|column| columns.contains(column))
    };
    same(&table.primary_key) || table.indexes.iter().any(|index| index.unique && same(&index.columns))
}

fn has_columns(name: &str, table: &Table, columns: &[String]) -> Result<(), StateError> {
    let missing = columns.iter().find(|wanted| table.columns.iter().all(|column| column.name != **wanted));
    missing.map_or(Ok(()), |missing| Err(no_column(name, missing)))
}

fn table_mut<'a>(schema: &'a mut Schema, table: &str) -> Result<&'a mut Table, StateError> {
    schema.tables.get_mut(table).ok_or_else(|| no_table(table))
}

fn no_table(table: &str) -> StateError {
    StateError::NoTable { table: table.to_owned() }
}

fn no_column(table: &str, column: &str) -> StateError {
    StateError::NoColumn { table: table.to_owned(), column: column.to_owned() }
}

fn no_index(table: &str, name: &str) -> StateError {
    StateError::NoIndex { table: table.to_owned(), name: name.to_owned() }
}

fn no_foreign_key(table: &str, name: &str) -> StateError {
    StateError::NoForeignKey { table: table.to_owned(), name: name.to_owned() }
}

fn pointed_at(table: &str, by: &str, key: &ForeignKey) -> StateError {
    StateError::PointedAt { table: table.to_owned(), by: by.to_owned(), key: key.name.clone() }
}
