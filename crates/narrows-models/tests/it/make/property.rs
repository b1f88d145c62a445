//! From any schema to any other.

use std::collections::BTreeMap;

use narrows_models::diff;
use narrows_models::question::Questions;
use narrows_models::schema::{Action, Column, ForeignKey, Index, Kind, Literal, Schema, Table};
use narrows_models::state;
use proptest::prelude::*;

const NAMES: [&str; 5] = ["age", "note", "place", "town", "when"];

fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![
        Just(Kind::Boolean),
        Just(Kind::Integer),
        Just(Kind::BigInteger),
        Just(Kind::Text),
        Just(Kind::DateTime),
        (1_u32..99).prop_map(Kind::Varchar),
        (3_u32..20, 0_u32..3).prop_map(|(digits, after)| Kind::Decimal(digits, after)),
    ]
}

fn column() -> impl Strategy<Value = Column> {
    (0..NAMES.len(), kind(), any::<bool>(), any::<bool>()).prop_map(|(name, kind, null, default)| {
        let default = (default && kind == Kind::Integer).then_some(Literal::Integer(7));
        Column { null, default, ..Column::new(NAMES[name], kind) }
    })
}

/// A table, and for each of some of its columns what it is: indexed, unique, or pointing at the table of that number.
fn table() -> impl Strategy<Value = (Table, Vec<(usize, usize)>)> {
    (prop::collection::vec(column(), 0..5), prop::collection::vec((0_usize..5, 0_usize..8), 0..4)).prop_map(
        |(columns, extras)| {
            let by_name: BTreeMap<String, Column> =
                columns.into_iter().map(|column| (column.name.clone(), column)).collect();
            let all = std::iter::once(Column::integer("id").auto()).chain(by_name.into_values());
            (Table { columns: all.collect(), ..Table::new().primary_key(["id"]) }, extras)
        },
    )
}

fn schema() -> impl Strategy<Value = Schema> {
    prop::collection::btree_map((0_usize..4).prop_map(|at| format!("table{at}")), table(), 0..4).prop_map(
        |tables| {
            let names: Vec<String> = tables.keys().cloned().collect();
            let tables = tables.into_iter().map(|(name, (mut table, extras))| {
                for (at, what) in extras {
                    add_extra(&name, &mut table, &names, at, what);
                }
                (name, table)
            });
            Schema { tables: tables.collect() }
        },
    )
}

fn add_extra(name: &str, table: &mut Table, names: &[String], at: usize, what: usize) {
    let column = table.columns[at % table.columns.len()].name.clone();
    let taken = |given: &str| {
        table.indexes.iter().any(|index| index.name == given)
            || table.foreign_keys.iter().any(|key| key.name == given)
    };
    match what {
        0..=2 => {
            let given = format!("idx-{name}-{column}");
            if !taken(&given) {
                table.indexes.push(Index { unique: what == 1, ..Index::new(&given, [&column]) });
            }
        }
        _ => {
            let given = format!("fk-{name}-{column}");
            if !taken(&given) {
                let to = &names[what % names.len()];
                let action = if what.is_multiple_of(2) { Action::Cascade } else { Action::Restrict };
                table.foreign_keys.push(ForeignKey::new(&given, [&column], to, ["id"]).on_delete(action));
            }
        }
    }
}

/// What rows get, whatever they need.
fn questions(new: &Schema) -> Questions<'static> {
    let mut questions = Questions::new().no_rename();
    for (name, table) in &new.tables {
        for column in &table.columns {
            let value = match column.kind {
                Kind::Boolean => "true",
                Kind::DateTime => "now",
                _ => "7",
            };
            questions = questions.fill(name, &column.name, value);
        }
    }
    questions
}

proptest! {
    #[test]
    fn the_steps_from_any_schema_to_any_other_lead_there(old in schema(), new in schema()) {
        let steps = diff::steps(&old, &new, &[], &mut questions(&new)).unwrap();

        let mut state = old.clone();
        for step in &steps {
            state::apply(&mut state, step).unwrap();
        }
        prop_assert!(diff::alike(&state, &new), "{steps:#?}");
        prop_assert!(diff::steps(&state, &new, &[], &mut questions(&new)).unwrap().is_empty());
    }

    #[test]
    fn the_steps_can_be_taken_back_one_by_one(old in schema(), new in schema()) {
        let steps = diff::steps(&old, &new, &[], &mut questions(&new)).unwrap();

        let mut states = vec![old.clone()];
        for step in &steps {
            let mut next = states.last().unwrap().clone();
            state::apply(&mut next, step).unwrap();
            states.push(next);
        }
        let mut state = states.last().unwrap().clone();
        for (step, before) in steps.iter().zip(&states).rev() {
            for back in step.reversed(before).unwrap() {
                state::apply(&mut state, &back).unwrap();
            }
        }
        prop_assert!(diff::alike(&state, &old), "{steps:#?}");
    }
}
