//! The command and its options.

use narrows_models::migration::{Action, Column, ForeignKey, Index, Table};
use narrows_models::sea_orm::DatabaseConnection;
use narrows_models::{Commands, Migrations, Models};
use std::fs;

use super::entities::{interval, kinds};
use super::project::{Project, line};

fn person() -> Table {
    Table::new().column(Column::big_integer("id").auto()).primary_key(["id"])
}

fn with_note() -> Table {
    person().column(Column::text("note").null())
}

fn pointing(name: &str, to: &str) -> Table {
    person().column(Column::big_integer("at").null()).foreign_key(ForeignKey::new(
        &format!("fk-{name}-at"),
        ["at"],
        to,
        ["id"],
    ))
}

#[test]
fn check_says_what_would_be_written_and_writes_nothing() {
    let mut project = Project::new([("chat_person", person())]);

    let outcome = project.make("--check").unwrap();

    assert_eq!(outcome.code, 1);
    assert_eq!(outcome.report, "Migrations for `chat`:\n  0001_initial\n    - makes `person`\n");
    assert!(project.files("chat").is_empty());
}

#[test]
fn a_dry_run_shows_the_files_and_writes_nothing() {
    let mut project = Project::new([("chat_person", person())]);

    let outcome = project.make("--dry-run").unwrap();

    assert_eq!(outcome.code, 0);
    assert!(outcome.report.contains("Migration::new(\"0001_initial\")"), "{}", outcome.report);
    assert!(outcome.report.contains("migrations![m0001_initial]"), "{}", outcome.report);
    assert!(!project.path("src/chat/migrations").exists());
}

#[test]
fn an_empty_migration_is_for_steps_of_ones_own() {
    let mut project = Project::new([("chat_person", person())]);
    project.make("").unwrap();

    project.make("chat --empty --name fill_notes").unwrap();

    let expected = "//! Does nothing yet.\n\nuse narrows_models::migration::Migration;\n\n\
                    pub(super) fn migration() -> Migration {\n    \
                    // Steps go here, such as `.sql(\"…\")` or `.run(…)`.\n    \
                    Migration::new(\"0002_fill_notes\")\n}\n";
    assert_eq!(project.read("src/chat/migrations/m0002_fill_notes.rs"), expected);
    assert_eq!(project.make("").unwrap().report, "No changes detected.\n");
}

#[test]
fn a_name_is_taken_and_checked() {
    let mut project = Project::new([("chat_person", person())]);

    assert!(line(&project.make("--name Bad-Name").unwrap_err()).contains("small letters"));
    project.make("--name=people").unwrap();

    assert_eq!(project.files("chat"), ["m0001_people.rs"]);
}

#[test]
fn names_that_are_found_are_of_at_most_sixty_letters() {
    let mut project = Project::new([("chat_person", person())]);
    project.make("").unwrap();
    let names = ["one_long_name", "another_long_name", "a_third_long_name", "a_fourth"];
    let columns = names.map(|name| Column::text(name).null());

    project.change([("chat_person", columns.into_iter().fold(person(), Table::column))]).make("").unwrap();

    let name = project.files("chat").pop().unwrap();
    assert_eq!(name, "m0002_person_one_long_name_person_another_long_name_and_more.rs");
    assert!(name.len() <= 60 + "m.rs".len());
}

#[test]
fn apps_are_chosen_by_name() {
    let mut project = Project::new([("chat_person", person())]).app("shop", [("shop_item", person())]);

    project.make("shop").unwrap();

    assert_eq!(project.files("shop"), ["m0001_initial.rs"]);
    assert!(project.files("chat").is_empty());
    let error = line(&project.make("blog").unwrap_err());
    assert_eq!(error, "there is no app `blog`; there are `chat`, `shop`");
}

