//! Entities, read into tables.

use narrows_models::schema::{Action, Column, ForeignKey, Index, Kind, Literal, Table};
use narrows_models::{ModelError, Models};
use sea_orm::EntityTrait;

use super::entities::{
    bare_decimal, custom, elsewhere, folder, function, inet, interval, kinds, long_name, member, message,
    room, too_big_default, wordy, wrong_default,
};

fn table<E: EntityTrait>(entity: E) -> narrows_models::schema::Table {
    let name = entity.table_name();
    Models::new().entity(entity).read().unwrap().tables.remove(name).unwrap()
}

fn refusal<E: EntityTrait>(entity: E) -> String {
    Models::new().entity(entity).read().unwrap_err().to_string()
}

#[test]
fn a_dense_entity_has_its_columns_in_order_with_all_that_is_said_of_them() {
    let room = table(room::Entity);

    let columns = [
        Column::big_integer("id").auto(),
        Column::varchar("name", 80),
        Column::text("topic").null(),
        Column::date_time("made_at").default_now(),
    ];
    assert_eq!(room.columns, columns);
    assert_eq!(room.primary_key, ["id"]);
    assert_eq!(room.indexes, [Index::unique("uniq-chat_room-name", ["name"])]);
    assert_eq!(room.foreign_keys, []);
}

#[test]
fn relations_enums_groups_and_indexes_of_an_entity_are_read() {
    let message = table(message::Entity);

    assert_eq!(message.columns[4], Column::varchar("kind", 12).default("plain"));
    assert_eq!(message.columns[5], Column::small_integer("mood").null());
    let key = ForeignKey::new("fk-chat_message-room_id", ["room_id"], "chat_room", ["id"]);
    assert_eq!(message.foreign_keys, [key.on_delete(Action::Cascade)]);
    let indexes = [
        Index::unique("uniq-chat_message-thread-position", ["thread", "position"]),
        Index::new("idx-chat_message-room_id", ["room_id"]),
    ];
    assert_eq!(message.indexes, indexes);
}

#[test]
fn an_entity_of_the_older_form_may_have_a_key_of_two_columns() {
    let member = table(member::Entity);

    assert_eq!(member.primary_key, ["room_id", "person"]);
    assert!(member.columns.iter().all(|column| !column.auto && !column.null));
    assert_eq!(member.foreign_keys[0].on_update, Action::NoAction);
}

#[test]
fn a_table_may_point_at_itself() {
    let folder = table(folder::Entity);

    let key = ForeignKey::new("fk-folder-parent_id", ["parent_id"], "folder", ["id"]);
    assert_eq!(folder.foreign_keys, [key.on_delete(Action::SetNull)]);
}

#[test]
fn every_type_that_all_databases_have_is_of_a_kind() {
    let kinds: Vec<Kind> = table(kinds::Entity).columns.into_iter().map(|column| column.kind).collect();

    let expected = [
        Kind::Integer,
        Kind::Boolean,
        Kind::SmallInteger,
        Kind::SmallInteger,
        Kind::Integer,
        Kind::BigInteger,
        Kind::SmallInteger,
        Kind::BigInteger,
        Kind::Float,
        Kind::Double,
        Kind::Decimal(12, 2),
        Kind::Varchar(255),
        Kind::Varchar(2),
        Kind::Text,
        Kind::Bytes,
        Kind::Date,
        Kind::Time,
        Kind::DateTime,
        Kind::LocalDateTime,
        Kind::Uuid,
        Kind::Json,
        Kind::Integer,
        Kind::Varchar(9),
    ];
    assert_eq!(kinds, expected);
}

#[test]
fn defaults_are_values_of_the_columns_kind() {
    let columns = table(kinds::Entity).columns;
    let default =
        |name: &str| columns.iter().find(|column| column.name == name).unwrap().default.clone().unwrap();

    assert_eq!(default("boolean"), Literal::Boolean(true));
    assert_eq!(default("whole"), Literal::Integer(-7));
    assert_eq!(default("double"), Literal::Number("2.5".to_owned()));
    assert_eq!(default("price"), Literal::Number("9.50".to_owned()));
    assert_eq!(default("json"), Literal::Text("{}".to_owned()));
    assert!(!columns[0].auto, "it was told not to number its rows");
}

