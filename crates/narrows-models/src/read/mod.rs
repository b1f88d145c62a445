//! Entities, read into tables.

mod keys;
mod kind;
mod literal;
pub(crate) mod names;

use std::collections::BTreeMap;

use sea_orm::{
    ColumnTrait, DbBackend, EntityTrait, IdenStatic, Iterable, PrimaryKeyToColumn, PrimaryKeyTrait,
};

use crate::schema::{Column, Index, Kind, Table};

/// Why an entity has no table that every database can have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// A column has a type that not all databases have.
    #[error("`{column}` of `{entity}` has the type {found}, which not every database has: use {instead}")]
    Kind {
        /// The entity.
        entity: &'static str,
        /// The column.
        column: String,
        /// Its type.
        found: String,
        /// What to use.
        instead: String,
    },
    /// A default is not a value that all databases can write.
    #[error("the default of `{column}` of `{entity}`, {found}, is no {wanted}{instead}")]
    Default {
        /// The entity.
        entity: &'static str,
        /// The column.
        column: String,
        /// The default.
        found: String,
        /// What the column holds.
        wanted: String,
        /// What to do.
        instead: &'static str,
    },
    /// A name is not for every database.
    #[error("the name {name:?} in `{entity}` {why}: give it another one")]
    Name {
        /// The entity.
        entity: &'static str,
        /// The table or column.
        name: String,
        /// Why.
        why: &'static str,
    },
    /// Two names are one for SQLite and MySQL.
    #[error(
        "`{one}` and `{other}` in `{entity}` differ by case alone, which not every database sees: rename one"
    )]
    Case {
        /// The entity.
        entity: &'static str,
        /// A table or column.
        one: String,
        /// Another.
        other: String,
    },
    /// A table is not in the connection's own schema.
    #[error(
        "`{entity}` has or points at `schema_name = \"{schema}\"`, and not every database has schemas: leave it out, \
             and name the schema in the URL of the database"
    )]
    SchemaName {
        /// The entity.
        entity: &'static str,
        /// The schema.
        schema: String,
    },
    /// An index is of a table that is not among the models.
    #[error(
        "`Models::index` names the table `{table}`, whose entity is not among the models: add it by `.entity(…)`"
    )]
    IndexOf {
        /// The table.
        table: String,
    },
    /// Two entities have one table.
    #[error(
        "`{entity}` has the table `{table}`, and so has another entity: give one of them another `table_name`"
    )]
    Twice {
        /// The later one.
        entity: &'static str,
        /// Their table.
        table: String,
    },
}

/// What was found of an entity.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) entity: &'static str,
    pub(crate) name: String,
    pub(crate) table: Table,
    /// Columns that had another name: before, now.
    pub(crate) renamed: Vec<(String, String)>,
    /// What a migration cannot say of a column.
    pub(crate) notes: Vec<(String, String)>,
}

impl Found {
    /// A table that no entity has.
    pub(crate) fn table(name: &str, table: &Table) -> Result<Self, ModelError> {
        let entity = "Models::table";
        let names = table.columns.iter().map(|column| &column.name);
        let names = names.chain(table.indexes.iter().map(|index| &index.name));
        let names = names.chain(table.foreign_keys.iter().map(|key| &key.name));
        for name in names.map(String::as_str).chain([name]) {
            names::check(entity, name)?;
        }
        names::check_case(entity, table.columns.iter().map(|column| column.name.as_str()))?;
        for column in &table.columns {
            if let Kind::Decimal(digits, after) = column.kind {
                kind::decimal(entity, &column.name, digits, after)?;
            }
        }
        let (renamed, notes) = (Vec::new(), Vec::new());
        Ok(Self { entity, name: name.to_owned(), table: table.clone(), renamed, notes })
    }
}

/// Reads an entity's whole metadata.
pub(crate) fn entity<E: EntityTrait>() -> Result<Found, ModelError> {
    let entity = std::any::type_name::<E>();
    let it = E::default();
    if let Some(schema) = it.schema_name() {
        return Err(ModelError::SchemaName { entity, schema: schema.to_owned() });
    }
    let name = it.table_name().to_owned();
    names::check(entity, &name)?;
    let primary_key: Vec<String> =
        E::PrimaryKey::iter().map(|key| key.into_column().as_str().to_owned()).collect();
    let mut found = Found { entity, name, table: Table::default(), renamed: Vec::new(), notes: Vec::new() };
    for column in E::Column::iter() {
        read_column::<E>(column, &primary_key, &mut found)?;
    }
    names::check_case(entity, found.table.columns.iter().map(|column| column.name.as_str()))?;
    found.table.indexes = indexes::<E>(&found.name, &primary_key);
    found.table.primary_key = primary_key;
    found.table.foreign_keys = keys::read::<E>(entity, &found.name)?;
    Ok(found)
}

fn read_column<E: EntityTrait>(
    column: E::Column,
    primary_key: &[String],
    found: &mut Found,
) -> Result<(), ModelError> {
    let name = column.as_str().to_owned();
    names::check(found.entity, &name)?;
    let def = column.def();
    let kind::Read { kind, note } = kind::read(found.entity, &name, def.get_column_type())?;
    found.notes.extend(note.map(|note| (name.clone(), note)));
    let default = match def.get_column_default() {
        Some(default) => literal::read(found.entity, &name, default, &kind)?,
        None => None,
    };
    let in_key = primary_key.contains(&name);
    let whole = matches!(kind, Kind::SmallInteger | Kind::Integer | Kind::BigInteger);
    let auto =
        in_key && primary_key.len() == 1 && whole && E::PrimaryKey::auto_increment() && default.is_none();
    // SeaORM tells these by what it would give a database.
    let shown = sea_orm::Schema::new(DbBackend::Sqlite).get_column_def::<E>(column);
    let spec = shown.get_column_spec();
    if let Some(before) = spec.comment.as_deref().and_then(renamed_from) {
        found.renamed.push((before.to_owned(), name.clone()));
    }
    if let Some(extra) = &spec.extra {
        let note =
            format!("`extra = {extra:?}` is not in the migration: add it by `.sql(…)`, where it matters");
        found.notes.push((name.clone(), note));
    }
    found.table.columns.push(Column { null: def.is_null() && !in_key, name, kind, default, auto });
    Ok(())
}

/// SeaORM adds `renamed_from "old"` to the comment.
fn renamed_from(comment: &str) -> Option<&str> {
    let (before, rest) = comment.rsplit_once("renamed_from \"")?;
    (before.is_empty() || before.ends_with("; ")).then_some(rest)?.strip_suffix('"')
}

/// The unique columns, the groups of `unique_key`, and the indexed columns: each set of columns once.
fn indexes<E: EntityTrait>(table: &str, primary_key: &[String]) -> Vec<Index> {
    let mut all: BTreeMap<(bool, Vec<String>), Index> = BTreeMap::new();
    let mut add = |columns: Vec<String>, unique: bool| {
        // A primary key is unique and indexed as it is.
        if columns != primary_key {
            let index =
                Index { name: names::index(table, &columns, unique), columns: columns.clone(), unique };
            all.insert((!unique, columns), index);
        }
    };
    for column in E::Column::iter().filter(|column| column.def().is_unique()) {
        add(vec![column.as_str().to_owned()], true);
    }
    for index in sea_orm::Schema::new(DbBackend::Sqlite).create_index_from_entity(E::default()) {
        add(index.get_index_spec().get_column_names(), index.is_unique_key());
    }
    all.into_values().collect()
}