#[test]
fn what_the_command_line_gets_wrong_is_told() {
    let mut project = Project::new([]);
    let mut told = |args: &str| line(&project.make(args).unwrap_err());

    assert!(told("--merge").contains("no option `--merge`"));
    assert!(told("--check=1").contains("no option `--check=1`"));
    assert!(told("--name").contains("needs a value"));
    assert!(told("--fill age=1").contains("not of the form TABLE.COLUMN=VALUE"));
    assert!(told("--rename-table person").contains("not of the form OLD=NEW"));
    assert!(told("--check --empty chat").contains("do not go together"));
    assert!(told("--empty").contains("needs the name of an app"));
    assert!(project.make("--help").unwrap().report.contains("--rename TABLE.OLD=NEW"));
}

#[test]
fn a_migration_comes_after_that_of_another_app_whose_table_it_points_at() {
    let mut project = Project::new([("chat_person", pointing("chat_person", "shop_item"))])
        .app("shop", [("shop_item", person())]);

    project.make("").unwrap();

    let file = project.read("src/chat/migrations/m0001_initial.rs");
    assert!(file.contains(".after(\"shop\", \"0001_initial\")"), "{file}");
    assert!(!project.read("src/shop/migrations/m0001_initial.rs").contains(".after("));
}

#[test]
fn apps_that_point_at_each_other_get_a_second_migration() {
    let mut project = Project::new([("chat_person", pointing("chat_person", "shop_item"))])
        .app("shop", [("shop_item", pointing("shop_item", "chat_person"))]);

    project.make("").unwrap();

    assert_eq!(project.files("chat"), ["m0001_initial.rs", "m0002_person_at_key.rs"]);
    assert_eq!(project.files("shop"), ["m0001_initial.rs"]);
    assert!(!project.read("src/chat/migrations/m0001_initial.rs").contains(".after("));
    assert!(
        project.read("src/shop/migrations/m0001_initial.rs").contains(".after(\"chat\", \"0001_initial\")")
    );
    assert!(
        project
            .read("src/chat/migrations/m0002_person_at_key.rs")
            .contains(".after(\"shop\", \"0001_initial\")")
    );
    assert_eq!(project.make("").unwrap().report, "No changes detected.\n");
}

#[test]
fn a_table_is_dropped_after_the_other_app_stopped_pointing_at_it() {
    let mut project = Project::new([("chat_person", pointing("chat_person", "shop_item"))])
        .app("shop", [("shop_item", person())]);
    project.make("").unwrap();
    project.change_app("shop", []);

    let alone = line(&project.make("shop").unwrap_err());
    project.change([("chat_person", person())]).make("").unwrap();

    assert!(
        alone.contains("`chat_person` of the app `chat` points at `shop_item`, which is to be dropped"),
        "{alone}"
    );
    let file = project.read("src/shop/migrations/m0002_drop_item.rs");
    assert!(file.contains(".after(\"chat\", \"0002_"), "{file}");
}

#[test]
fn a_table_that_goes_to_another_app_is_not_dropped_with_its_rows() {
    let mut project = Project::new([("chat_person", person())]).app("shop", []);
    project.make("").unwrap();
    project.change([]).change_app("shop", [("chat_person", person())]);

    let error = line(&project.make("").unwrap_err());

    assert!(error.contains("`chat_person` goes from the app `chat` to `shop`"), "{error}");
}

#[test]
fn a_table_of_two_apps_is_refused() {
    let mut project = Project::new([("person", person())]).app("shop", [("person", person())]);

    let error = line(&project.make("").unwrap_err());

    assert_eq!(
        error,
        "the table `person` is in the models of `chat` and of `shop`: one of them must not have it"
    );
}

#[test]
fn models_that_cannot_be_read_are_told_with_their_app() {
    let mut project = Project::new([]);
    project.change_models(Models::new().entity(interval::Entity));

    let error = line(&project.make("").unwrap_err());

    assert!(
        error.starts_with("the models of `chat` cannot be read: `value` of `it::make::entities"),
        "{error}"
    );
}

