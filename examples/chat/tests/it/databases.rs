//! Messages in the databases that are servers.

use std::time::{Duration, Instant};

use narrows::layer::MemoryLayer;
use narrows_web::models::sea_orm::{ConnectionTrait, TransactionTrait};
use rig::{MariaDb, Postgres};
use serde_json::{Value, json};

use crate::person::Person;
use crate::site::{Doors, Home, Site};
use crate::visitor::Visitor;

fn texts(page: &Value) -> Vec<&str> {
    page["messages"].as_array().unwrap().iter().map(|kept| kept["message"].as_str().unwrap()).collect()
}

/// Two nodes that begin at once, and make the tables.
async fn two_nodes(url: &str) -> (Site, Site) {
    let (one, two) = (Home::at(url), Home::at(url));
    let layer = MemoryLayer::new();
    let other = layer.another_node();
    tokio::join!(Site::node(&one, layer, Doors::Optional), Site::node(&two, other, Doors::Optional))
}

async fn keeps_numbers_finds_and_marks(url: &str) {
    let (one, two) = two_nodes(url).await;
    let mut account = Visitor::registered(&one, "Ada").await;
    let mut ada = Person::enter_as(&one, "lobby", "Ada", &account.cookie).await;
    let mut ben = Person::enter(&two, "lobby", "Ben").await;
    // First messages of rooms whose names differ by case alone, all at once.
    let mut lobby = Person::enter(&two, "Lobby", "Eve").await;
    for n in 0..15 {
        ada.send(json!({"message": format!("ПРИВЕТ {n}\u{0}"), "once": format!("a-{n}")})).await;
        ada.send(json!({"message": format!("ПРИВЕТ {n}\u{0}"), "once": format!("a-{n}")})).await;
        ben.send(json!({"message": format!("100% {n}"), "once": format!("A-{n}")})).await;
        lobby.send(json!({"message": "elsewhere"})).await;
    }
    // What is asked last is answered last.
    ben.ask(json!({"type": "history"})).await;
    let page = ada.ask(json!({"type": "history"})).await;
    assert_eq!((texts(&page).len(), &page["last"]), (30, &json!(30)), "{page}");
    let found = ada.ask(json!({"type": "search", "message": "привет 14\u{0}"})).await;
    assert_eq!(texts(&found), ["ПРИВЕТ 14\u{0}"]);
    assert_eq!(texts(&ada.ask(json!({"type": "search", "message": "%"})).await).len(), 15);
    assert_eq!(lobby.ask(json!({"type": "history"})).await["last"], 15);
    for read in [7, 5, 99] {
        ada.send(json!({"type": "read", "id": read})).await;
    }
    for holds in [7, 30] {
        assert_eq!(ada.until(|frame| frame["type"] == "read").await["id"], holds);
    }
    for query in ["", "?room=lobby"] {
        let list = account.get(&format!("/api/rooms/{query}")).await.json();
        assert_eq!((&list[0]["room"], &list[0]["read"]), (&json!("lobby"), &json!(30)));
    }
}

#[tokio::test]
async fn two_nodes_on_postgresql_agree_on_what_was_said() {
    let Some(postgres) = Postgres::start() else { return };
    keeps_numbers_finds_and_marks(&postgres.url()).await;
}

#[tokio::test]
async fn two_nodes_on_mariadb_agree_on_what_was_said() {
    let Some(mariadb) = MariaDb::start() else { return };
    keeps_numbers_finds_and_marks(&mariadb.url()).await;
}

/// While the row of a room is locked.
async fn only_the_locked_room_waits(url: &str) {
    let home = Home::at(url);
    let site = Site::node(&home, MemoryLayer::new(), Doors::Off).await;
    let mut ada = Person::enter(&site, "lobby", "Ada").await;
    let mut eve = Person::enter(&site, "elsewhere", "Eve").await;
    ada.hears_only_itself().await;
    eve.hears_only_itself().await;
    let other = home.database().await;
    let lock = other.connection().begin().await.unwrap();
    lock.execute_unprepared("UPDATE chat_room SET last = last WHERE room = 'chat.lobby'").await.unwrap();
    ada.send(json!({"message": "is anybody there?"})).await;
    let asked = Instant::now();
    while asked.elapsed() < Duration::from_secs(1) {
        eve.hears_only_itself().await;
    }
    assert_eq!(ada.next().await["code"], "not_sent");
    lock.rollback().await.unwrap();
    ada.hears_only_itself().await;
}

#[tokio::test]
async fn a_locked_room_in_postgresql_delays_its_senders_alone_and_they_are_told() {
    let Some(postgres) = Postgres::start() else { return };
    only_the_locked_room_waits(&postgres.url()).await;
}

#[tokio::test]
async fn a_locked_room_in_mariadb_delays_its_senders_alone_and_they_are_told() {
    let Some(mariadb) = MariaDb::start() else { return };
    only_the_locked_room_waits(&mariadb.url()).await;
}
