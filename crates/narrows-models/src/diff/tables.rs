//! Tables, their columns and their indexes.

use crate::diff::keys::{self, Altered};
use crate::diff::{DiffError, Steps};
use crate::literal;
use crate::migration::Operation;
use crate::question::{Missing, Questions};
use crate::schema::{Column, Index};

/// Refuses changes of primary keys.
pub(super) fn check_primary_keys(steps: &Steps<'_>) -> Result<(), DiffError> {
    for name in steps.kept() {
        let (before, now) = (&steps.state.tables[&name], &steps.new.tables[&name]);
        if before.primary_key != now.primary_key {
            return Err(DiffError::PrimaryKey {
                table: name,
                before: before.primary_key.clone(),
                now: now.primary_key.clone(),
            });
        }
        let differs = |now: &&Column| {
            before.columns.iter().any(|before| before.name == now.name && before.auto != now.auto)
        };
        if let Some(column) = now.columns.iter().find(differs) {
            return Err(DiffError::Auto { table: name, column: column.name.clone(), auto: column.auto });
        }
    }
    Ok(())
}

/// Drops the indexes that the tables that stay have no more.
pub(super) fn drop_indexes(steps: &mut Steps<'_>) -> Result<(), DiffError> {
    for table in steps.kept() {
        let now = &steps.new.tables[&table].indexes;
        let gone: Vec<Index> =
            steps.state.tables[&table].indexes.iter().filter(|index| !now.contains(index)).cloned().collect();
        for index in gone {
            steps.push(Operation::DropIndex { table: table.clone(), name: index.name })?;
        }
    }
    Ok(())
}

/// Drops tables, those that point before those that are pointed at.
pub(super) fn drop_tables(steps: &mut Steps<'_>) -> Result<(), DiffError> {
    loop {
        let gone = steps.gone();
        let Some(first) = gone.first() else { return Ok(()) };
        let pointing = |to: &str| -> Vec<(String, String)> {
            let others = steps.state.tables.iter().filter(|(name, _)| *name != to);
            others
                .flat_map(|(name, table)| {
                    let keys = table.foreign_keys.iter().filter(|key| key.to_table == to);
                    keys.map(|key| (name.clone(), key.name.clone()))
                })
                .collect()
        };
        let free = gone.iter().find(|name| pointing(name).is_empty()).unwrap_or(first).clone();
        // Those that are left point in a circle.
        for (table, name) in pointing(&free) {
            steps.push(Operation::DropForeignKey { table, name })?;
        }
        steps.push(Operation::DropTable { name: free })?;
    }
}

/// Makes tables, those that are pointed at before those that point; what points in a circle is added later.
pub(super) fn create_tables(steps: &mut Steps<'_>, altered: &Altered) -> Result<(), DiffError> {
    loop {
        let come = steps.come();
        let Some(first) = come.first() else { return Ok(()) };
        let waits = |name: &String| {
            let keys = &steps.new.tables[name].foreign_keys;
            keys.iter().any(|key| key.to_table != *name && come.contains(&key.to_table))
        };
        let name = come.iter().find(|name| !waits(name)).unwrap_or(first).clone();
        let mut table = steps.new.tables[&name].clone();
        table.foreign_keys.retain(|key| keys::can_be_made(steps, &name, key, altered));
        steps.push(Operation::CreateTable { name, table })?;
    }
}

/// Adds, changes and drops columns of the tables that stay.
pub(super) fn change_columns(steps: &mut Steps<'_>, questions: &mut Questions<'_>) -> Result<(), DiffError> {
    for name in steps.kept() {
        let now = &steps.new.tables[&name];
        let was = steps.state.tables[&name].columns.clone();
        let before = |column: &Column| was.iter().find(|before| before.name == column.name);
        for column in now.columns.iter().filter(|column| before(column).is_none()) {
            let needed = !column.null && column.default.is_none() && !column.auto;
            let fill = match needed {
                true => Some(questions.value(&name, now, column, Missing::Added)?),
                false => None,
            };
            steps.push(Operation::AddColumn { table: name.clone(), column: column.clone(), fill })?;
        }
        for column in &now.columns {
            let Some(before) = before(column).filter(|before| *before != column) else { continue };
            let fill = match (before.null && !column.null, &column.default) {
                (false, _) => None,
                (true, Some(default)) => Some(default.clone()),
                (true, None) => Some(questions.value(&name, now, column, Missing::NotNull)?),
            };
            let undo_fill = (!before.null && column.null).then(|| neutral(before));
            let column = column.clone();
            steps.push(Operation::AlterColumn { table: name.clone(), column, fill, undo_fill })?;
        }
        for gone in was.iter().filter(|was| now.columns.iter().all(|column| column.name != was.name)) {
            let fill = (!gone.null && gone.default.is_none()).then(|| neutral(gone));
            steps.push(Operation::DropColumn { table: name.clone(), name: gone.name.clone(), fill })?;
        }
    }
    Ok(())
}

/// Adds the indexes that are not there yet.
pub(super) fn add_indexes(steps: &mut Steps<'_>) -> Result<(), DiffError> {
    for (name, table) in &steps.new.tables {
        for index in &table.indexes {
            if !steps.state.tables[name].indexes.contains(index) {
                steps.push(Operation::AddIndex { table: name.clone(), index: index.clone() })?;
            }
        }
    }
    Ok(())
}

/// What rows get on the way back, where nobody knows what they had.
fn neutral(column: &Column) -> crate::schema::Literal {
    column.default.clone().unwrap_or_else(|| literal::neutral(&column.kind))
}
