//! From one schema to another by any steps, with rows, and back.

use narrows_models::migration::{Column, DropColumn, ForeignKey, Index, Migration, Operation};
use narrows_models::schema::Schema;
use narrows_models::state;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::site::{Site, table};
use super::structure::{rows, structure};

const NAMES: [&str; 4] = ["a", "b", "c", "d"];

fn first() -> Migration {
    let both = table().column(Column::integer("a")).column(Column::varchar("b", 20).null().default("9"));
    let keyed =
        both.clone().column(Column::big_integer("one_id").null()).index(Index::unique("uniq-a", ["a"]));
    let keyed = keyed.foreign_key(ForeignKey::new("fk-one", ["one_id"], "one", ["id"]));
    Migration::new("0001").create_table("one", both).create_table("two", keyed)
}

/// A step, which may not fit.
fn step() -> impl Strategy<Value = Operation> {
    let table = || prop::sample::select(vec!["one", "two", "three"]);
    let name = || prop::sample::select(NAMES.to_vec());
    let of = |migration: Migration| migration.operations()[0].clone();
    let column = (name(), 0..4_u8, any::<bool>()).prop_map(|(name, kind, null)| {
        let column = match kind {
            0 => Column::integer(name).default(5),
            1 => Column::big_integer(name).default(6),
            2 => Column::varchar(name, 40).default("7"),
            _ => Column::text(name).default("8"),
        };
        if null { column.null() } else { column }
    });
    let column = column.boxed();
    let empty = || Migration::new("");
    prop_oneof![
        3 => (table(), column.clone()).prop_map(move |(t, c)| of(empty().add_column(t, c))),
        2 => (table(), name()).prop_map(move |(t, n)| of(empty().drop_column(t, DropColumn::new(n).fill(3)))),
        2 => (table(), name(), name()).prop_map(move |(t, a, b)| of(empty().rename_column(t, a, b))),
        4 => (table(), column).prop_map(move |(t, c)| of(empty().alter_column(t, c))),
        1 => (table(), table()).prop_map(move |(a, b)| of(empty().rename_table(a, b))),
        2 => (table(), name()).prop_map(move |(t, n)| of(empty().add_index(t, Index::new("idx", [n])))),
        1 => table().prop_map(move |t| of(empty().drop_index(t, "idx"))),
        1 => table().prop_map(move |t| of(empty().drop_index(t, "uniq-a"))),
        1 => table().prop_map(move |t| of(empty().drop_foreign_key(t, "fk-one"))),
        2 => (table(), table()).prop_map(move |(t, to)| {
            of(empty().add_foreign_key(t, ForeignKey::new("fk-new", ["one_id"], to, ["id"])))
        }),
    ]
}

/// The steps that fit, one after another.
fn fitting(steps: Vec<Operation>) -> (Migration, Schema) {
    let mut schema = Schema::default();
    for operation in first().operations() {
        state::apply(&mut schema, operation).unwrap();
    }
    let mut migration = Migration::new("0002");
    for operation in steps {
        let points = |schema: &Schema| match &operation {
            Operation::AddForeignKey { key, .. } => schema.tables.contains_key(&key.to_table),
            _ => true,
        };
        if points(&schema) && state::apply(&mut schema, &operation).is_ok() {
            migration = migration.operation(operation);
        }
    }
    (migration, schema)
}

async fn walk(steps: Vec<Operation>) {
    let (migration, schema) = fitting(steps);
    let untouched = |column: &str| {
        migration.operations().iter().all(|operation| match operation {
            Operation::DropColumn { name, .. } => name != column,
            Operation::AlterColumn { column: altered, .. } => altered.name != column,
            Operation::RenameColumn { from, to, .. } => from != column && to != column,
            _ => true,
        })
    };
    let columns: Vec<_> = ["id", "a", "b"].into_iter().filter(|column| untouched(column)).collect();
    let site = Site::sqlite().await;
    site.migrate(&[first()]).await.unwrap();
    site.execute("INSERT INTO one (a, b) VALUES (1, '11'), (2, NULL)").await;
    site.execute("INSERT INTO two (a, b, one_id) VALUES (3, '4', 1)").await;
    let before = structure(&site).await;
    let had = [rows(&site, "one", &columns).await, rows(&site, "two", &columns).await];
    let all = [first(), migration];
    site.migrate(&all).await.unwrap_or_else(|error| panic!("{error:?} {all:#?}"));
    let after = structure(&site).await;
    site.to(&all, "0001").await.unwrap_or_else(|error| panic!("{error:?} {all:#?}"));
    assert_eq!(structure(&site).await, before, "{all:#?}");
    assert_eq!([rows(&site, "one", &columns).await, rows(&site, "two", &columns).await], had, "{all:#?}");
    site.to(&all, "zero").await.unwrap();
    let fresh = schema
        .tables
        .into_iter()
        .fold(Migration::new("0001"), |all, (name, table)| all.create_table(&name, table));
    site.migrate(&[fresh]).await.unwrap();
    assert_eq!(structure(&site).await, after, "{all:#?}");
}

#[test]
fn any_steps_that_fit_can_be_taken_and_taken_back() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let mut runner = TestRunner::new(Config { cases: 48, failure_persistence: None, ..Config::default() });
    let steps = prop::collection::vec(step(), 0..12);
    let walked = runner.run(&steps, |steps| {
        runtime.block_on(walk(steps));
        Ok(())
    });
    walked.unwrap();
}
