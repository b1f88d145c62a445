//! A database of the site from before it had migrations.

use narrows::layer::MemoryLayer;
use narrows_web::models::sea_orm::{ConnectionTrait, Statement};
use rig::{MariaDb, Postgres};
use serde_json::{Value, json};

use crate::person::Person;
use crate::site::{Doors, Home, Site};

/// The tables as the site made them then.
const TABLES: [&str; 5] = [
    "CREATE TABLE chat_room (room varchar(99) NOT NULL PRIMARY KEY, title text NOT NULL, epoch bigint NOT NULL, \
     last bigint NOT NULL)",
    "CREATE TABLE chat_message (room varchar(99) NOT NULL, id bigint NOT NULL, sender varchar(99) NOT NULL, \
     once varchar(64) NULL, name text NOT NULL, account boolean NOT NULL, body text NOT NULL, folded text NOT NULL, \
     said_at bigint NOT NULL, PRIMARY KEY (room, id))",
    "CREATE UNIQUE INDEX chat_message_once ON chat_message (room, sender, once)",
    "CREATE INDEX chat_message_said_at ON chat_message (said_at)",
    "CREATE TABLE chat_mark (reader varchar(99) NOT NULL, room varchar(99) NOT NULL, id bigint NOT NULL, \
     PRIMARY KEY (reader, room))",
];

/// The same in MariaDB, whose texts have no case unless they say otherwise.
const MARIADB: [&str; 3] = [
    "CREATE TABLE chat_room (room varchar(99) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY, \
     title text CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, epoch bigint NOT NULL, last bigint NOT NULL)",
    "CREATE TABLE chat_message (room varchar(99) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, id bigint NOT NULL, \
     sender varchar(99) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, \
     once varchar(64) CHARACTER SET ascii COLLATE ascii_bin NULL, \
     name text CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, account boolean NOT NULL, \
     body text CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, \
     folded mediumtext CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, said_at bigint NOT NULL, \
     PRIMARY KEY (room, id), UNIQUE KEY chat_message_once (room, sender, once), KEY chat_message_said_at (said_at))",
    "CREATE TABLE chat_mark (reader varchar(99) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, \
     room varchar(99) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, id bigint NOT NULL, PRIMARY KEY (reader, room))",
];

/// What was said there.
const ROWS: [&str; 3] = [
    "INSERT INTO chat_room VALUES ('chat.lobby', 'lobby', 77, 2)",
    "INSERT INTO chat_message VALUES ('chat.lobby', 1, 'guest.1', 'a-1', 'Ada', false, 'Hello', 'hello', 1700000000000), \
     ('chat.lobby', 2, 'guest.2', NULL, 'Ben', true, 'Hello Ada', 'hello ada', 1700000001000)",
    "INSERT INTO chat_mark VALUES ('user.1', 'chat.lobby', 2), ('user.1', 'chat.nothing-was-said', 0)",
];

async fn goes_on(home: &Home, tables: &[&str]) {
    let database = home.database().await;
    for statement in tables.iter().chain(&ROWS) {
        database.connection().execute_unprepared(statement).await.unwrap();
    }
    // It is started twice: the second time the migrations are recorded.
    for last in [3, 4] {
        let site = Site::node(home, MemoryLayer::new(), Doors::Optional).await;
        let mut eve = Person::enter(&site, "lobby", "Eve").await;
        eve.send(json!({"message": format!("hello {last}")})).await;
        let page = eve.ask(json!({"type": "history"})).await;
        assert_eq!((&page["epoch"], &page["last"]), (&json!(77), &json!(last)), "{page}");
        let said: Vec<&Value> =
            page["messages"].as_array().unwrap().iter().map(|kept| &kept["message"]).collect();
        assert_eq!((said[0], said[1]), (&json!("Hello"), &json!("Hello Ada")));
        site.stop().await;
    }
    // What the later migration adds, staff may rely on.
    database.connection().execute_unprepared("DELETE FROM chat_room").await.unwrap();
    for table in ["chat_message", "chat_mark"] {
        let rows = format!("SELECT 1 FROM {table}");
        let left =
            database.connection().query_all_raw(Statement::from_string(database.backend(), rows)).await;
        assert_eq!(left.unwrap().len(), 0, "{table}");
    }
}

#[tokio::test]
async fn what_was_said_before_there_were_migrations_is_still_there_in_sqlite() {
    goes_on(&Home::new(), &TABLES).await;
}

#[tokio::test]
async fn what_was_said_before_there_were_migrations_is_still_there_in_postgresql() {
    let Some(postgres) = Postgres::start() else { return };
    goes_on(&Home::at(&postgres.url()), &TABLES).await;
}

#[tokio::test]
async fn what_was_said_before_there_were_migrations_is_still_there_in_mariadb() {
    let Some(mariadb) = MariaDb::start() else { return };
    goes_on(&Home::at(&mariadb.url()), &MARIADB).await;
}
