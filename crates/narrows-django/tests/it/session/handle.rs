//! What a handler does with a session.

use std::sync::{Arc, Mutex};

use narrows_django::{SaveError, SessionEngine};
use serde_json::{Value, json};
use tempfile::tempdir;

use super::{Site, engines, values};

#[tokio::test]
async fn values_have_types() {
    let session = Site::new(|accounts| accounts).await.accounts.session(None).await.unwrap();
    session.insert("name", "zoë").unwrap();
    assert_eq!(session.get::<String>("name").as_deref(), Some("zoë"));
    assert_eq!(session.get::<u32>("name"), None);
    assert_eq!(session.get::<Value>("other"), None);
    assert!(session.contains("name"));
    assert_eq!(session.keys(), ["name"]);
    assert_eq!(session.remove("name"), Some(json!("zoë")));
    assert_eq!(session.remove("name"), None);
    assert!(session.is_empty());
}

#[tokio::test]
async fn what_is_not_json_is_refused_and_changes_nothing() {
    let session = Site::new(|accounts| accounts).await.accounts.session(None).await.unwrap();
    let no_json = std::collections::BTreeMap::from([(vec![1], 1)]);
    session.insert("map", no_json).unwrap_err();
    assert!(!session.is_modified());
}

#[tokio::test]
async fn reading_and_removing_what_is_not_there_modifies_nothing() {
    let session = Site::new(|accounts| accounts).await.accounts.session(None).await.unwrap();
    session.get::<Value>("a");
    session.remove("a");
    assert!(!session.is_modified());
    session.insert("a", 1).unwrap();
    assert!(session.is_modified());
}

#[tokio::test]
async fn each_store_keeps_what_was_put_in() {
    let folder = tempdir().unwrap();
    for engine in engines(folder.path()) {
        let site = Site::new(|accounts| accounts.sessions(engine.clone())).await;
        let mut browser = site.browser();
        browser.tell("set a {\"list\":[1,null,\"é\"]}\nset b 2.5").await;
        browser.tell("remove b\nset c \"\"").await;
        let expected = json!({"a": {"list": [1, null, "é"]}, "c": ""});
        assert_eq!(browser.tell("").await.body["values"], expected, "{engine:?}");
        browser.tell("cycle").await;
        assert_eq!(browser.tell("").await.body["values"], expected, "{engine:?}");
        browser.tell("flush").await;
        assert_eq!(browser.cookie, None, "{engine:?}");
        assert_eq!(browser.tell("").await.body["values"], json!({}), "{engine:?}");
    }
}

#[tokio::test]
async fn each_store_that_has_rows_refuses_to_bring_back_a_deleted_session() {
    let folder = tempdir().unwrap();
    for engine in [SessionEngine::Database, SessionEngine::Files(folder.path().to_owned())] {
        let accounts = Site::new(|accounts| accounts.sessions(engine)).await.accounts;
        let session = accounts.session(None).await.unwrap();
        session.insert("a", 1).unwrap();
        session.save().await.unwrap();
        let same = accounts.session(session.key().as_deref()).await.unwrap();
        same.flush();
        same.save().await.unwrap();
        session.insert("a", 2).unwrap();
        assert!(matches!(session.save().await, Err(SaveError::Deleted)));
        assert_eq!(accounts.session(session.key().as_deref()).await.unwrap().key(), None);
    }
}

#[tokio::test]
async fn a_session_saved_twice_has_one_key() {
    let accounts = Site::new(|accounts| accounts).await.accounts;
    let session = accounts.session(None).await.unwrap();
    session.insert("a", 1).unwrap();
    session.save().await.unwrap();
    let key = session.key();
    session.insert("a", 2).unwrap();
    session.save().await.unwrap();
    assert_eq!(session.key(), key);
    assert!(!session.is_modified());
    assert_eq!(values(&accounts.session(key.as_deref()).await.unwrap()), json!({"a": 2}));
}

#[tokio::test]
async fn what_is_empty_and_new_is_not_kept() {
    let accounts = Site::new(|accounts| accounts).await.accounts;
    let session = accounts.session(None).await.unwrap();
    session.save().await.unwrap();
    assert_eq!(session.key(), None);
}

#[tokio::test]
async fn clear_keeps_the_key() {
    let site = Site::new(|accounts| accounts).await;
    let mut browser = site.browser();
    browser.tell("set a 1").await;
    let key = browser.cookie.clone();
    browser.tell("clear").await;
    assert_eq!(browser.tell("").await.body, json!({"key": key, "values": {}}));
}

#[tokio::test]
async fn a_site_is_told_of_each_key_that_changed() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let tell = told.clone();
    let site = Site::new(|accounts| {
        accounts.on_session_change(move |key| tell.lock().unwrap().push(key.to_owned()))
    })
    .await;
    let session = site.accounts.session(None).await.unwrap();
    session.insert("a", 1).unwrap();
    session.save().await.unwrap();
    let first = session.key().unwrap();
    session.cycle_key();
    session.save().await.unwrap();
    let second = session.key().unwrap();
    session.flush();
    session.save().await.unwrap();
    assert_eq!(*told.lock().unwrap(), [first.clone(), first, second.clone(), second]);
}

#[tokio::test]
async fn what_it_shows_is_no_secret() {
    let session = Site::new(|accounts| accounts).await.accounts.session(None).await.unwrap();
    session.insert("secret", "s3cret").unwrap();
    session.save().await.unwrap();
    let shown = format!("{session:?}");
    assert!(!shown.contains("s3cret") && !shown.contains(&session.key().unwrap()), "{shown}");
}
