//! The files, word for word.

use narrows_models::Models;
use narrows_models::migration::{Action, Column, ForeignKey, Index, Kind, Table};

use super::entities::{message, room};
use super::project::Project;

fn person() -> Table {
    Table::new()
        .column(Column::big_integer("id").auto())
        .column(Column::varchar("name", 40))
        .column(Column::integer("room_id"))
        .column(Column::text("note"))
        .primary_key(["id"])
}

/// The last migration of the app, when its tables became these.
fn last<const N: usize, const M: usize>(
    before: [(&str, Table); N],
    now: [(&str, Table); M],
    args: &str,
) -> String {
    let mut project = Project::new(before);
    project.make("").unwrap();
    project.change(now).make(args).unwrap();
    let file = project.files("chat").pop().unwrap();
    project.read(&format!("src/chat/migrations/{file}"))
}

fn body(file: &str) -> &str {
    let from = file.find("    Migration::new").unwrap();
    file[from..].strip_suffix("\n}\n").unwrap()
}

#[test]
fn entities_are_written_as_tables_in_the_order_in_which_they_need_each_other() {
    let mut project = Project::new([]);
    project.change_models(Models::new().entity(message::Entity).entity(room::Entity));

    project.make("").unwrap();

    let expected = r#"//! Makes `room` and `message`.

use narrows_models::migration::{Action, Column, ForeignKey, Index, Migration, Table};

pub(super) fn migration() -> Migration {
    Migration::new("0001_initial")
        .create_table(
            "chat_room",
            Table::new()
                .column(Column::big_integer("id").auto())
                .column(Column::varchar("name", 80))
                .column(Column::text("topic").null())
                .column(Column::date_time("made_at").default_now())
                .primary_key(["id"])
                .index(Index::unique("uniq-chat_room-name", ["name"])),
        )
        .create_table(
            "chat_message",
            Table::new()
                .column(Column::big_integer("id").auto())
                .column(Column::big_integer("room_id"))
                .column(Column::integer("thread"))
                .column(Column::integer("position"))
                .column(Column::varchar("kind", 12).default("plain"))
                .column(Column::small_integer("mood").null())
                .primary_key(["id"])
                .index(Index::unique(
                    "uniq-chat_message-thread-position",
                    ["thread", "position"],
                ))
                .index(Index::new("idx-chat_message-room_id", ["room_id"]))
                .foreign_key(
                    ForeignKey::new("fk-chat_message-room_id", ["room_id"], "chat_room", ["id"])
                        .on_delete(Action::Cascade),
                ),
        )
}
"#;
    assert_eq!(project.read("src/chat/migrations/m0001_initial.rs"), expected);
}

#[test]
fn renamed_and_dropped_columns_are_written() {
    let mut now = person();
    now.columns.remove(3);
    "title".clone_into(&mut now.columns[1].name);

    let file = last([("chat_person", person())], [("chat_person", now)], "--rename chat_person.name=title");

    assert!(
        file.starts_with("//! Renames `name` of `person` to `title` and drops `note` of `person`.\n"),
        "{file}"
    );
    let expected = r#"    Migration::new("0002_rename_person_name_title_drop_person_note")
        .rename_column("chat_person", "name", "title")
        .drop_column("chat_person", DropColumn::new("note").fill(""))"#;
    assert_eq!(body(&file), expected);
}

#[test]
fn a_change_that_may_lose_values_warns() {
    let mut now = person();
    now.columns[3] = Column::integer("note").null();

    let file = last([("chat_person", person())], [("chat_person", now)], "");

    let expected = r#"    Migration::new("0002_alter_person_note")
        // From text to integer: a value that does not fit stops this.
        // Where rows may have such values, change them first, by `.sql(…)` or `.run(…)`.
        .alter_column("chat_person", Column::integer("note").null().undo_fill(""))"#;
    assert_eq!(body(&file), expected);
}

#[test]
fn a_wider_type_does_not_warn() {
    let mut now = person();
    now.columns[1].kind = Kind::Varchar(80);
    now.columns[2].kind = Kind::BigInteger;

    let file = last([("chat_person", person())], [("chat_person", now)], "");

    assert!(!file.contains("//  "), "{file}");
    assert!(!file.contains("From"), "{file}");
    assert!(file.contains(r#".alter_column("chat_person", Column::varchar("name", 80))"#), "{file}");
}

#[test]
fn indexes_and_foreign_keys_come_and_go_in_an_order_that_works() {
    let room = Table::new().column(Column::integer("id").auto()).primary_key(["id"]);
    let key = ForeignKey::new("fk-chat_person-room_id", ["room_id"], "chat_room", ["id"]);
    let before = person().index(Index::new("idx-chat_person-room_id", ["room_id"])).foreign_key(key.clone());
    let now = person()
        .index(Index::unique("uniq-chat_person-room_id", ["room_id"]))
        .foreign_key(key.on_delete(Action::Cascade));

    let file = last(
        [("chat_person", before), ("chat_room", room.clone())],
        [("chat_person", now), ("chat_room", room)],
        "",
    );

    let expected = r#"    Migration::new("0002_drop_fk_chat_person_room_id_and_more")
        .drop_foreign_key("chat_person", "fk-chat_person-room_id")
        .drop_index("chat_person", "idx-chat_person-room_id")
        .add_index(
            "chat_person",
            Index::unique("uniq-chat_person-room_id", ["room_id"]),
        )
        .add_foreign_key(
            "chat_person",
            ForeignKey::new("fk-chat_person-room_id", ["room_id"], "chat_room", ["id"])
                .on_delete(Action::Cascade),
        )"#;
    assert_eq!(body(&file), expected);
}

#[test]
fn one_off_values_are_written_as_they_were_given() {
    let now = person()
        .column(Column::decimal("price", 8, 2))
        .column(Column::date_time("when"))
        .column(Column::varchar("town", 9));

    let args = "--fill chat_person.price=9.50 --fill chat_person.when=now --fill chat_person.town=R\"\\m";
    let file = last([("chat_person", person())], [("chat_person", now)], args);

    assert!(file.contains(r#"Column::decimal("price", 8, 2).fill(Literal::number("9.50"))"#), "{file}");
    assert!(file.contains(r#"Column::date_time("when").fill(Literal::Now)"#), "{file}");
    assert!(file.contains(r#"Column::varchar("town", 9).fill("R\"\\m")"#), "{file}");
}
