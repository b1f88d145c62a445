//! Which migrations of other apps come before one that is planned.

use std::collections::{BTreeMap, BTreeSet};

use crate::commands::AppModels;
use crate::commands::make::plan;
use crate::migration::Operation;
use crate::render::Planned;
use crate::schema::{ForeignKey, Schema};
use crate::state;

/// The migrations of another app: those written, and those planned so far.
pub(super) struct History<'a> {
    pub(super) app: &'a AppModels,
    pub(super) planned: &'a [Planned],
    /// Its tables as they will be.
    pub(super) end: &'a Schema,
}

impl History<'_> {
    /// The name of each, whether it is written, and the schema that it leaves.
    fn states(&self) -> Vec<(&str, bool, Schema)> {
        let written = self.app.migrations.all.iter();
        let written = written.map(|migration| (migration.name.as_str(), true, &migration.operations));
        let planned = self.planned.iter().map(|planned| (planned.name.as_str(), false, &planned.operations));
        let mut schema = Schema::default();
        let mut states = Vec::new();
        for (name, is_written, operations) in written.chain(planned) {
            for operation in operations {
                // They were folded before.
                state::apply(&mut schema, operation).expect("migrations of an app fit each other");
            }
            states.push((name, is_written, schema.clone()));
        }
        states
    }
}

/// The migrations of others that come before these steps: those that make what they point at, and those that point, or stop
/// pointing, at what they rename, retype or drop.
pub(super) fn comes_after<'a>(
    app: &AppModels,
    before: &Schema,
    steps: &[Operation],
    planned: Option<&Vec<Planned>>,
    others: impl Iterator<Item = History<'a>>,
) -> BTreeSet<(String, String)> {
    let mut names = Names::default();
    let written = app.migrations.all.iter().flat_map(|migration| &migration.operations);
    written
        .chain(planned.into_iter().flatten().flat_map(|planned| &planned.operations))
        .for_each(|step| names.follow(step));
    let taken = taken(before, steps, &mut names);
    let mut found = BTreeSet::new();
    for other in others {
        let states = other.states();
        let making = plan::keys(steps).filter_map(|key| making(&states, other.end, key));
        let touching = taken.iter().filter_map(|taken| touching(&states, taken));
        found.extend(making.chain(touching).map(|name| (other.app.name.clone(), name.to_owned())));
    }
    found
}

/// Whether what the key points at is there as it will be: its columns, of their kinds, and unique.
pub(super) fn is_ready(schema: &Schema, end: &Schema, key: &ForeignKey) -> bool {
    let (Some(now), Some(end)) = (schema.tables.get(&key.to_table), end.tables.get(&key.to_table)) else {
        return false;
    };
    let kind = |table: &crate::schema::Table, name: &str| {
        table.columns.iter().find(|column| column.name == name).map(|column| column.kind.clone())
    };
    key.to_columns.iter().all(|column| kind(now, column).is_some() && kind(now, column) == kind(end, column))
        && state::is_unique(now, &key.to_columns)
}

/// The keys that point at a column whose kind the step changes: their tables and names. No database lets a key see that.
pub(super) fn retyped(schema: &Schema, step: &Operation) -> Vec<(String, String)> {
    let Operation::AlterColumn { table, column, .. } = step else { return Vec::new() };
    if state::column(schema, table, &column.name).is_ok_and(|was| was.kind == column.kind) {
        return Vec::new();
    }
    let pointing = state::pointing_at(schema, table).filter(|(_, key)| key.to_columns.contains(&column.name));
    pointing.map(|(by, key)| (by.to_owned(), key.name.clone())).collect()
}

/// The first migration since which what the key points at is there.
fn making<'a>(states: &[(&'a str, bool, Schema)], end: &Schema, key: &ForeignKey) -> Option<&'a str> {
    let since = states.iter().rev().take_while(|(_, _, schema)| is_ready(schema, end, key));
    since.last().map(|(name, ..)| *name)
}

/// What steps rename, retype or drop, under all names that it ever had.
struct Taken {
    tables: BTreeSet<String>,
    /// All, where it is the table.
    columns: Option<BTreeSet<String>>,
    /// Keys follow a rename.
    is_rename: bool,
}

