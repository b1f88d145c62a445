//! The snapshot beside the migrations.

use narrows_models::migration::{Column, Migration, Table};
use narrows_models::schema::Schema;
use narrows_models::snapshot;

use super::project::{Project, line};

fn person() -> Table {
    Table::new().column(Column::big_integer("id").auto()).primary_key(["id"])
}

fn made() -> Project {
    let mut project = Project::new([("chat_person", person())]);
    project.make("").unwrap();
    project
}

fn first(table: Table) -> Vec<Migration> {
    vec![Migration::new("0001_initial").create_table("chat_person", table)]
}

#[test]
fn a_snapshot_is_sorted_and_ends_with_a_line() {
    let project = made();

    let expected = r#"{
  "format": 1,
  "tables": {
    "chat_person": {
      "columns": [
        {
          "auto": true,
          "kind": "big_integer",
          "name": "id"
        }
      ],
      "primary_key": [
        "id"
      ]
    }
  }
}
"#;
    assert_eq!(project.read("src/chat/migrations/snapshot.json"), expected);
}

#[test]
fn a_snapshot_that_the_migrations_do_not_add_up_to_is_told_with_what_differs() {
    let mut project = made();
    let snapshot = project.read("src/chat/migrations/snapshot.json");
    let more = person().column(Column::text("note").null());
    project.built_with(&snapshot, first(more.clone())).change([("chat_person", more)]);

    let error = line(&project.make("").unwrap_err());

    assert!(error.contains("it has no column `note` of `chat_person`"), "{error}");
    assert!(error.contains("makemigrations --snapshot"), "{error}");
}

#[test]
fn a_snapshot_is_written_anew_from_the_migrations() {
    let mut project = made();
    let more = person().column(Column::text("note").null());
    project.built_with("<<<<<<< HEAD\n", first(more.clone()));
    assert!(line(&project.make("").unwrap_err()).contains("unfinished merge"));

    project.make("--snapshot").unwrap();

    let schema = snapshot::read(&project.read("src/chat/migrations/snapshot.json")).unwrap();
    assert_eq!(schema.tables["chat_person"], more);
}

#[test]
fn a_newer_format_and_a_broken_text_are_told_apart() {
    let newer = snapshot::read("{\"format\": 2, \"tables\": {}}").unwrap_err().to_string();
    let broken = snapshot::read("{\"format\": 1, \"tabl").unwrap_err().to_string();

    assert!(newer.contains("format 2, which is newer"), "{newer}");
    assert!(broken.contains("cannot be read"), "{broken}");
    assert_eq!(snapshot::read("").unwrap(), Schema::default());
}

#[test]
fn a_migration_that_does_not_fit_those_before_it_is_named() {
    let mut project = made();
    let mut all = first(person());
    all.push(Migration::new("0002_note").drop_column("chat_person", "note"));

    let snapshot = project.read("src/chat/migrations/snapshot.json");
    let error = line(&project.built_with(&snapshot, all).make("").unwrap_err());

    assert!(error.contains("the migration `0002_note` does not fit those before it"), "{error}");
}

#[test]
fn two_branches_that_each_added_a_migration_are_told_what_to_do() {
    let mut project = made();
    let mut all = first(person());
    all.push(Migration::new("0002_age").add_column("chat_person", Column::integer("age").null()));
    all.push(Migration::new("0002_note").add_column("chat_person", Column::text("note").null()));

    let snapshot = project.read("src/chat/migrations/snapshot.json");
    let error = line(&project.built_with(&snapshot, all).make("--check").unwrap_err());

    assert!(error.contains("`0002_age` and `0002_note` have one number"), "{error}");
    assert!(error.contains("make the other the next"), "{error}");
}

#[test]
fn a_snapshot_that_was_not_written_yet_is_written_with_the_next_migration() {
    for empty in ["", "{}\n"] {
        let mut project = made();
        let more = person().column(Column::text("note").null());
        project.built_with(empty, first(person())).change([("chat_person", more.clone())]);

        project.make("").unwrap();

        let schema = snapshot::read(&project.read("src/chat/migrations/snapshot.json")).unwrap();
        assert_eq!(schema.tables["chat_person"], more);
    }
}
