//! What to know of columns that are written now: what a migration cannot say, and what not every database takes.

use std::collections::BTreeMap;

use crate::commands::AppModels;
use crate::commands::make::{MakeError, reading};
use crate::migration::Operation;
use crate::render::Planned;
use crate::schema::{Action, ForeignKey, Kind, Table};

/// The notes, in the order of the apps.
pub(super) fn of(
    apps: &[AppModels],
    chosen: &[&AppModels],
    planned: &BTreeMap<String, Vec<Planned>>,
) -> Result<Vec<String>, MakeError> {
    let mut tables = BTreeMap::new();
    for app in apps {
        tables.extend(reading(app)?.schema.tables);
    }
    let mut notes = Vec::new();
    for app in chosen {
        let Some(planned) = planned.get(&app.name) else { continue };
        let steps: Vec<&Operation> = planned.iter().flat_map(|planned| &planned.operations).collect();
        let reading = reading(app)?;
        for (table, column, text) in reading.notes {
            if steps.iter().any(|step| writes_column(step, &table, &column)) {
                notes.push(format!("`{column}` of `{table}`: {text}"));
            }
        }
        for (name, table) in &reading.schema.tables {
            for key in &table.foreign_keys {
                if steps.iter().any(|step| writes_key(step, name, &key.name)) {
                    notes.extend(of_key(name, table, key, &tables));
                }
            }
            for index in &table.indexes {
                if steps.iter().any(|step| writes_index(step, name, &index.name)) {
                    notes.extend(of_index(name, table, &index.columns, index.unique));
                }
            }
            if steps
                .iter()
                .any(|step| matches!(step, Operation::CreateTable { name: made, .. } if made == name))
            {
                notes.extend(of_index(name, table, &table.primary_key, true));
            }
            notes.extend(steps.iter().filter_map(|step| of_same_value(step, name, table)));
        }
    }
    Ok(notes)
}

fn of_key(name: &str, table: &Table, key: &ForeignKey, tables: &BTreeMap<String, Table>) -> Vec<String> {
    let mut notes = Vec::new();
    for (column, to) in key.columns.iter().zip(&key.to_columns) {
        let Some(here) = table.columns.iter().find(|found| found.name == *column) else { continue };
        let target = tables.get(&key.to_table);
        let there = target.and_then(|target| target.columns.iter().find(|found| found.name == *to));
        if let Some(there) = there.filter(|there| there.kind != here.kind) {
            notes.push(format!(
                "`{column}` of `{name}` is {}, and `{to}` of `{}`, at which it points, is {}: MySQL and MariaDB refuse \
                 such a key",
                here.kind, key.to_table, there.kind,
            ));
        }
        let sets_null = key.on_delete == Action::SetNull || key.on_update == Action::SetNull;
        if sets_null && !here.null {
            notes.push(format!(
                "`{column}` of `{name}` is to be set to NULL and holds none: make it an `Option`"
            ));
        }
    }
    notes
}

/// A column that gets one value in all rows, and is unique.
fn of_same_value(step: &Operation, name: &str, table: &Table) -> Option<String> {
    let Operation::AddColumn { table: of, column, fill } = step else { return None };
    let has_value = fill.is_some() || column.default.is_some();
    let is_unique = table.indexes.iter().any(|index| index.unique && index.columns == [column.name.clone()]);
    (of == name && has_value && is_unique).then(|| {
        format!(
            "`{}` of `{name}` is unique and has one value for all rows that are there: with more than one row, let it be \
             NULL, fill it by `.sql(…)` or `.run(…)`, and let it be unique then",
            column.name
        )
    })
}

/// The longest text that MySQL holds in an index, of letters with four bytes each.
const LONGEST_IN_INDEX: u32 = 768;

fn of_index(name: &str, table: &Table, columns: &[String], unique: bool) -> Vec<String> {
    let kind =
        |name: &String| table.columns.iter().find(|column| column.name == *name).map(|column| &column.kind);
    let is_long = |column: &&String| match kind(column) {
        Some(Kind::Json) => true,
        Some(Kind::Text | Kind::Bytes) => unique,
        Some(Kind::Varchar(length)) => unique && *length > LONGEST_IN_INDEX,
        _ => false,
    };
    let note = |column: &String| {
        format!(
            "`{column}` of `{name}` is in an index, a unique constraint or a key, and too long for MySQL and MariaDB: \
             use `column_type = \"String(StringLen::N(200))\"`"
        )
    };
    let notes: Vec<String> = columns.iter().filter(is_long).map(note).collect();
    let lengths = columns.iter().filter_map(kind).map(|kind| match kind {
        Kind::Varchar(length) => *length,
        _ => 0,
    });
    if notes.is_empty() && unique && lengths.fold(0, u32::saturating_add) > LONGEST_IN_INDEX {
        let columns = columns.join("`, `");
        return vec![format!(
            "`{columns}` of `{name}` are unique together, and in sum longer than the {LONGEST_IN_INDEX} letters that MySQL \
             and MariaDB take: use shorter ones, by `column_type = \"String(StringLen::N(200))\"`"
        )];
    }
    notes
}

fn writes_column(step: &Operation, of: &str, column: &str) -> bool {
    match step {
        Operation::CreateTable { name, .. } => name == of,
        Operation::AddColumn { table, column: now, .. }
        | Operation::AlterColumn { table, column: now, .. } => table == of && now.name == column,
        _ => false,
    }
}

fn writes_key(step: &Operation, of: &str, key: &str) -> bool {
    match step {
        Operation::CreateTable { name, table } => {
            name == of && table.foreign_keys.iter().any(|found| found.name == key)
        }
        Operation::AddForeignKey { table, key: added } => table == of && added.name == key,
        _ => false,
    }
}

fn writes_index(step: &Operation, of: &str, index: &str) -> bool {
    match step {
        Operation::CreateTable { name, .. } => name == of,
        Operation::AddIndex { table, index: added } => table == of && added.name == index,
        _ => false,
    }
}
