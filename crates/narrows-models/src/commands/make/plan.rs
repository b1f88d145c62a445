//! Which migrations each app gets, one after another, so that every step finds what it needs in the tables of all.

use std::collections::BTreeMap;

use crate::commands::AppModels;
use crate::commands::make::order::{self, History};
use crate::commands::make::{MakeError, folded};
use crate::migration::Operation;
use crate::render::{Planned, names};
use crate::schema::{ForeignKey, Schema};
use crate::state::{self, StateError};

/// An app, and the steps that it needs.
#[derive(Debug, Clone)]
pub(super) struct Needs<'a> {
    pub(super) app: &'a AppModels,
    pub(super) before: Schema,
    pub(super) steps: Vec<Operation>,
}

/// The migrations of each app, by its name. `owners` are the apps that have the tables of today's models.
pub(super) fn plan(
    apps: &[AppModels],
    needs: Vec<Needs<'_>>,
    asked: Option<&str>,
    owners: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, Vec<Planned>>, MakeError> {
    let mut plan = Plan::new(apps, needs, asked)?;
    plan.check_moved()?;
    plan.check_made(owners)?;
    while !plan.left.is_empty() {
        plan.go_on()?;
    }
    Ok(plan.planned)
}

/// The number of an app's next migration.
pub(super) fn next_number(app: &AppModels) -> u32 {
    let numbers = app.migrations.all.iter().filter_map(|migration| names::number(&migration.name));
    let count = u32::try_from(app.migrations.all.len()).unwrap_or(u32::MAX);
    numbers.max().unwrap_or(count).saturating_add(1)
}

struct Plan<'a> {
    apps: &'a [AppModels],
    asked: Option<&'a str>,
    /// The tables of each app as they are now, by its name.
    now: BTreeMap<&'a str, Schema>,
    /// As they will be.
    end: BTreeMap<&'a str, Schema>,
    /// The tables of all as they are now, where keys follow what other apps rename.
    all: Schema,
    left: Vec<Needs<'a>>,
    planned: BTreeMap<String, Vec<Planned>>,
}

/// A foreign key of another app that a step has to wait for: the app, the table, the name.
type InTheWay<'a> = (&'a str, String, String);

impl<'a> Plan<'a> {
    fn new(apps: &'a [AppModels], left: Vec<Needs<'a>>, asked: Option<&'a str>) -> Result<Self, MakeError> {
        let mut now = BTreeMap::new();
        for app in apps {
            now.insert(app.name.as_str(), folded(app)?);
        }
        let mut end = now.clone();
        for needs in &left {
            end.insert(&needs.app.name, after(&needs.before, &needs.steps)?);
        }
        let all = now.values().flat_map(|schema| schema.tables.clone()).collect();
        Ok(Self { apps, asked, now, end, all: Schema { tables: all }, left, planned: BTreeMap::new() })
    }

    /// A table that goes in one app and comes in another would lose its rows.
    fn check_moved(&self) -> Result<(), MakeError> {
        for needs in &self.left {
            for step in &needs.steps {
                let (table, comes) = match step {
                    Operation::DropTable { name } => (name, false),
                    Operation::CreateTable { name, .. } | Operation::RenameTable { to: name, .. } => {
                        (name, true)
                    }
                    _ => continue,
                };
                let has =
                    |app: &&&str| ***app != needs.app.name && self.now[**app].tables.contains_key(table);
                if let Some(other) = self.now.keys().find(has) {
                    let (here, other) = (needs.app.name.clone(), (*other).to_owned());
                    let (from, to) = if comes { (other, here) } else { (here, other) };
                    return Err(MakeError::Moved { table: table.clone(), from, to });
                }
            }
        }
        Ok(())
    }

    /// A table that only the models of an app have, which is not among those asked for.
    fn check_made(&self, owners: &BTreeMap<String, String>) -> Result<(), MakeError> {
        for needs in &self.left {
            for key in keys(&needs.steps) {
                let made = self.end.values().any(|end| end.tables.contains_key(&key.to_table));
                if let Some(app) = owners.get(&key.to_table).filter(|_| !made) {
                    return Err(MakeError::Unmade {
                        table: key.to_table.clone(),
                        app: app.clone(),
                        by: needs.app.name.clone(),
                    });
                }
            }
        }
        Ok(())
    }

