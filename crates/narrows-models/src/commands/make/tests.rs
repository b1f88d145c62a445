//! Several apps that change day after day: what is planned leads there, in whichever order it may be taken.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::order::retyped;
use super::plan::{Needs, keys, plan};
use crate::commands::AppModels;
use crate::diff;
use crate::migration::{Column, ForeignKey, Index, Migration, Operation, Table};
use crate::question::Questions;
use crate::render::words;
use crate::schema::{Kind, Schema};
use crate::state;
use crate::{Migrations, Models};

const APPS: [&str; 3] = ["a", "b", "c"];

/// One of two tables that an app may have, on one day.
#[derive(Debug, Clone)]
struct Slot {
    is_there: bool,
    /// Whether the table and its second column have their other names.
    renamed: (bool, bool),
    /// Whether its columns are of 64 bits.
    big: (bool, bool),
    is_unique: bool,
    /// Slots that it points at, and whether at the key.
    points: Vec<(usize, bool)>,
}

type Day = Vec<Slot>;

fn day() -> impl Strategy<Value = Day> {
    let points = prop::collection::vec((0..6_usize, any::<bool>()), 0..3);
    let slot = (any::<bool>(), any::<(bool, bool)>(), any::<(bool, bool)>(), any::<bool>(), points);
    let slot = slot.prop_map(|(is_there, renamed, big, is_unique, points)| Slot {
        is_there,
        renamed,
        big,
        is_unique,
        points,
    });
    prop::collection::vec(slot, 6)
}

fn table_name(at: usize, slot: &Slot) -> String {
    format!("{}_{}{}", APPS[at / 2], at % 2, if slot.renamed.0 { "x" } else { "" })
}

fn code_name(slot: &Slot) -> &'static str {
    if slot.renamed.1 { "key" } else { "code" }
}

fn kind(big: bool) -> Kind {
    if big { Kind::BigInteger } else { Kind::Integer }
}

/// The tables of each app.
fn schemas(day: &Day) -> Vec<Schema> {
    let mut all = vec![Schema::default(); APPS.len()];
    for (at, slot) in day.iter().enumerate().filter(|(_, slot)| slot.is_there) {
        let name = table_name(at, slot);
        let is_target = |(to, by_key): &(usize, bool)| *to == at && !by_key;
        let is_unique =
            slot.is_unique || day.iter().any(|slot| slot.is_there && slot.points.iter().any(is_target));
        let mut table = Table::new()
            .column(Column::new("id", kind(slot.big.0)).auto())
            .column(Column::new(code_name(slot), kind(slot.big.1)).null())
            .primary_key(["id"]);
        if is_unique {
            table =
                table.index(Index::unique(&format!("uniq-{name}-{}", code_name(slot)), [code_name(slot)]));
        }
        for (number, (to, by_key)) in slot.points.iter().enumerate().filter(|(_, (to, _))| day[*to].is_there)
        {
            let target = &day[*to];
            let (to_column, big) =
                if *by_key { ("id", target.big.0) } else { (code_name(target), target.big.1) };
            let column = format!("at{number}");
            let key = ForeignKey::new(
                &format!("fk-{name}-{column}"),
                [&*column],
                &table_name(*to, target),
                [to_column],
            );
            table = table.column(Column::new(&column, kind(big)).null()).foreign_key(key);
        }
        all[at / 2].tables.insert(name, table);
    }
    all
}

fn questions(before: &Day, now: &Day, says_renames: bool) -> Questions<'static> {
    let mut questions = Questions::new().no_rename();
    for (at, (was, is)) in before.iter().zip(now).enumerate().filter(|_| says_renames) {
        if was.is_there && is.is_there {
            questions = questions.rename_table(&table_name(at, was), &table_name(at, is));
            questions = questions.rename(&table_name(at, is), code_name(was), code_name(is));
        }
    }
    questions
}

