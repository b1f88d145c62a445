//! Several apps whose tables point at each other, over several runs.

use narrows_models::migration::{Column, ForeignKey, Index, Kind, Table};

use super::project::{Project, line};

fn plain() -> Table {
    Table::new().column(Column::big_integer("id").auto()).primary_key(["id"])
}

fn pointing(to: &str) -> Table {
    let key = ForeignKey::new(&format!("fk-to-{to}"), ["at"], to, ["id"]);
    plain().column(Column::big_integer("at").null()).foreign_key(key)
}

/// The app `chat`, whose people point at the items of the app `shop`.
fn made() -> Project {
    let mut project =
        Project::new([("chat_person", pointing("shop_item"))]).app("shop", [("shop_item", plain())]);
    project.make("").unwrap();
    project
}

#[test]
fn a_table_is_renamed_after_what_points_at_it_by_its_old_name() {
    let mut project = made();
    project.change([("chat_person", pointing("shop_thing"))]).change_app("shop", [("shop_thing", plain())]);

    project.make("--rename-table shop_item=shop_thing").unwrap();

    let renamed = project.read("src/shop/migrations/m0002_rename_item_thing.rs");
    assert!(renamed.contains(".after(\"chat\", \"0001_initial\")"), "{renamed}");
    let file = project.files("chat").pop().unwrap();
    let pointed = project.read(&format!("src/chat/migrations/{file}"));
    assert!(pointed.contains(".after(\"shop\", \"0002_rename_item_thing\")"), "{pointed}");
}

#[test]
fn a_table_is_dropped_after_what_pointed_at_it_in_an_earlier_run() {
    let mut project = made();
    project.change([("chat_person", plain())]).make("").unwrap();

    project.change_app("shop", []).make("").unwrap();

    let last = project.files("chat").pop().unwrap();
    let name = last.trim_start_matches('m').trim_end_matches(".rs");
    let dropped = project.read("src/shop/migrations/m0002_drop_item.rs");
    assert!(dropped.contains(&format!(".after(\"chat\", \"{name}\")")), "{dropped}");
}

#[test]
fn apps_that_point_at_each_other_are_emptied_without_a_circle() {
    let mut project = Project::new([("chat_person", pointing("shop_item"))])
        .app("shop", [("shop_item", pointing("chat_person"))]);
    project.make("").unwrap();

    project.change([]).change_app("shop", []).make("").unwrap();

    let shop: Vec<String> = project.files("shop");
    assert_eq!(shop, ["m0001_initial.rs", "m0002_drop_fk_to_chat_person.rs", "m0003_drop_item.rs"]);
    assert!(!project.read(&format!("src/shop/migrations/{}", shop[1])).contains("chat\", \"0003"));
    let dropped = project.read("src/chat/migrations/m0003_drop_person.rs");
    assert!(dropped.contains(".after(\"shop\", \"0002_drop_fk_to_chat_person\")"), "{dropped}");
}

#[test]
fn the_type_of_a_key_changes_in_both_apps_while_nothing_points() {
    let with = |mut table: Table| {
        table.columns.last_mut().unwrap().kind = Kind::Integer;
        table
    };
    let mut project = made();

    project
        .change([("chat_person", with(pointing("shop_item")))])
        .change_app("shop", [("shop_item", with(plain()))])
        .make("")
        .unwrap();

    let chat = project.files("chat");
    let (free, again) = (&chat[1], &chat[2]);
    let free = free.trim_start_matches('m').trim_end_matches(".rs");
    let shop = project.read("src/shop/migrations/m0002_alter_item_id.rs");
    assert!(shop.contains(&format!("\"{free}\"")), "{shop}");
    let again = project.read(&format!("src/chat/migrations/{again}"));
    assert!(again.contains(".after(\"shop\", \"0002_alter_item_id\")"), "{again}");
}

#[test]
fn a_key_comes_after_what_made_its_target_unique() {
    let item = || plain().column(Column::varchar("code", 9));
    let unique = || item().index(Index::unique("uniq-code", ["code"]));
    let mut project = Project::new([]).app("shop", [("shop_item", item())]);
    project.make("").unwrap();
    project.change_app("shop", [("shop_item", unique())]).make("").unwrap();
    let key = ForeignKey::new("fk", ["at"], "shop_item", ["code"]);

    let person = plain().column(Column::varchar("at", 9).null()).foreign_key(key);
    project.change([("chat_person", person)]).make("").unwrap();

    let file = project.read("src/chat/migrations/m0001_initial.rs");
    assert!(file.contains(".after(\"shop\", \"0002_item_code_unique\")"), "{file}");
}

#[test]
fn a_table_that_goes_to_another_app_is_told_one_app_at_a_time_too() {
    let mut project = Project::new([("chat_person", plain())]).app("shop", []);
    project.make("").unwrap();
    project.change([]).change_app("shop", [("chat_person", plain())]);

    for app in ["shop", ""] {
        let error = line(&project.make(app).unwrap_err());
        assert!(error.contains("`chat_person` goes from the app `chat` to `shop`"), "{error}");
    }
}

#[test]
fn a_key_to_a_model_that_has_no_migration_yet_names_the_app_to_make_too() {
    let mut project =
        Project::new([("chat_person", pointing("shop_item"))]).app("shop", [("shop_item", plain())]);

    let error = line(&project.make("chat").unwrap_err());

    assert!(
        error.contains("point at `shop_item` of the app `shop`, which no migration makes yet"),
        "{error}"
    );
    project.make("chat shop").unwrap();
}

#[test]
fn a_dropped_column_that_another_app_points_at_is_told() {
    let item = || plain().column(Column::varchar("code", 9));
    let unique = item().index(Index::unique("uniq-code", ["code"]));
    let key = ForeignKey::new("fk", ["at"], "shop_item", ["code"]);
    let person = plain().column(Column::varchar("at", 9).null()).foreign_key(key);
    let mut project = Project::new([("chat_person", person)]).app("shop", [("shop_item", unique)]);
    project.make("").unwrap();

    let error = line(&project.change_app("shop", [("shop_item", plain())]).make("").unwrap_err());

    assert!(error.contains("`chat_person` of the app `chat` points at `shop_item`"), "{error}");
}
