//! What is in the table, as Django writes and reads it.

use chrono::{TimeDelta, Utc};
use narrows_django::sea_orm::{ConnectionTrait, Statement, Value as SqlValue};
use narrows_django::{Accounts, SecretKeys, signing};
use serde_json::{Value, json};

use super::{Site, values};
use crate::vectors::{keys, list, now, text, vectors};

const SALT: &str = "django.contrib.sessions.SessionStore";
const KEY: &str = "abcdefghijklmnopqrstuvwxyz012345";

/// Runs a statement in SQLite.
async fn sql(accounts: &Accounts, text: &str, values: Vec<SqlValue>) -> Vec<(String, String)> {
    let database = accounts.database();
    let statement = Statement::from_sql_and_values(database.backend(), text, values);
    let rows = database.run(async |pool| pool.query_all_raw(statement).await).await.unwrap();
    let column = |row: &narrows_django::sea_orm::QueryResult, index| row.try_get_by_index(index).unwrap();
    rows.iter().map(|row| (column(row, 0), column(row, 1))).collect()
}

/// A session's row: its data and when it ends.
pub(super) async fn row_of(accounts: &Accounts, key: &str) -> (String, String) {
    let select = "SELECT session_data, expire_date FROM django_session WHERE session_key = ?";
    sql(accounts, select, vec![key.into()]).await.remove(0)
}

/// Lets a session end so many seconds from now.
pub(super) async fn forget_in(accounts: &Accounts, key: &str, seconds: i64) {
    let time = (Utc::now() + TimeDelta::seconds(seconds)).format("%Y-%m-%d %H:%M:%S%.6f").to_string();
    let update = "UPDATE django_session SET expire_date = ? WHERE session_key = ?";
    sql(accounts, update, vec![time.into(), key.into()]).await;
}

/// Puts a row there, as Django would.
async fn put(accounts: &Accounts, key: &str, data: &str, expires: &str) {
    let insert = "INSERT INTO django_session VALUES (?, ?, ?)";
    sql(accounts, insert, vec![key.into(), data.into(), expires.into()]).await;
}

async fn accounts() -> Accounts {
    Site::new(|accounts| accounts).await.accounts
}

#[tokio::test]
async fn all_that_django_wrote_is_read() {
    for vector in list("session_encode") {
        let accounts = accounts().await;
        put(&accounts, KEY, text(vector, "encoded"), "2999-01-01 00:00:00").await;
        let session = accounts.session(Some(KEY)).await.unwrap();
        assert_eq!(values(&session), vector["dict"], "{}", text(vector, "name"));
        assert_eq!(session.key().as_deref(), Some(KEY));
    }
}

#[tokio::test]
async fn a_row_of_a_running_django_is_read() {
    for row in list("django_session_rows_live") {
        let accounts = accounts().await;
        put(&accounts, text(row, "session_key"), text(row, "session_data"), "2999-01-01 00:00:00.000001")
            .await;
        let session = accounts.session(Some(text(row, "session_key"))).await.unwrap();
        assert_eq!(values(&session), row["decoded"]);
    }
}

#[tokio::test]
async fn a_row_is_written_as_django_writes_it() {
    let accounts = accounts().await;
    let session = accounts.session(None).await.unwrap();
    session.insert("k", "é").unwrap();
    session.save().await.unwrap();
    let key = session.key().unwrap();
    assert!(key.len() == 32 && key.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()), "{key}");
    let (data, expires) = row_of(&accounts, &key).await;
    let read: Value = signing::loads(&data, SALT, &keys(), None, now()).unwrap();
    assert_eq!(read, json!({"k": "é"}));
    let time = chrono::NaiveDateTime::parse_from_str(&expires, "%Y-%m-%d %H:%M:%S%.6f").unwrap().and_utc();
    let left = (time - Utc::now()).as_seconds_f64();
    assert!((left - 14.0 * 86400.0).abs() < 60.0, "{left}");
}

#[tokio::test]
async fn a_session_of_a_fallback_key_is_read_and_saved_with_the_current_one() {
    let vector = vectors("session_encode_fallback_key");
    let accounts = accounts().await;
    put(&accounts, KEY, text(vector, "encoded"), "2999-01-01 00:00:00").await;
    let session = accounts.session(Some(KEY)).await.unwrap();
    assert_eq!(values(&session), vector["decoded"]);
    session.insert("a", 1).unwrap();
    session.save().await.unwrap();
    let (data, _) = row_of(&accounts, KEY).await;
    let current = SecretKeys::new(keys().current());
    signing::loads::<Value>(&data, SALT, &current, None, now()).unwrap();
}

#[tokio::test]
async fn what_nobody_with_a_key_wrote_is_an_empty_session() {
    let foreign = signing::dumps(&json!({"a": 1}), SALT, &SecretKeys::new("another"), true, now()).unwrap();
    let other_salt = signing::dumps(&json!({"a": 1}), "salt", &keys(), true, now()).unwrap();
    let no_map = signing::dumps(&json!([1]), SALT, &keys(), true, now()).unwrap();
    let long = "a".repeat(5 << 20);
    let tampered = text(vectors("session_tampered"), "encoded");
    for data in [tampered, &foreign, &other_salt, &no_map, &long, "", ":::"] {
        let accounts = accounts().await;
        put(&accounts, KEY, data, "2999-01-01 00:00:00").await;
        let session = accounts.session(Some(KEY)).await.unwrap();
        assert_eq!(values(&session), json!({}), "{data:.80}");
    }
}

#[tokio::test]
async fn times_that_other_programs_wrote_are_read() {
    for (expires, is_there) in [
        ("2999-01-01 00:00:00", true),
        ("2999-01-01T00:00:00.5+00:00", true),
        ("2999-01-01 00:00:00+02:00", true),
        ("2001-01-01 00:00:00", false),
    ] {
        let accounts = accounts().await;
        put(&accounts, KEY, text(&list("session_encode")[1], "encoded"), expires).await;
        let session = accounts.session(Some(KEY)).await.unwrap();
        assert_eq!(session.contains("a"), is_there, "{expires}");
    }
}

#[tokio::test]
async fn a_time_that_is_none_is_an_error_and_not_a_log_out() {
    let accounts = accounts().await;
    put(&accounts, KEY, text(&list("session_encode")[1], "encoded"), "yesterday").await;
    accounts.session(Some(KEY)).await.unwrap_err();
}

#[tokio::test]
async fn keys_that_cannot_be_are_not_asked_for() {
    let accounts = accounts().await;
    let long = "a".repeat(41);
    for key in ["", "1234567", &long, "with space", "nul\0nul\0", "ü".repeat(10).as_str()] {
        put(&accounts, key, text(&list("session_encode")[1], "encoded"), "2999-01-01 00:00:00").await;
        assert_eq!(accounts.session(Some(key)).await.unwrap().key(), None, "{key:?}");
    }
}