/// Adds what one day needs to the migrations of the apps.
fn live(apps: &mut [AppModels], before: &Day, now: &Day, says_renames: bool) {
    let schemas = schemas(now);
    let mut questions = questions(before, now, says_renames);
    let mut needs = Vec::new();
    for (app, schema) in apps.iter().zip(&schemas) {
        let before = app.migrations.schema().unwrap();
        let steps = diff::steps(&before, schema, &[], &mut questions).unwrap();
        if !steps.is_empty() {
            needs.push(Needs { app, before, steps });
        }
    }
    let planned = plan(apps, needs, None, &BTreeMap::new()).unwrap();
    for (app, schema) in apps.iter_mut().zip(&schemas) {
        for planned in planned.get(&app.name).into_iter().flatten() {
            let mut migration = Migration::new(&planned.name);
            migration.after = planned.after.iter().cloned().collect();
            migration.operations.clone_from(&planned.operations);
            app.migrations.all.push(migration);
        }
        assert!(diff::alike(&app.migrations.schema().unwrap(), schema));
    }
}

/// Takes all migrations, the next one always from the first app of this order that has one which may be taken.
fn take(apps: &[AppModels], order: &[usize]) -> Result<(), String> {
    let mut done = vec![0_usize; apps.len()];
    let mut all = Schema::default();
    let is_done = |done: &[usize], (app, name): &(String, String)| {
        apps.iter().zip(done).any(|(of, done)| {
            of.name == *app && of.migrations.all[..*done].iter().any(|migration| migration.name == *name)
        })
    };
    while let Some(at) = order.iter().copied().find(|at| {
        let next = apps[*at].migrations.all.get(done[*at]);
        next.is_some_and(|next| next.after.iter().all(|after| is_done(&done, after)))
    }) {
        let migration = &apps[at].migrations.all[done[at]];
        for step in &migration.operations {
            apply(&mut all, step)
                .map_err(|error| format!("{}.{}: {error}", apps[at].name, migration.name))?;
        }
        done[at] += 1;
    }
    let is_whole = apps.iter().zip(&done).all(|(app, done)| app.migrations.all.len() == *done);
    if is_whole { Ok(()) } else { Err(format!("a circle, after {done:?}")) }
}

/// The migrations in words.
fn listed(apps: &[AppModels]) -> String {
    let mut text = String::new();
    for app in apps {
        for migration in &app.migrations.all {
            let steps = migration.operations.iter().map(|step| words::step(step, ""));
            let steps = steps.collect::<Vec<_>>().join(", ");
            text.push_str(&format!("\n{}.{} after {:?}: {steps}", app.name, migration.name, migration.after));
        }
    }
    text
}

/// As the strictest database: a key points at what is there, of one type, and nothing changes under it.
fn apply(all: &mut Schema, step: &Operation) -> Result<(), String> {
    if let Some((table, key)) = retyped(all, step).pop() {
        return Err(format!("the type changes under `{key}` of `{table}`"));
    }
    state::apply(all, step).map_err(|error| error.to_string())?;
    let of = match step {
        Operation::CreateTable { name, .. } => name,
        Operation::AddForeignKey { table, .. } => table,
        _ => return Ok(()),
    };
    for key in keys(std::slice::from_ref(step)) {
        let here = state::column(all, of, &key.columns[0]).map_err(|error| error.to_string())?;
        let there =
            state::column(all, &key.to_table, &key.to_columns[0]).map_err(|error| error.to_string())?;
        if here.kind != there.kind {
            return Err(format!("`{}` points at another type", key.name));
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_planned_can_be_taken_in_any_order_that_it_allows(
        days in prop::collection::vec((day(), any::<bool>()), 1..5),
    ) {
        let mut apps = APPS.map(|name| AppModels::new(name, Models::new(), Migrations::default()));
        let mut before: Day = vec![Slot { is_there: false, ..days[0].0[0].clone() }; 6];
        for (day, says_renames) in &days {
            live(&mut apps, &before, day, *says_renames);
            before.clone_from(day);
        }

        for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            let taken = take(&apps, &order);
            prop_assert!(taken.is_ok(), "{order:?}: {taken:?}{}", listed(&apps));
        }
    }
}
