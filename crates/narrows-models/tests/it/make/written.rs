//! What `makemigrations` writes, where, and what it leaves alone.

use std::fs;
use std::path::PathBuf;

use narrows_models::commands::{AppModels, make};
use narrows_models::migration::{Column, Index, Migration, Table};
use narrows_models::{Migrations, Models, snapshot};

use super::project::{Project, line};

fn person() -> Table {
    Table::new()
        .column(Column::big_integer("id").auto())
        .column(Column::varchar("name", 40))
        .primary_key(["id"])
}

fn with_age() -> Table {
    person().column(Column::integer("age").default(18))
}

#[test]
fn a_first_migration_makes_the_folder_and_the_app_uses_it() {
    let mut project = Project::new([("chat_person", person())]);

    let outcome = project.make("").unwrap();

    assert_eq!(outcome.code, 0);
    assert!(outcome.report.contains("m0001_initial.rs\n    - makes `person`"), "{}", outcome.report);
    let app = project.read("src/chat/mod.rs");
    // In rustfmt's order.
    assert!(app.contains("mod migrations;\nmod models;\n"), "{app}");
    assert!(app.contains(".migrations(migrations::all())"), "{app}");
    let list = "//! The migrations of this app, in order. `makemigrations` adds to the list.\n\nmod m0001_initial;\n\n\
                use narrows_models::{Migrations, migrations};\n\n/// All of them.\n\
                pub(crate) fn all() -> Migrations {\n    migrations![m0001_initial]\n}\n";
    assert_eq!(project.read("src/chat/migrations/mod.rs"), list);
}

#[test]
fn an_import_of_the_macro_goes_with_it() {
    for (before, after) in [
        ("use narrows_models::{Migrations, migrations};\n", "use narrows_models::Migrations;\n"),
        (
            "use narrows_models::Migrations;\nuse narrows_models::migrations;\n",
            "use narrows_models::Migrations;\n",
        ),
        (
            "use narrows_models::{Migrations, migrations as m};\n",
            "use narrows_models::{Migrations, migrations as m};\n",
        ),
    ] {
        let mut project = Project::new([("chat_person", person())]);
        let rest = "\nfn all() -> Migrations {\n    migrations!()\n}\n";
        project.write("src/chat/mod.rs", &format!("{before}{rest}"));

        project.make("").unwrap();

        let expected =
            format!("mod migrations;\n\n{after}{}", rest.replace("migrations!()", "migrations::all()"));
        assert_eq!(project.read("src/chat/mod.rs"), expected);
    }
}

#[test]
fn a_second_run_finds_nothing() {
    let mut project = Project::new([("chat_person", person())]);
    project.make("").unwrap();

    assert_eq!(project.make("").unwrap().report, "No changes detected.\n");
    assert_eq!(project.make("chat --check").unwrap().report, "No changes detected in `chat`.\n");
    assert_eq!(project.files("chat"), ["m0001_initial.rs"]);
}

#[test]
fn a_further_migration_is_added_to_the_list_and_the_snapshot() {
    let mut project = Project::new([("chat_person", person())]);
    project.make("").unwrap();

    project.change([("chat_person", with_age())]).make("").unwrap();

    let expected = "//! Adds `age` to `person`.\n\nuse narrows_models::migration::{Column, Migration};\n\n\
                    pub(super) fn migration() -> Migration {\n    Migration::new(\"0002_person_age\")\
                    .add_column(\"chat_person\", Column::integer(\"age\").default(18))\n}\n";
    assert_eq!(project.read("src/chat/migrations/m0002_person_age.rs"), expected);
    let list = project.read("src/chat/migrations/mod.rs");
    assert!(list.contains("mod m0001_initial;\nmod m0002_person_age;\n"), "{list}");
    assert!(list.contains("migrations![m0001_initial, m0002_person_age]"), "{list}");
    let schema = snapshot::read(&project.read("src/chat/migrations/snapshot.json")).unwrap();
    assert_eq!(schema.tables["chat_person"], with_age());
}

