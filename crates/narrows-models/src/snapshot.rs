//! `snapshot.json`: the schema that an app's migrations add up to, beside them.

use serde_json::{Map, Value};

use crate::diff::sorted;
use crate::migration::Migrations;
use crate::schema::Schema;
use crate::state::{self, StateError};

/// The format that is written.
const FORMAT: u64 = 1;

/// Why a snapshot is of no use.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotError {
    /// A merge left its marks.
    #[error(
        "`snapshot.json` has the marks of an unfinished merge: see to the list of migrations first, then let \
             `makemigrations --snapshot` write it anew"
    )]
    Merge,
    /// It is no snapshot.
    #[error("`snapshot.json` cannot be read: `makemigrations --snapshot` writes it anew from the migrations")]
    Unreadable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A newer version wrote it.
    #[error(
        "`snapshot.json` has the format {0}, which is newer than this version of narrows-models: update it"
    )]
    Newer(u64),
    /// The migrations do not follow one from the other.
    #[error("the migration `{migration}` does not fit those before it")]
    Migration {
        /// Its name.
        migration: String,
        /// Why.
        source: StateError,
    },
    /// The migrations add up to something else.
    #[error(
        "`snapshot.json` is not what the migrations add up to: {difference}; where the migrations are right, \
             `makemigrations --snapshot` writes it anew from them"
    )]
    Differs {
        /// What differs first.
        difference: String,
    },
}

/// A schema as the text of a snapshot: sorted, so that two branches differ where their schemas do.
///
/// ```
/// use narrows_models::{schema::Schema, snapshot};
///
/// let text = snapshot::write(&Schema::default());
/// assert_eq!(text, "{\n  \"format\": 1,\n  \"tables\": {}\n}\n");
/// assert_eq!(snapshot::read(&text)?, Schema::default());
/// # Ok::<(), snapshot::SnapshotError>(())
/// ```
pub fn write(schema: &Schema) -> String {
    let value = serde_json::to_value(schema).expect("a schema has texts as keys");
    let mut value = ordered(value);
    if let Value::Object(members) = &mut value {
        // `f` comes before `t`.
        let tables = members.remove("tables").unwrap_or_default();
        members.insert("format".to_owned(), FORMAT.into());
        members.insert("tables".to_owned(), tables);
    }
    let mut text = serde_json::to_string_pretty(&value).expect("it is a value already");
    text.push('\n');
    text
}

/// The schema of a snapshot's text; an empty text is that of an app without migrations.
///
/// # Errors
/// When it is no snapshot, or one of a newer format.
pub fn read(text: &str) -> Result<Schema, SnapshotError> {
    if text.trim().is_empty() {
        return Ok(Schema::default());
    }
    if text.lines().any(|line| line.starts_with("<<<<<<<") || line.starts_with(">>>>>>>")) {
        return Err(SnapshotError::Merge);
    }
    let value: Value = serde_json::from_str(text).map_err(|error| SnapshotError::Unreadable(error.into()))?;
    match value.get("format").and_then(Value::as_u64) {
        Some(FORMAT) => {}
        Some(newer) if newer > FORMAT => return Err(SnapshotError::Newer(newer)),
        _ => return Err(SnapshotError::Unreadable("its `format` is missing".into())),
    }
    serde_json::from_value(value).map_err(|error| SnapshotError::Unreadable(error.into()))
}

impl Migrations {
    /// The schema that these migrations add up to.
    ///
    /// # Errors
    /// When one does not fit those before it.
    pub fn schema(&self) -> Result<Schema, SnapshotError> {
        let mut schema = Schema::default();
        for migration in &self.all {
            for operation in &migration.operations {
                state::apply(&mut schema, operation).map_err(|source| SnapshotError::Migration {
                    migration: migration.name.clone(),
                    source,
                })?;
            }
        }
        Ok(schema)
    }

    /// That schema, if the snapshot says the same. An empty one, or `{}`, is one that was not written yet: by hand, with the
    /// first migration.
    ///
    /// # Errors
    /// When they differ, or one of them is of no use.
    pub fn checked_schema(&self) -> Result<Schema, SnapshotError> {
        let schema = self.schema()?;
        if matches!(self.snapshot.trim(), "" | "{}") {
            return Ok(schema);
        }
        match difference(&read(&self.snapshot)?, &schema) {
            Some(difference) => Err(SnapshotError::Differs { difference }),
            None => Ok(schema),
        }
    }
}

/// What differs first, if anything does but the order.
fn difference(snapshot: &Schema, folded: &Schema) -> Option<String> {
    let (snapshot, folded) = (sorted(snapshot), sorted(folded));
    for name in snapshot.tables.keys().chain(folded.tables.keys()) {
        let (one, other) = match (snapshot.tables.get(name), folded.tables.get(name)) {
            (Some(one), Some(other)) if one == other => continue,
            (Some(one), Some(other)) => (one, other),
            (Some(_), None) => return Some(format!("no migration makes its table `{name}`")),
            (None, _) => return Some(format!("it has no table `{name}`")),
        };
        for column in one.columns.iter().chain(&other.columns) {
            let find = |columns: &[crate::schema::Column]| {
                columns.iter().find(|found| found.name == column.name).cloned()
            };
            match (find(&one.columns), find(&other.columns)) {
                (Some(one), Some(other)) if one == other => {}
                (Some(_), Some(_)) => {
                    return Some(format!("the column `{}` of `{name}` is another one", column.name));
                }
                (Some(_), None) => {
                    return Some(format!("no migration adds its column `{}` of `{name}`", column.name));
                }
                (None, _) => return Some(format!("it has no column `{}` of `{name}`", column.name)),
            }
        }
        let what = if one.primary_key != other.primary_key {
            "primary key"
        } else if one.indexes != other.indexes {
            "indexes"
        } else {
            "foreign keys"
        };
        return Some(format!("`{name}` has other {what}"));
    }
    None
}

/// With the keys of all objects in order, whichever map serde_json was built with.
fn ordered(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let mut members: Vec<(String, Value)> = members.into_iter().collect();
            members.sort_by(|(one, _), (other, _)| one.cmp(other));
            Value::Object(
                members.into_iter().map(|(key, value)| (key, ordered(value))).collect::<Map<_, _>>(),
            )
        }
        Value::Array(items) => Value::Array(items.into_iter().map(ordered).collect()),
        other => other,
    }
}
