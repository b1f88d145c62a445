//! The tables that are made.

use futures_util::future::join_all;
use narrows_django::Database;
use narrows_django::sea_orm::{ConnectionTrait, QueryResult, Statement};
use serde_json::Value;
use tempfile::tempdir;

use crate::vectors::vectors;

/// Runs a statement in SQLite.
async fn sql(database: &Database, text: &str) -> Vec<QueryResult> {
    let statement = Statement::from_string(database.backend(), text);
    database.run(async |pool| pool.query_all_raw(statement).await).await.unwrap()
}

async fn texts(database: &Database, text: &str) -> Vec<String> {
    let rows = sql(database, text).await;
    rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect()
}

const SCHEMA: &str = "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name";

#[tokio::test]
async fn they_are_djangos_to_the_letter() {
    let database = Database::connect("sqlite::memory:").await.unwrap();
    database.create_tables().await.unwrap();
    for (table, statements) in vectors("schema_sqlite").as_object().unwrap() {
        let query = format!("SELECT sql FROM sqlite_master WHERE tbl_name = '{table}' AND sql IS NOT NULL");
        let made: Vec<Value> = texts(&database, &query).await.into_iter().map(Value::from).collect();
        assert_eq!(Value::from(made), *statements);
    }
}

#[tokio::test]
async fn their_columns_are_djangos() {
    let database = Database::connect("sqlite::memory:").await.unwrap();
    database.create_tables().await.unwrap();
    for (table, columns) in vectors("columns_sqlite").as_object().unwrap() {
        let info = format!("SELECT name, lower(type), \"notnull\" FROM pragma_table_info('{table}')");
        let made = sql(&database, &info).await;
        let made: Vec<(String, String, bool)> = made
            .iter()
            .map(|row| {
                let [name, kind] = [0, 1].map(|index| row.try_get_by_index::<String>(index).unwrap());
                (name, kind, row.try_get_by_index::<i64>(2).unwrap() == 1)
            })
            .collect();
        let expected: Vec<(String, String, bool)> = columns
            .as_array()
            .unwrap()
            .iter()
            .map(|column| {
                let text = |name: &str| column[name].as_str().unwrap().to_lowercase();
                (text("name"), text("type"), column["notnull"].as_bool().unwrap())
            })
            .collect();
        assert_eq!(made, expected, "{table}");
    }
}

#[tokio::test]
async fn making_them_again_changes_nothing() {
    let database = Database::connect("sqlite::memory:").await.unwrap();
    database.create_tables().await.unwrap();
    let before =
        (texts(&database, SCHEMA).await, sql(&database, "SELECT id FROM django_migrations").await.len());
    database.create_tables().await.unwrap();
    let after =
        (texts(&database, SCHEMA).await, sql(&database, "SELECT id FROM django_migrations").await.len());
    assert_eq!(before, after);
    assert_eq!(after.1, 15);
}

#[tokio::test]
async fn what_django_made_of_an_application_is_left_alone() {
    let database = Database::connect("sqlite::memory:").await.unwrap();
    let made_by_django =
        "CREATE TABLE django_migrations (id integer PRIMARY KEY, app text, name text, applied text);
        INSERT INTO django_migrations VALUES (1, 'auth', '0001_initial', '2020-01-01 00:00:00')";
    database.run(async |pool| pool.execute_unprepared(made_by_django).await).await.unwrap();
    database.create_tables().await.unwrap();
    let tables = texts(&database, "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").await;
    let applications: Vec<_> = tables.iter().filter(|name| !name.starts_with("sqlite_")).collect();
    assert_eq!(applications, ["django_content_type", "django_migrations", "django_session"]);
    assert_eq!(
        texts(&database, "SELECT name FROM django_migrations WHERE app = 'auth'").await,
        ["0001_initial"]
    );
}

#[tokio::test]
async fn what_fails_half_way_leaves_nothing_behind() {
    let database = Database::connect("sqlite::memory:").await.unwrap();
    let in_the_way = "CREATE VIEW django_session AS SELECT 1 AS one";
    database.run(async |pool| pool.execute_unprepared(in_the_way).await).await.unwrap();
    database.create_tables().await.unwrap_err();
    assert_eq!(texts(&database, "SELECT name FROM sqlite_master").await, ["django_session"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn twenty_may_make_them_at_once() {
    let folder = tempdir().unwrap();
    let url = format!("sqlite://{}/db.sqlite?mode=rwc", folder.path().display());
    let makers = (0..20).map(|_| {
        let url = url.clone();
        tokio::spawn(async move { Database::connect(&url).await?.create_tables().await })
    });
    for made in join_all(makers).await {
        made.unwrap().unwrap();
    }
    let database = Database::connect(&url).await.unwrap();
    assert_eq!(sql(&database, "SELECT id FROM django_migrations").await.len(), 15);
}