#[test]
fn whatever_else_stands_in_the_list_stays() {
    let mut project = Project::new([("chat_person", person())]);
    project.make("").unwrap();
    let before = "//! Mine.\n#![allow(dead_code)]\n\nuse narrows_web::models::{Migrations, migrations};\n\n\
                  pub(crate) mod m0001_initial;\nmod helpers;\n\n/// `migrations![a, b]` is /* not */ here.\n\
                  fn text() -> &'static str {\n    r#\"migrations![\"quoted\"]\"#\n}\n\n\
                  pub fn all() -> Migrations {\n    let tick = '\"';\n    migrations![\n        \
                  m0001_initial, // the first\n    ]\n}\n";
    project.write("src/chat/migrations/mod.rs", before);

    project.change([("chat_person", with_age())]).make("").unwrap();

    let after = before
        .replace("mod m0001_initial;\n", "mod m0001_initial;\nmod m0002_person_age;\n")
        .replace("m0001_initial, //", "m0001_initial, m0002_person_age, //");
    assert_eq!(project.read("src/chat/migrations/mod.rs"), after);
    let written = project.read("src/chat/migrations/m0002_person_age.rs");
    assert!(written.contains("use narrows_web::models::migration::{Column, Migration};"), "{written}");
}

#[test]
fn a_long_list_has_a_line_for_each() {
    let mut project = Project::new([("chat_person", person())]);
    project.make("").unwrap();
    project.change([("chat_person", with_age())]).make("--name the_age_of_all_people").unwrap();
    let unique = with_age().index(Index::unique("uniq-chat_person-name", ["name"]));

    project.change([("chat_person", unique)]).make("").unwrap();

    let list = project.read("src/chat/migrations/mod.rs");
    let expected = "    migrations![\n        m0001_initial,\n        m0002_the_age_of_all_people,\n        \
                    m0003_person_name_unique,\n    ]\n";
    assert!(list.contains(expected), "{list}");
}

#[test]
fn a_list_that_cannot_be_understood_says_what_to_add_and_nothing_is_written() {
    let mut project = Project::new([("chat_person", person())]);
    project.make("").unwrap();
    let list =
        "mod m0001_initial;\npub fn all() -> Migrations {\n    migrations![m0001_initial, more()]\n}\n";
    project.write("src/chat/migrations/mod.rs", list);

    let error = line(&project.change([("chat_person", with_age())]).make("").unwrap_err());

    assert!(error.contains("`migrations!` holds \"more()\""), "{error}");
    assert!(error.contains("`mod m0002_person_age;`, and `m0002_person_age` at the end"), "{error}");
    assert_eq!(project.read("src/chat/migrations/mod.rs"), list);
    assert_eq!(project.files("chat"), ["m0001_initial.rs"]);
}

#[test]
fn a_list_that_changed_since_the_program_was_built_is_told() {
    let mut project = Project::new([("chat_person", person())]);
    project.make("").unwrap();
    project.write("src/chat/migrations/mod.rs", "migrations![m0001_initial, m0002_other]");

    let error = line(&project.change([("chat_person", with_age())]).make("").unwrap_err());

    assert!(
        error.contains("lists 2 migrations, and this program was built with 1: build it again"),
        "{error}"
    );
}

#[test]
fn a_file_that_is_there_is_never_written_over_and_nothing_else_stays_behind() {
    let mut project = Project::new([("chat_person", person())]);
    project.make("").unwrap();
    let list = project.read("src/chat/migrations/mod.rs");
    let snapshot = project.read("src/chat/migrations/snapshot.json");
    project.write("src/chat/migrations/m0002_person_age.rs", "// mine\n");

    let error = line(&project.change([("chat_person", with_age())]).make("").unwrap_err());

    assert!(error.contains("there is one already"), "{error}");
    assert_eq!(project.read("src/chat/migrations/m0002_person_age.rs"), "// mine\n");
    assert_eq!(project.read("src/chat/migrations/mod.rs"), list);
    assert_eq!(project.read("src/chat/migrations/snapshot.json"), snapshot);
    assert_eq!(fs::read_dir(project.path("src/chat/migrations")).unwrap().count(), 4);
}

/// What the compiler says of the list of this project, if the package is in `package` and the file called `file`.
fn app(project: &Project, package: &str, file: &str) -> AppModels {
    let first = Migration::new("0001_initial").create_table("chat_person", person());
    let snapshot = project.read("src/chat/migrations/snapshot.json");
    let models = Models::new().table("chat_person", with_age());
    AppModels::new("chat", models, Migrations::new(&format!("{package}|{file}"), &snapshot, vec![first]))
}

/// The list and its snapshot, in another folder of the project.
fn copied(project: &Project, to: &str) -> PathBuf {
    let folder = project.path(to);
    fs::create_dir_all(&folder).unwrap();
    for name in ["mod.rs", "snapshot.json"] {
        fs::copy(project.path("src/chat/migrations").join(name), folder.join(name)).unwrap();
    }
    folder
}

