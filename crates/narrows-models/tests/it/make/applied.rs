//! The steps from schema to schema, taken by every database with rows present, there and back.

use narrows_models::diff;
use narrows_models::migration::{Action, Column, ForeignKey, Index, Migration, Table};
use narrows_models::question::Questions;
use narrows_models::schema::{Kind, Schema};

use crate::migrate::site::{Site, on_every_database, table};

fn schema<const N: usize>(tables: [(&str, Table); N]) -> Schema {
    Schema { tables: tables.into_iter().map(|(name, table)| (name.to_owned(), table)).collect() }
}

/// The migration from the one schema to the other.
fn migration(name: &str, old: &Schema, new: &Schema, questions: Questions<'_>) -> Migration {
    let steps = diff::steps(old, new, &[], &mut questions.no_rename()).unwrap();
    steps.into_iter().fold(Migration::new(name), Migration::operation)
}

fn key(name: &str, column: &str, to: &str, to_column: &str) -> ForeignKey {
    ForeignKey::new(name, [column], to, [to_column])
}

/// Rooms and people that point at each other.
fn circle() -> Schema {
    let room = table().column(Column::varchar("name", 40)).column(Column::big_integer("owner_id").null());
    let room =
        room.foreign_key(key("fk-room-owner_id", "owner_id", "person", "id").on_delete(Action::SetNull));
    let person = table()
        .column(Column::varchar("name", 40))
        .column(Column::big_integer("room_id").null())
        .index(Index::new("idx-person-room_id", ["room_id"]))
        .foreign_key(key("fk-person-room_id", "room_id", "room", "id"));
    schema([("room", room), ("person", person)])
}

/// The people point at the names of rooms, which are unique now, and the index of their key is gone.
fn by_name() -> Schema {
    let mut schema = circle();
    let room = schema.tables.get_mut("room").unwrap();
    room.indexes.push(Index::unique("uniq-room-name", ["name"]));
    let person = schema.tables.get_mut("person").unwrap();
    person.indexes.clear();
    person.columns.push(Column::varchar("room_name", 40).null());
    person.foreign_keys.push(key("fk-person-room_name", "room_name", "room", "name"));
    schema
}

/// The names are longer, the people members, and a column of theirs never NULL.
fn longer() -> Schema {
    let mut schema = by_name();
    schema.tables.get_mut("room").unwrap().columns[1].kind = Kind::Varchar(80);
    let mut person = schema.tables.remove("person").unwrap();
    person.columns[3].kind = Kind::Varchar(80);
    person.columns.push(Column::integer("age"));
    for (at, name) in ["fk-member-room_id", "fk-member-room_name"].into_iter().enumerate() {
        name.clone_into(&mut person.foreign_keys[at].name);
    }
    let room = schema.tables.get_mut("room").unwrap();
    room.foreign_keys[0] = key("fk-room-owner_id", "owner_id", "member", "id").on_delete(Action::SetNull);
    schema.tables.insert("member".to_owned(), person);
    schema
}

/// Nothing but the members is left, with an index of another kind.
fn alone() -> Schema {
    let mut schema = longer();
    schema.tables.remove("room");
    let member = schema.tables.get_mut("member").unwrap();
    member.foreign_keys.clear();
    member.columns.retain(|column| column.name != "room_id");
    member.indexes = vec![Index::new("idx-member-age-name", ["age", "name"])];
    schema
}

async fn whatever_the_models_become_every_database_follows_and_comes_back(site: Site) {
    let (empty, circle, by_name, longer, alone) = (Schema::default(), circle(), by_name(), longer(), alone());
    let renamed = Questions::new().rename_table("person", "member").fill("member", "age", "18");
    let all = [
        migration("0001", &empty, &circle, Questions::new()),
        migration("0002", &circle, &by_name, Questions::new()),
        migration("0003", &by_name, &longer, renamed),
        migration("0004", &longer, &alone, Questions::new()),
    ];
    site.to(&all, "0001").await.unwrap();
    site.execute("INSERT INTO room (id, name) VALUES (1, 'lobby')").await;
    site.execute("INSERT INTO person (id, name, room_id) VALUES (7, 'Ada', 1)").await;
    site.execute("UPDATE room SET owner_id = 7").await;

    site.to(&all, "0003").await.unwrap();
    site.execute("UPDATE member SET room_name = 'lobby'").await;
    site.try_execute("UPDATE member SET room_name = 'nowhere'").await.unwrap_err();
    site.to(&all, "0004").await.unwrap();

    let texts = site.texts("SELECT room_name FROM member WHERE age = 18 AND name = 'Ada'").await;
    assert_eq!(texts, ["lobby"]);
    // The room is gone, so what points at one has to go before the keys come back.
    site.execute("UPDATE member SET room_name = NULL").await;
    site.to(&all, "0001").await.unwrap();
    assert_eq!(site.texts("SELECT name FROM person").await, ["Ada"]);
    site.try_execute("UPDATE person SET room_id = 99").await.unwrap_err();
    site.to(&all, "zero").await.unwrap();
}
on_every_database!(whatever_the_models_become_every_database_follows_and_comes_back);