    /// Plans one more migration.
    fn go_on(&mut self) -> Result<(), MakeError> {
        let free = |needs: &Needs<'_>| {
            self.in_the_way(needs).is_empty() && !keys(&needs.steps).any(|key| self.waits(needs, key))
        };
        if let Some(at) = self.left.iter().position(free) {
            let needs = self.left.remove(at);
            return self.add(needs);
        }
        // Apps wait for each other: what points at something yet to be made is added once it is.
        for at in 0..self.left.len() {
            let mut needs = self.left[at].clone();
            let late = put_off(&mut needs.steps, |key| self.waits(&self.left[at], key));
            if self.in_the_way(&needs).is_empty() && !needs.steps.is_empty() {
                let app = needs.app;
                let before = after(&needs.before, &needs.steps)?;
                self.left.remove(at);
                self.add(needs)?;
                self.left.push(Needs { app, before, steps: late });
                return Ok(());
            }
        }
        // Or they drop what the others point at: those keys go first.
        let in_the_way: Vec<_> = self.left.iter().flat_map(|needs| self.in_the_way(needs)).collect();
        let at =
            in_the_way.first().and_then(|(app, ..)| self.left.iter().position(|left| left.app.name == **app));
        // Who waits for nothing that can be dropped waits for what nobody makes, which `add` says.
        let needs = self.left.remove(at.unwrap_or(0));
        let app = needs.app;
        let of_app = in_the_way.into_iter().filter(|(of, ..)| **of == app.name);
        let mut steps: Vec<Operation> = Vec::new();
        let mut rest = needs.steps.clone();
        for (_, table, name) in of_app {
            let drops =
                |step: &Operation| matches!(step, Operation::DropForeignKey { name: of, .. } if *of == name);
            if !steps.iter().any(drops) {
                rest.retain(|step| !drops(step));
                steps.push(Operation::DropForeignKey { table, name });
            }
        }
        if steps.is_empty() {
            return self.add(needs);
        }
        let before = after(&needs.before, &steps)?;
        self.add(Needs { app, before: needs.before, steps })?;
        if !rest.is_empty() {
            self.left.push(Needs { app, before, steps: rest });
        }
        Ok(())
    }

    /// Plans this one now.
    fn add(&mut self, needs: Needs<'a>) -> Result<(), MakeError> {
        let Needs { app, before, steps } = needs;
        let comes_after = {
            let histories = self.apps.iter().filter(|other| other.name != app.name).map(|other| {
                let planned = self.planned.get(&other.name).map(Vec::as_slice).unwrap_or_default();
                History { app: other, planned, end: &self.end[other.name.as_str()] }
            });
            order::comes_after(app, &before, &steps, self.planned.get(&app.name), histories)
        };
        for step in &steps {
            state::apply(&mut self.all, step).map_err(|error| self.refused(error, app))?;
        }
        self.now.insert(&app.name, after(&before, &steps)?);
        let migrations = self.planned.entry(app.name.clone()).or_default();
        let number = next_number(app).saturating_add(u32::try_from(migrations.len()).unwrap_or(u32::MAX));
        let asked = self.asked.filter(|_| migrations.is_empty());
        let name = names::name(number, asked, &steps, &app.name);
        migrations.push(Planned { name, operations: steps, after: comes_after, before });
        Ok(())
    }

    fn refused(&self, error: StateError, of: &AppModels) -> MakeError {
        let StateError::PointedAt { table, by, .. } = &error else { return error.into() };
        let other = |(app, schema): &(&&str, &Schema)| **app != of.name && schema.tables.contains_key(by);
        match self.now.iter().find(other) {
            Some((app, _)) => {
                MakeError::PointedAt { table: table.clone(), by: by.clone(), app: (*app).to_owned() }
            }
            None => error.into(),
        }
    }

    /// Whether the key points at what another app is yet to make.
    fn waits(&self, of: &Needs<'_>, key: &ForeignKey) -> bool {
        let others = self.left.iter().filter(|other| other.app.name != of.app.name);
        others
            .map(|other| &self.end[other.app.name.as_str()])
            .any(|end| order::is_ready(end, end, key) && !order::is_ready(&self.all, end, key))
    }

    /// The keys of other apps that are in the way of these steps, and that those apps are about to drop.
    fn in_the_way(&self, needs: &Needs<'_>) -> Vec<InTheWay<'a>> {
        let mut found = Vec::new();
        let mut all = self.all.clone();
        let owner = |table: &str| {
            let has = |other: &&Needs<'a>| self.now[other.app.name.as_str()].tables.contains_key(table);
            self.left.iter().filter(|other| other.app.name != needs.app.name).find(has)
        };
        for step in &needs.steps {
            let retyped = order::retyped(&all, step);
            while let Err(StateError::PointedAt { by, key, .. }) = state::apply(&mut all, step) {
                if let Some(table) = all.tables.get_mut(&by) {
                    table.foreign_keys.retain(|found| found.name != key);
                }
                found.push((by, key));
            }
            found.extend(retyped);
        }
        let dropped = |(table, key): (String, String)| {
            let other = owner(&table).filter(|other| drops(other, &key))?;
            Some((other.app.name.as_str(), table, key))
        };
        found.into_iter().filter_map(dropped).collect()
    }
}

/// The schema after these steps.
fn after(before: &Schema, steps: &[Operation]) -> Result<Schema, StateError> {
    let mut schema = before.clone();
    steps.iter().try_for_each(|step| state::apply(&mut schema, step)).map(|()| schema)
}

/// Whether the app's steps drop the key, if only to add it again.
fn drops(needs: &Needs<'_>, key: &str) -> bool {
    let mut schema = needs.before.clone();
    needs.steps.iter().any(|step| {
        // The steps were made by way of this very schema.
        state::apply(&mut schema, step).expect("the steps of an app fit each other");
        !schema.tables.values().any(|table| table.foreign_keys.iter().any(|found| found.name == key))
    })
}

/// Takes out the foreign keys of the steps that are to wait, as steps of their own.
fn put_off(steps: &mut Vec<Operation>, waits: impl Fn(&ForeignKey) -> bool) -> Vec<Operation> {
    let mut late = Vec::new();
    steps.retain_mut(|step| match step {
        Operation::CreateTable { name, table } => {
            table.foreign_keys.retain(|key| {
                let waits = waits(key);
                if waits {
                    late.push(Operation::AddForeignKey { table: name.clone(), key: key.clone() });
                }
                !waits
            });
            true
        }
        Operation::AddForeignKey { key, .. } if waits(key) => {
            late.push(step.clone());
            false
        }
        _ => true,
    });
    late
}

/// The keys that these steps add.
pub(super) fn keys(steps: &[Operation]) -> impl Iterator<Item = &ForeignKey> {
    steps.iter().flat_map(|step| match step {
        Operation::CreateTable { table, .. } => table.foreign_keys.as_slice(),
        Operation::AddForeignKey { key, .. } => std::slice::from_ref(key),
        _ => &[],
    })
}
