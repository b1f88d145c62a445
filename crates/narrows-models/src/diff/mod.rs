//! The steps from one schema to the next, in an order that every database can take.

mod keys;
mod renames;
mod tables;

use crate::migration::Operation;
use crate::question::{Questions, Unanswered};
use crate::schema::Schema;
use crate::state::{self, StateError};

/// Why there are no steps from one schema to the next.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DiffError {
    /// A question was not answered.
    #[error(transparent)]
    Unanswered(#[from] Unanswered),
    /// A primary key changed.
    #[error("the primary key of `{table}` was ({}) and is now ({}), which no step can change with rows present: make \
             a table of another name and take the rows over by `.sql(…)`", before.join(", "), now.join(", "))]
    PrimaryKey {
        /// The table.
        table: String,
        /// Its columns before.
        before: Vec<String>,
        /// Its columns now.
        now: Vec<String>,
    },
    /// A primary key became one that the database numbers, or is none any more.
    #[error("`{column}` of `{table}` {}, which no step can change with rows present: make a table of another name \
             and take the rows over by `.sql(…)`", if *auto { "is now numbered by the database" } else { "is no longer numbered by the database" })]
    Auto {
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// Whether it is numbered now.
        auto: bool,
    },
    /// The schemas do not hold together.
    #[error("the models do not hold together")]
    State(#[from] StateError),
}

/// The steps that make `new` of `old`. `renamed` are columns that had another name: table, the name before, the name now.
///
/// The order of columns in a table does not matter: a new one comes last.
///
/// ```
/// use narrows_models::diff;
/// use narrows_models::migration::{Column, Operation, Table};
/// use narrows_models::question::Questions;
/// use narrows_models::schema::Schema;
///
/// let mut old = Schema::default();
/// old.tables.insert("person".into(), Table::new().column(Column::integer("id").auto()).primary_key(["id"]));
/// let mut new = old.clone();
/// new.tables.get_mut("person").unwrap().columns.push(Column::text("note").null());
///
/// let steps = diff::steps(&old, &new, &[], &mut Questions::new())?;
/// assert!(matches!(&steps[..], [Operation::AddColumn { column, .. }] if column.name == "note"));
/// # Ok::<(), diff::DiffError>(())
/// ```
///
/// # Errors
/// When a question was not answered, a primary key changed, or the schemas do not hold together.
pub fn steps(
    old: &Schema,
    new: &Schema,
    renamed: &[(String, String, String)],
    questions: &mut Questions<'_>,
) -> Result<Vec<Operation>, DiffError> {
    let mut steps = Steps { state: old.clone(), new, done: Vec::new() };
    renames::tables(&mut steps, questions)?;
    renames::columns(&mut steps, renamed, questions)?;
    tables::check_primary_keys(&steps)?;
    let deferred = keys::drop_unfitting(&mut steps)?;
    // A table that goes may point at columns that an index makes unique.
    tables::drop_tables(&mut steps)?;
    tables::drop_indexes(&mut steps)?;
    tables::create_tables(&mut steps, &deferred)?;
    tables::change_columns(&mut steps, questions)?;
    tables::add_indexes(&mut steps)?;
    keys::add_missing(&mut steps)?;
    Ok(steps.done)
}

/// Whether two schemas are the same but for the order of columns, indexes and foreign keys.
pub fn alike(one: &Schema, other: &Schema) -> bool {
    sorted(one) == sorted(other)
}

pub(crate) fn sorted(schema: &Schema) -> Schema {
    let mut schema = schema.clone();
    for table in schema.tables.values_mut() {
        table.columns.sort_by(|one, other| one.name.cmp(&other.name));
        table.indexes.sort_by(|one, other| one.name.cmp(&other.name));
        table.foreign_keys.sort_by(|one, other| one.name.cmp(&other.name));
    }
    schema
}

/// The way so far, and where it goes.
#[derive(Debug)]
struct Steps<'a> {
    /// What the steps make of the old schema.
    state: Schema,
    new: &'a Schema,
    done: Vec<Operation>,
}

impl Steps<'_> {
    fn push(&mut self, operation: Operation) -> Result<(), StateError> {
        state::apply(&mut self.state, &operation)?;
        self.done.push(operation);
        Ok(())
    }

    /// The tables that there were and still are, by their names of now.
    fn kept(&self) -> Vec<String> {
        self.new.tables.keys().filter(|name| self.state.tables.contains_key(*name)).cloned().collect()
    }

    /// The tables that went.
    fn gone(&self) -> Vec<String> {
        self.state.tables.keys().filter(|name| !self.new.tables.contains_key(*name)).cloned().collect()
    }

    /// The tables that came.
    fn come(&self) -> Vec<String> {
        self.new.tables.keys().filter(|name| !self.state.tables.contains_key(*name)).cloned().collect()
    }
}