/// The last written migration that began or ceased to point at it; and of those planned the one after which none points.
fn touching<'a>(states: &[(&'a str, bool, Schema)], taken: &Taken) -> Option<&'a str> {
    let mut found = None;
    let mut before = BTreeSet::new();
    for (name, is_written, schema) in states {
        let keys = schema.tables.values().flat_map(|table| &table.foreign_keys);
        let now: BTreeSet<&str> = keys.filter(|key| taken.is_of(key)).map(|key| key.name.as_str()).collect();
        if *is_written && now != before {
            found = Some(*name);
        } else if !is_written && !taken.is_rename && now.is_empty() && !before.is_empty() {
            return Some(name);
        }
        before = now;
    }
    found
}

impl Taken {
    fn is_of(&self, key: &ForeignKey) -> bool {
        let columns =
            |columns: &BTreeSet<String>| key.to_columns.iter().any(|column| columns.contains(column));
        self.tables.contains(&key.to_table) && self.columns.as_ref().is_none_or(columns)
    }
}

fn taken(before: &Schema, steps: &[Operation], names: &mut Names) -> Vec<Taken> {
    let mut schema = before.clone();
    let mut found = Vec::new();
    for step in steps {
        let mut take = |table: &str, columns: Option<&[String]>, is_rename: bool| {
            let columns =
                columns.map(|all| all.iter().flat_map(|column| names.of_column(table, column)).collect());
            found.push(Taken { tables: names.of_table(table), columns, is_rename });
        };
        match step {
            Operation::DropTable { name } => take(name, None, false),
            Operation::RenameTable { from, .. } => take(from, None, true),
            Operation::DropColumn { table, name, .. } => take(table, Some(std::slice::from_ref(name)), false),
            Operation::RenameColumn { table, from, .. } => {
                take(table, Some(std::slice::from_ref(from)), true);
            }
            Operation::AlterColumn { table, column, .. } => {
                let was = state::column(&schema, table, &column.name);
                if was.is_ok_and(|was| was.kind != column.kind) {
                    take(table, Some(std::slice::from_ref(&column.name)), false);
                }
            }
            Operation::DropIndex { table, name } => {
                let indexes = schema.tables.get(table).into_iter().flat_map(|table| &table.indexes);
                for index in indexes.filter(|index| index.unique && index.name == *name) {
                    take(table, Some(&index.columns), false);
                }
            }
            _ => {}
        }
        names.follow(step);
        // The steps were made by way of this very schema.
        state::apply(&mut schema, step).expect("the steps of an app fit each other");
    }
    found
}

/// What tables and columns were called before.
#[derive(Default)]
struct Names {
    tables: BTreeMap<String, BTreeSet<String>>,
    /// By the names of now, table and column.
    columns: BTreeMap<(String, String), BTreeSet<String>>,
}

impl Names {
    fn follow(&mut self, step: &Operation) {
        match step {
            Operation::RenameTable { from, to } => {
                let names = self.of_table(from);
                self.tables.insert(to.clone(), names);
                let moved: Vec<_> = self.columns.iter().filter(|((table, _), _)| table == from).collect();
                let moved: Vec<_> = moved
                    .into_iter()
                    .map(|((_, column), names)| ((to.clone(), column.clone()), names.clone()))
                    .collect();
                self.columns.extend(moved);
            }
            Operation::RenameColumn { table, from, to } => {
                let names = self.of_column(table, from);
                self.columns.insert((table.clone(), to.clone()), names);
            }
            _ => {}
        }
    }

    fn of_table(&self, name: &str) -> BTreeSet<String> {
        let mut names = self.tables.get(name).cloned().unwrap_or_default();
        names.insert(name.to_owned());
        names
    }

    fn of_column(&self, table: &str, name: &str) -> BTreeSet<String> {
        let mut names = self.columns.get(&(table.to_owned(), name.to_owned())).cloned().unwrap_or_default();
        names.insert(name.to_owned());
        names
    }
}
