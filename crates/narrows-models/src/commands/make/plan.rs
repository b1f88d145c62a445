//! Which migrations each app gets, and which of other apps come before them.

use std::collections::{BTreeMap, BTreeSet};

use crate::commands::AppModels;
use crate::commands::make::MakeError;
use crate::migration::Operation;
use crate::render::{Planned, names};
use crate::schema::{ForeignKey, Schema};
use crate::state;

/// An app, and the steps that it needs.
pub(super) struct Needs<'a> {
    pub(super) app: &'a AppModels,
    pub(super) before: Schema,
    pub(super) steps: Vec<Operation>,
}

/// The migrations of each app, by its name.
pub(super) fn plan(
    apps: &[AppModels],
    needs: Vec<Needs<'_>>,
    asked: Option<&str>,
) -> Result<BTreeMap<String, Vec<Planned>>, MakeError> {
    check_moved(&needs)?;
    let mut planned: BTreeMap<String, Vec<Planned>> = BTreeMap::new();
    let mut left = needs;
    while !left.is_empty() {
        let made: BTreeMap<String, String> = left
            .iter()
            .flat_map(|needs| created(&needs.steps).map(|table| (table, needs.app.name.clone())))
            .collect();
        let waits = |needs: &Needs<'_>| {
            keys(&needs.steps).any(|key| made.get(&key.to_table).is_some_and(|app| *app != needs.app.name))
        };
        let next = left.iter().position(|needs| !waits(needs)).unwrap_or(0);
        let mut needs = left.remove(next);
        // Apps that point at each other: what points at tables yet to be made is added once they are.
        let deferred =
            defer(&mut needs.steps, |key| made.get(&key.to_table).is_some_and(|app| *app != needs.app.name));
        let app = needs.app;
        let before = needs.before;
        let mut after = before.clone();
        for step in &needs.steps {
            state::apply(&mut after, step)?;
        }
        if !needs.steps.is_empty() {
            let migrations = planned.entry(app.name.clone()).or_default();
            migrations.push(migration(app, migrations.len(), asked, needs.steps, before)?);
        }
        if !deferred.is_empty() {
            left.push(Needs { app, before: after, steps: deferred });
        }
    }
    let order = planned.clone();
    for (name, migrations) in &mut planned {
        for migration in migrations {
            migration.after = coming_before(apps, &order, name, migration)?;
        }
    }
    Ok(planned)
}

fn migration(
    app: &AppModels,
    already: usize,
    asked: Option<&str>,
    operations: Vec<Operation>,
    before: Schema,
) -> Result<Planned, MakeError> {
    let number = next_number(app) + u32::try_from(already).unwrap_or(u32::MAX);
    let asked = asked.filter(|_| already == 0);
    let name = names::name(number, asked, &operations, &app.name);
    Ok(Planned { name, operations, after: BTreeSet::new(), before })
}

/// The number of an app's next migration.
pub(super) fn next_number(app: &AppModels) -> u32 {
    let numbers = app.migrations.all.iter().filter_map(|migration| names::number(&migration.name));
    let count = u32::try_from(app.migrations.all.len()).unwrap_or(u32::MAX);
    numbers.max().unwrap_or(count) + 1
}