#[test]
fn a_type_that_not_all_databases_have_says_what_to_use() {
    let entity = "it::make::entities::interval::Entity";
    let expected = format!(
        "`value` of `{entity}` has the type `Interval(None, None)`, which not every database has: use a whole number \
         of seconds, `i64`"
    );

    assert_eq!(refusal(interval::Entity), expected);
    assert!(refusal(custom::Entity).contains("`citext`"), "{}", refusal(custom::Entity));
    assert!(refusal(bare_decimal::Entity).contains("Decimal(Some((16, 4)))"));
    assert!(refusal(inet::Entity).ends_with("use `String`"));
}

#[test]
fn a_default_that_not_all_databases_have_is_refused() {
    assert!(refusal(function::Entity).contains("gen_random_uuid(), is no varchar(255): use `default_value`"));
    assert!(refusal(wrong_default::Entity).ends_with("\"many\", is no integer"));
    assert!(refusal(too_big_default::Entity).ends_with("40000, is no small integer"));
}

#[test]
fn names_and_places_that_not_all_databases_have_are_refused() {
    assert!(refusal(long_name::Entity).contains("63 bytes that PostgreSQL takes"));
    assert!(refusal(elsewhere::Entity).contains("schema_name = \"sys\""));
}

#[test]
fn an_index_over_several_columns_is_added_to_an_entity_once() {
    let columns = [message::Column::Thread, message::Column::Mood];
    let models = || Models::new().index(message::Entity, columns);

    let read = models().entity(message::Entity).index(message::Entity, columns).read().unwrap();
    let alone = models().read().unwrap_err().to_string();

    let expected = Index::new("idx-chat_message-thread-mood", ["thread", "mood"]);
    let found = read.tables["chat_message"].indexes.iter().filter(|index| **index == expected);
    assert_eq!(found.count(), 1);
    assert!(alone.contains("the table `chat_message`, whose entity is not among the models"), "{alone}");
}

#[test]
fn names_that_would_break_a_file_or_a_database_are_refused() {
    let told = |table: &str, column: &str| {
        let of = Table::new().column(Column::integer(column)).primary_key([column]);
        Models::new().table(table, of).read().unwrap_err().to_string()
    };

    assert!(told("a\nb", "id").contains(r#"the name "a\nb" in `Models::table` has a line break"#));
    assert!(told("a", "b\u{85}").contains("control character"));
    assert!(told("a", "").contains("is empty"));
    assert!(told("a ", "id").contains("ends with a space"));
    assert!(told("SQLite_a", "id").contains("keeps for itself"));
}

#[test]
fn names_that_differ_by_case_alone_are_refused() {
    let id = || Table::new().column(Column::integer("id")).primary_key(["id"]);

    let columns = Models::new().table("a", id().column(Column::text("ID"))).read().unwrap_err().to_string();
    let tables = Models::new().table("a", id()).table("A", id()).read().unwrap_err().to_string();

    assert!(columns.contains("`id` and `ID` in `Models::table` differ by case alone"), "{columns}");
    assert!(tables.contains("`A` and `a`"), "{tables}");
}

#[test]
fn a_decimal_that_no_database_has_is_refused_in_a_table_too() {
    let price = Table::new().column(Column::integer("id")).column(Column::decimal("price", 2, 5));

    let error = Models::new().table("a", price.primary_key(["id"])).read().unwrap_err().to_string();

    assert!(error.contains("`price` of `Models::table`") && error.contains("1 to 65 digits"), "{error}");
}

#[test]
fn two_entities_of_one_table_are_refused() {
    let twice = Models::new().entity(room::Entity).entity(room::Entity).read();

    assert!(matches!(twice, Err(ModelError::Twice { table, .. }) if table == "chat_room"));
}

#[test]
fn long_names_of_indexes_are_cut_and_stay_apart() {
    let wordy = table(wordy::Entity);

    let names: Vec<&str> = wordy.indexes.iter().map(|index| index.name.as_str()).collect();
    assert_eq!(names.len(), 3);
    assert!(names.iter().all(|name| name.len() <= 63), "{names:?}");
    assert!(names[0] != names[1] && names[1] != names[2] && names[0] != names[2], "{names:?}");
    assert_eq!(names[0], "uniq-the_table_of_all_those_who_were_ever_aske-14194e23427af283");
}