#[test]
fn the_folder_is_found_in_a_member_of_a_workspace() {
    let mut project = Project::new([("chat_person", person())]);
    project.make("").unwrap();
    let folder = copied(&project, "crates/site/src/chat/migrations");
    let package = project.path("crates/site").display().to_string();

    let app = app(&project, &package, "crates/site/src/chat/migrations/mod.rs");
    make::run_with(&[app], &[], None).unwrap();

    assert!(folder.join("m0002_person_age.rs").exists());
}

#[test]
fn the_folder_is_found_from_here_after_the_checkout_was_moved() {
    let mut project = Project::in_here([("chat_person", person())]);
    project.make("").unwrap();
    let here = std::env::current_dir().unwrap();
    let file = project.path("src/chat/migrations/mod.rs");
    let Some(named) = here.ancestors().find_map(|folder| file.strip_prefix(folder).ok()) else {
        println!("left out: the target folder is not in the workspace");
        return;
    };

    let app = app(&project, "/where/it/was", &named.display().to_string());
    make::run_with(&[app], &[], None).unwrap();

    assert_eq!(project.files("chat")[1], "m0002_person_age.rs");
}

#[test]
fn a_package_that_cargo_fetched_is_left_alone() {
    let mut project = Project::new([("chat_person", person())]);
    project.make("").unwrap();
    let folder = copied(&project, "cargo/registry/src/index/site-0.1.0/src/migrations");
    project.write("cargo/registry/src/index/site-0.1.0/.cargo-ok", "{\"v\":1}");
    let package = project.path("cargo/registry/src/index/site-0.1.0").display().to_string();

    let app = app(&project, &package, "src/migrations/mod.rs");
    let error = line(&make::run_with(&[app], &[], None).unwrap_err());

    assert!(error.contains("they belong to its author"), "{error}");
    assert_eq!(fs::read_dir(folder).unwrap().count(), 2);
}

#[test]
fn a_package_that_is_called_registry_is_ones_own() {
    let mut project = Project::new([("chat_person", person())]);
    project.make("").unwrap();
    let folder = copied(&project, "crates/registry/src/migrations");
    let package = project.path("crates/registry").display().to_string();

    let app = app(&project, &package, "crates/registry/src/migrations/mod.rs");
    make::run_with(&[app], &[], None).unwrap();

    assert!(folder.join("m0002_person_age.rs").exists());
}

#[test]
fn where_one_app_cannot_be_written_nothing_of_the_others_is() {
    let mut project = Project::new([("chat_person", person())]).app("shop", [("shop_person", person())]);
    project.make("").unwrap();
    project.write("src/shop/migrations/m0002_person_age.rs", "// mine\n");
    let of_chat = |name: &str| format!("src/chat/migrations/{name}");
    let before = ["mod.rs", "snapshot.json"].map(|name| project.read(&of_chat(name)));
    project.change([("chat_person", with_age())]).change_app("shop", [("shop_person", with_age())]);

    let error = line(&project.make("").unwrap_err());

    assert!(
        error.contains("shop/migrations/m0002_person_age.rs` cannot be written: there is one already"),
        "{error}"
    );
    assert_eq!(["mod.rs", "snapshot.json"].map(|name| project.read(&of_chat(name))), before);
    assert_eq!(fs::read_dir(project.path(&of_chat(""))).unwrap().count(), 3);
}

#[test]
fn a_folder_that_was_made_in_vain_goes_again() {
    let mut project = Project::new([("chat_person", person())]).app("shop", [("shop_person", person())]);
    project.make("shop").unwrap();
    project.write("src/shop/migrations/m0002_person_age.rs", "// mine\n");
    let before = project.read("src/chat/mod.rs");

    project.change_app("shop", [("shop_person", with_age())]).make("").unwrap_err();

    assert!(!project.path("src/chat/migrations").exists());
    assert_eq!(project.read("src/chat/mod.rs"), before);
}

#[test]
fn a_list_that_is_written_in_another_style_keeps_it() {
    let mut project = Project::new([("chat_person", person())]);
    project.make("").unwrap();
    let list =
        project.read("src/chat/migrations/mod.rs").replace("pub(crate) fn all()", "pub(crate)  fn  all()");
    project.write("src/chat/migrations/mod.rs", &list);

    project.change([("chat_person", with_age())]).make("").unwrap();

    assert!(project.read("src/chat/migrations/mod.rs").contains("pub(crate)  fn  all()"));
}