/// A table that goes in one app and comes in another would lose its rows.
fn check_moved(needs: &[Needs<'_>]) -> Result<(), MakeError> {
    for from in needs {
        for step in &from.steps {
            let Operation::DropTable { name: table } = step else { continue };
            let to = needs.iter().find(|to| created(&to.steps).any(|created| created == *table));
            if let Some(to) = to {
                return Err(MakeError::Moved {
                    table: table.clone(),
                    from: from.app.name.clone(),
                    to: to.app.name.clone(),
                });
            }
        }
    }
    Ok(())
}

/// Takes out the foreign keys of the steps that are to wait, as steps of their own.
fn defer(steps: &mut Vec<Operation>, waits: impl Fn(&ForeignKey) -> bool) -> Vec<Operation> {
    let mut deferred = Vec::new();
    steps.retain_mut(|step| match step {
        Operation::CreateTable { name, table } => {
            let (late, now) = std::mem::take(&mut table.foreign_keys).into_iter().partition(&waits);
            table.foreign_keys = now;
            let late: Vec<ForeignKey> = late;
            deferred
                .extend(late.into_iter().map(|key| Operation::AddForeignKey { table: name.clone(), key }));
            true
        }
        Operation::AddForeignKey { key, .. } if waits(key) => {
            deferred.push(step.clone());
            false
        }
        _ => true,
    });
    deferred
}

/// Migrations of other apps: those that make what this one points at, and those that stop pointing at what it drops.
fn coming_before(
    apps: &[AppModels],
    planned: &BTreeMap<String, Vec<Planned>>,
    of: &str,
    migration: &Planned,
) -> Result<BTreeSet<(String, String)>, MakeError> {
    let mut before = BTreeSet::new();
    for key in keys(&migration.operations) {
        for app in apps.iter().filter(|app| app.name != of) {
            let later = planned.get(&app.name).map(Vec::as_slice).unwrap_or_default();
            if let Some(name) = making(app, later, key) {
                before.insert((app.name.clone(), name));
            }
        }
    }
    for step in &migration.operations {
        let Operation::DropTable { name: table } = step else { continue };
        for app in apps.iter().filter(|app| app.name != of) {
            let pointed = app.migrations.schema().ok().and_then(|schema| {
                let pointing = state::pointing_at(&schema, table).next();
                pointing.map(|(by, key)| (by.to_owned(), key.name.clone()))
            });
            let Some((by, key)) = pointed else { continue };
            let later = planned.get(&app.name).map(Vec::as_slice).unwrap_or_default();
            match later.iter().find(|later| drops_key(&later.operations, &by, &key)) {
                Some(later) => before.insert((app.name.clone(), later.name.clone())),
                None => return Err(MakeError::PointedAt { table: table.clone(), by, app: app.name.clone() }),
            };
        }
    }
    Ok(before)
}

/// The first migration of an app after which the table has the columns that the key points at.
fn making(app: &AppModels, planned: &[Planned], key: &ForeignKey) -> Option<String> {
    let written = app.migrations.all.iter().map(|migration| (&migration.name, &migration.operations));
    let planned = planned.iter().map(|planned| (&planned.name, &planned.operations));
    let mut schema = Schema::default();
    let mut first = None;
    for (name, operations) in written.chain(planned) {
        for operation in operations {
            state::apply(&mut schema, operation).ok()?;
        }
        let there = schema.tables.get(&key.to_table).is_some_and(|table| {
            key.to_columns.iter().all(|wanted| table.columns.iter().any(|column| column.name == *wanted))
        });
        // The table may have had another name before, and the column another type.
        first = if there { first.or_else(|| Some(name.clone())) } else { None };
    }
    first
}

fn drops_key(steps: &[Operation], by: &str, key: &str) -> bool {
    steps.iter().any(|step| match step {
        Operation::DropForeignKey { table, name } => table == by && name == key,
        Operation::DropTable { name } => name == by,
        _ => false,
    })
}

fn created(steps: &[Operation]) -> impl Iterator<Item = String> {
    steps.iter().filter_map(|step| match step {
        Operation::CreateTable { name, .. } => Some(name.clone()),
        Operation::RenameTable { to, .. } => Some(to.clone()),
        _ => None,
    })
}

fn keys(steps: &[Operation]) -> impl Iterator<Item = &ForeignKey> {
    steps.iter().flat_map(|step| match step {
        Operation::CreateTable { table, .. } => table.foreign_keys.as_slice(),
        Operation::AddForeignKey { key, .. } => std::slice::from_ref(key),
        _ => &[],
    })
}