#[test]
fn what_a_migration_cannot_say_is_noted_when_the_column_is_written() {
    let mut project = Project::new([]);
    project.change_models(Models::new().entity(kinds::Entity));

    let report = project.make("").unwrap().report;

    assert!(report.contains("Note: `checked` of `kinds`: `extra = \"CHECK (checked > 0)\"`"), "{report}");
    assert!(report.contains("Note: `native` of `kinds`: SeaORM writes an enum"), "{report}");
    assert!(report.contains("Note: `unsigned` of `kinds`: SeaORM reads unsigned integers"), "{report}");
    assert_eq!(project.make("").unwrap().report, "No changes detected.\n");
}

#[test]
fn an_app_whose_source_is_elsewhere_is_told() {
    let mut project = Project::new([("chat_person", person())]);
    project.make("").unwrap();
    fs::remove_file(project.path("src/chat/migrations/mod.rs")).unwrap();
    project.change([("chat_person", with_note())]);

    let error = line(&project.make("").unwrap_err());

    assert!(
        error.contains("`src/chat/migrations/mod.rs`, which has the migrations of `chat`, is not here"),
        "{error}"
    );
    assert_eq!(project.make("--check").unwrap().code, 1);
}

#[test]
fn what_mysql_refuses_is_noted_when_it_is_written() {
    let room = Table::new().column(Column::integer("id").auto()).primary_key(["id"]);
    let key = ForeignKey::new("fk", ["at"], "chat_room", ["id"]).on_delete(Action::SetNull);
    let text = person().column(Column::text("slug")).index(Index::unique("slugs", ["slug"]));
    let person = text.column(Column::big_integer("at")).foreign_key(key);
    let mut project = Project::new([("chat_room", room), ("chat_person", person)]);

    let report = project.make("").unwrap().report;

    assert!(
        report.contains("Note: `at` of `chat_person` is big integer, and `id` of `chat_room`"),
        "{report}"
    );
    assert!(report.contains("Note: `at` of `chat_person` is to be set to NULL and holds none"), "{report}");
    assert!(report.contains("Note: `slug` of `chat_person` is in an index"), "{report}");
}

#[test]
fn texts_that_are_too_long_together_and_one_value_for_all_rows_are_noted() {
    let long = |name: &str| Column::varchar(name, 300);
    let three = person().column(long("a")).column(long("b")).column(long("c"));
    let mut project =
        Project::new([("chat_person", three.clone().index(Index::unique("abc", ["a", "b", "c"])))]);
    let first = project.make("").unwrap().report;
    let code = three.index(Index::unique("abc", ["a", "b", "c"])).column(long("code"));
    project.change([("chat_person", code.index(Index::unique("code", ["code"])))]);

    let second = project.make("--fill chat_person.code=x").unwrap().report;

    assert!(first.contains("Note: `a`, `b`, `c` of `chat_person` are unique together"), "{first}");
    assert!(second.contains("Note: `code` of `chat_person` is unique and has one value"), "{second}");
}

#[tokio::test]
async fn what_needs_no_database_connects_to_none() {
    let commands = Commands::new().app("chat", Models::new(), Migrations::default());
    let run = async |args: &[&str]| {
        let connect = async || Err::<DatabaseConnection, _>("nobody is there");
        let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
        commands.run_lazily(connect, &args).await.map_err(|error| error.line())
    };

    for args in [["makemigrations", "--check"], ["migrate", "--help"], ["showmigrations", "-h"]] {
        run(&args).await.unwrap();
    }
    assert!(run(&["migrat"]).await.unwrap_err().contains("no command `migrat`"));
    assert!(run(&["migrate", "--fakt"]).await.unwrap_err().contains("does not know `--fakt`"));
    assert!(run(&["showmigrations", "--all"]).await.unwrap_err().contains("does not know `--all`"));
    assert!(run(&["migrate"]).await.unwrap_err().contains("nobody is there"));
}
