//! Foreign keys: dropped before what they lean on changes, and added after.

use std::collections::BTreeSet;

use crate::diff::{DiffError, Steps};
use crate::migration::Operation;
use crate::schema::{ForeignKey, Index, Table};

/// Columns whose kind changes, which no database lets a foreign key see: table, column.
pub(super) type Altered = BTreeSet<(String, String)>;

/// Drops those of the tables that stay which are no more, or would be in the way of what comes.
pub(super) fn drop_unfitting(steps: &mut Steps<'_>) -> Result<Altered, DiffError> {
    let altered = altered(steps);
    let mut unfitting = Vec::new();
    for name in steps.kept() {
        let (before, now) = (&steps.state.tables[&name], &steps.new.tables[&name]);
        for key in &before.foreign_keys {
            let here = key.columns.iter().any(|column| altered.contains(&(name.clone(), column.clone())));
            let there =
                key.to_columns.iter().any(|column| altered.contains(&(key.to_table.clone(), column.clone())));
            let stays = now.foreign_keys.contains(key);
            if !stays || here || there || loses_index(before, now, key) || loses_target(steps, key) {
                unfitting.push(Operation::DropForeignKey { table: name.clone(), name: key.name.clone() });
            }
        }
    }
    for operation in unfitting {
        steps.push(operation)?;
    }
    Ok(altered)
}

/// Adds those that are not there yet.
pub(super) fn add_missing(steps: &mut Steps<'_>) -> Result<(), DiffError> {
    for (name, table) in &steps.new.tables {
        for key in &table.foreign_keys {
            if !steps.state.tables[name].foreign_keys.contains(key) {
                steps.push(Operation::AddForeignKey { table: name.clone(), key: key.clone() })?;
            }
        }
    }
    Ok(())
}

/// Whether a table that is made now can have the key at once: what it points at is as it will be.
pub(super) fn can_be_made(steps: &Steps<'_>, of: &str, key: &ForeignKey, altered: &Altered) -> bool {
    let Some(target) = steps.new.tables.get(&key.to_table) else {
        // Another app's, which comes before.
        return true;
    };
    if key.to_table == of {
        return key.to_columns == target.primary_key;
    }
    let Some(state) = steps.state.tables.get(&key.to_table) else { return false };
    let settled = |column: &String| !altered.contains(&(key.to_table.clone(), column.clone()));
    key.to_columns.iter().all(settled) && is_unique(state, &key.to_columns)
}

fn altered(steps: &Steps<'_>) -> Altered {
    let mut altered = Altered::new();
    for name in steps.kept() {
        for before in &steps.state.tables[&name].columns {
            let now = steps.new.tables[&name].columns.iter().find(|now| now.name == before.name);
            if now.is_some_and(|now| now.kind != before.kind) {
                altered.insert((name.clone(), before.name.clone()));
            }
        }
    }
    altered
}

/// Whether the index goes that MySQL needs for the key's own columns.
fn loses_index(before: &Table, now: &Table, key: &ForeignKey) -> bool {
    let serves = |index: &&Index| index.columns.starts_with(&key.columns);
    let (stay, go): (Vec<&Index>, Vec<&Index>) =
        before.indexes.iter().filter(serves).partition(|index| now.indexes.contains(index));
    !go.is_empty() && stay.is_empty() && !before.primary_key.starts_with(&key.columns)
}

/// Whether what makes the columns unique that the key points at goes.
fn loses_target(steps: &Steps<'_>, key: &ForeignKey) -> bool {
    let (Some(before), Some(now)) =
        (steps.state.tables.get(&key.to_table), steps.new.tables.get(&key.to_table))
    else {
        return false;
    };
    let goes = |index: &&Index| same(&index.columns, &key.to_columns) && !now.indexes.contains(index);
    before.indexes.iter().any(|index| goes(&index))
}

fn is_unique(table: &Table, columns: &[String]) -> bool {
    let all_here = columns.iter().all(|name| table.columns.iter().any(|column| column.name == *name));
    all_here
        && (same(&table.primary_key, columns)
            || table.indexes.iter().any(|index| index.unique && same(&index.columns, columns)))
}

/// In whatever order.
fn same(one: &[String], other: &[String]) -> bool {
    one.len() == other.len() && one.iter().all(|column| other.contains(column))
}
