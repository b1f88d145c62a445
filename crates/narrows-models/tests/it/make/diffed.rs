//! Every kind of change, as steps.

use narrows_models::diff::{self, DiffError};
use narrows_models::migration::{Column, ForeignKey, Index, Operation, Table};
use narrows_models::question::Questions;
use narrows_models::schema::{Kind, Literal, Schema};

fn person() -> Table {
    Table::new().column(Column::integer("id").auto()).column(Column::varchar("name", 40)).primary_key(["id"])
}

fn schema<const N: usize>(tables: [(&str, Table); N]) -> Schema {
    Schema { tables: tables.into_iter().map(|(name, table)| (name.to_owned(), table)).collect() }
}

fn steps(old: &Schema, new: &Schema) -> Vec<Operation> {
    diff::steps(old, new, &[], &mut Questions::new().no_rename()).unwrap()
}

/// The steps as short words.
fn words(steps: &[Operation]) -> Vec<String> {
    let word = |step: &Operation| match step {
        Operation::CreateTable { name, .. } => format!("create {name}"),
        Operation::DropTable { name } => format!("drop {name}"),
        Operation::RenameTable { from, to } => format!("rename {from} {to}"),
        Operation::AddColumn { table, column, .. } => format!("add {table}.{}", column.name),
        Operation::DropColumn { table, name, .. } => format!("drop {table}.{name}"),
        Operation::RenameColumn { table, from, to } => format!("rename {table}.{from} {to}"),
        Operation::AlterColumn { table, column, .. } => format!("alter {table}.{}", column.name),
        Operation::AddIndex { index, .. } => format!("index {}", index.name),
        Operation::DropIndex { name, .. } => format!("drop index {name}"),
        Operation::AddForeignKey { key, .. } => format!("key {}", key.name),
        Operation::DropForeignKey { name, .. } => format!("drop key {name}"),
        other => format!("{other:?}"),
    };
    steps.iter().map(word).collect()
}

fn pointing(to: &str) -> Table {
    let key = ForeignKey::new(&format!("to-{to}"), ["at"], to, ["id"]);
    person().column(Column::integer("at").null()).foreign_key(key)
}

#[test]
fn tables_are_made_before_those_that_point_at_them_and_dropped_after() {
    let all = schema([("a", pointing("b")), ("b", pointing("c")), ("c", person())]);

    assert_eq!(words(&steps(&Schema::default(), &all)), ["create c", "create b", "create a"]);
    assert_eq!(words(&steps(&all, &Schema::default())), ["drop a", "drop b", "drop c"]);
}

#[test]
fn tables_that_point_in_a_circle_get_a_key_afterwards_and_lose_it_before() {
    let all = schema([("a", pointing("b")), ("b", pointing("a"))]);

    assert_eq!(words(&steps(&Schema::default(), &all)), ["create a", "create b", "key to-b"]);
    assert_eq!(words(&steps(&all, &Schema::default())), ["drop key to-a", "drop a", "drop b"]);
}

#[test]
fn columns_come_change_and_go() {
    let old = schema([("a", person().column(Column::text("note")))]);
    let mut new = schema([("a", person().column(Column::integer("age").default(3)))]);
    new.tables.get_mut("a").unwrap().columns[1].null = true;

    let steps = steps(&old, &new);

    assert_eq!(words(&steps), ["add a.age", "alter a.name", "drop a.note"]);
    let Operation::AlterColumn { fill, undo_fill, .. } = &steps[1] else { panic!("{steps:?}") };
    assert_eq!((fill, undo_fill), (&None, &Some(Literal::Text(String::new()))));
    let Operation::DropColumn { fill, .. } = &steps[2] else { panic!("{steps:?}") };
    assert_eq!(fill, &Some(Literal::Text(String::new())));
}

#[test]
fn a_column_that_may_hold_no_null_any_more_takes_its_default() {
    let old = schema([("a", person().column(Column::integer("age").null()))]);
    let new = schema([("a", person().column(Column::integer("age").default(18)))]);

    let steps = steps(&old, &new);

    let [Operation::AlterColumn { fill, .. }] = &steps[..] else { panic!("{steps:?}") };
    assert_eq!(fill, &Some(Literal::Integer(18)));
}

#[test]
fn a_key_steps_aside_while_the_type_of_its_columns_changes() {
    let old = schema([("a", pointing("b")), ("b", person())]);
    let mut new = old.clone();
    new.tables.get_mut("a").unwrap().columns[2].kind = Kind::BigInteger;
    new.tables.get_mut("b").unwrap().columns[0].kind = Kind::BigInteger;

    assert_eq!(words(&steps(&old, &new)), ["drop key to-b", "alter a.at", "alter b.id", "key to-b"]);
}

#[test]
fn a_key_steps_aside_while_the_index_goes_that_it_needs() {
    let old = schema([("a", pointing("b").index(Index::new("i", ["at"]))), ("b", person())]);
    let new = schema([("a", pointing("b")), ("b", person())]);

    assert_eq!(words(&steps(&old, &new)), ["drop key to-b", "drop index i", "key to-b"]);
}

#[test]
fn a_key_waits_for_the_unique_columns_that_it_points_at() {
    let old = schema([("b", person())]);
    let key = ForeignKey::new("k", ["who"], "b", ["name"]);
    let a = person().column(Column::varchar("who", 40)).foreign_key(key);
    let new = schema([("a", a), ("b", person().index(Index::unique("u", ["name"])))]);

    assert_eq!(words(&steps(&old, &new)), ["create a", "index u", "key k"]);
}

#[test]
fn a_table_goes_before_the_unique_columns_that_it_pointed_at() {
    let key = ForeignKey::new("k", ["who"], "b", ["name"]);
    let a = person().column(Column::varchar("who", 40)).foreign_key(key);
    let old = schema([("a", a), ("b", person().index(Index::unique("u", ["name"])))]);

    assert_eq!(words(&steps(&old, &schema([("b", person())]))), ["drop a", "drop index u"]);
}

#[test]
fn the_order_of_columns_does_not_matter() {
    let mut new = schema([("a", person())]);
    let old = new.clone();
    new.tables.get_mut("a").unwrap().columns.reverse();

    assert!(steps(&old, &new).is_empty());
}

#[test]
fn a_changed_primary_key_is_refused() {
    let old = schema([("a", person())]);
    let new = schema([("a", person().primary_key(["name"]))]);
    let mut unnumbered = old.clone();
    unnumbered.tables.get_mut("a").unwrap().columns[0].auto = false;

    let refusal = |new: &Schema| diff::steps(&old, new, &[], &mut Questions::new()).unwrap_err();

    assert!(matches!(refusal(&new), DiffError::PrimaryKey { table, .. } if table == "a"));
    assert!(matches!(refusal(&unnumbered), DiffError::Auto { column, auto: false, .. } if column == "id"));
}

#[test]
fn an_entity_says_itself_what_a_column_was_called() {
    let old = schema([("a", person())]);
    let mut new = old.clone();
    "title".clone_into(&mut new.tables.get_mut("a").unwrap().columns[1].name);
    let renamed = [("a".to_owned(), "name".to_owned(), "title".to_owned())];

    let steps = diff::steps(&old, &new, &renamed, &mut Questions::new()).unwrap();

    assert_eq!(words(&steps), ["rename a.name title"]);
    assert!(diff::steps(&new, &new, &renamed, &mut Questions::new()).unwrap().is_empty());
}
