//! The same on a database server.

#![cfg(all(feature = "postgres", feature = "mysql"))]

use futures_util::future::join_all;
use narrows_django::{Accounts, Database, DatabaseError};
use rig::{MariaDb, Postgres};

use crate::vectors::keys;

async fn twenty_make_tables(url: String) {
    let makers = (0..20).map(|_| {
        let url = url.clone();
        tokio::spawn(async move { Database::connect(&url).await?.create_tables().await })
    });
    for made in join_all(makers).await {
        made.unwrap().unwrap();
    }
}

/// A session goes through all it can go through.
async fn sessions_live(url: String) {
    let database = Database::connect(&url).await.unwrap();
    database.create_tables().await.unwrap();
    let accounts = Accounts::builder(keys(), database).build();
    let session = accounts.session(None).await.unwrap();
    session.insert("text", "é😀").unwrap();
    session.save().await.unwrap();
    session.save().await.unwrap();
    let first = session.key();
    session.cycle_key();
    session.save().await.unwrap();
    assert_eq!(accounts.session(first.as_deref()).await.unwrap().key(), None);
    let same = accounts.session(session.key().as_deref()).await.unwrap();
    assert_eq!(same.get::<String>("text").as_deref(), Some("é😀"));
    let between = same.expires().unwrap().duration_since(session.expires().unwrap());
    assert!(between.unwrap_or_else(|error| error.duration()).as_micros() < 1, "no fraction is lost");
    same.flush();
    same.save().await.unwrap();
    session.insert("text", "x").unwrap();
    session.save().await.unwrap_err();
    let over = accounts.session(None).await.unwrap();
    over.insert("a", 1).unwrap();
    over.expire_at(std::time::SystemTime::UNIX_EPOCH);
    over.save().await.unwrap();
    assert_eq!(accounts.session(over.key().as_deref()).await.unwrap().key(), None);
    assert_eq!(accounts.clear_expired_sessions().await.unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_may_make_the_tables_of_postgres_at_once() {
    let Some(postgres) = Postgres::start() else { return };
    let url = postgres.fresh_database();
    twenty_make_tables(url.clone()).await;
    assert_eq!(postgres.sql(&url, "SELECT count(*) FROM django_migrations"), "15");
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_may_make_the_tables_of_mariadb_at_once() {
    let Some(mariadb) = MariaDb::start() else { return };
    let url = mariadb.fresh_database();
    twenty_make_tables(url.clone()).await;
    assert_eq!(mariadb.sql(&url, "SELECT count(*) FROM django_migrations"), "15");
}

#[tokio::test]
async fn sessions_live_in_postgres() {
    let Some(postgres) = Postgres::start() else { return };
    sessions_live(postgres.fresh_database()).await;
}

#[tokio::test]
async fn sessions_live_in_mariadb() {
    let Some(mariadb) = MariaDb::start() else { return };
    sessions_live(mariadb.fresh_database()).await;
}

#[tokio::test]
async fn keys_differ_in_mariadb_when_their_letters_do() {
    let Some(mariadb) = MariaDb::start() else { return };
    let database = Database::connect(&mariadb.fresh_database()).await.unwrap();
    database.create_tables().await.unwrap();
    let accounts = Accounts::builder(keys(), database).build();
    let session = accounts.session(None).await.unwrap();
    session.insert("a", 1).unwrap();
    session.save().await.unwrap();
    let shouted = session.key().unwrap().to_uppercase();
    assert_eq!(accounts.session(Some(&shouted)).await.unwrap().key(), None);
}

#[tokio::test]
async fn a_wrong_password_is_said_and_not_told() {
    let Some(postgres) = Postgres::start() else { return };
    let url = postgres.url();
    let (head, host) = url.rsplit_once('@').unwrap();
    let (head, _) = head.rsplit_once(':').unwrap();
    let error = Database::connect(&format!("{head}:s3cret@{host}")).await.unwrap_err();
    assert!(matches!(error, DatabaseError::Connect(_)), "{error:?}");
    assert!(!format!("{error:?}").contains("s3cret"), "{error:?}");
}
