//! URLs, and what is said of those that do not work.

use std::error::Error;

use narrows_django::sea_orm::{self, ConnectionTrait, DbBackend, Statement};
use narrows_django::{Accounts, Database, DatabaseError};
use tempfile::tempdir;

use crate::vectors::keys;

/// An error with all its sources, as a log shows it.
fn shown(error: &DatabaseError) -> String {
    let mut text = format!("{error} {error:?}");
    let mut source = error.source();
    while let Some(error) = source {
        text += &format!(": {error}");
        source = error.source();
    }
    text
}

async fn number(database: &Database, sql: &str) -> i64 {
    let statement = Statement::from_string(database.backend(), sql);
    let row = database.run(async |pool| pool.query_one_raw(statement).await).await.unwrap();
    row.unwrap().try_get_by_index(0).unwrap()
}

#[tokio::test]
async fn a_file_is_made_with_its_folders_where_the_url_says_so() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("a/b/site.sqlite");
    let error = Database::connect(&format!("sqlite://{}", path.display())).await.unwrap_err();
    assert!(matches!(&error, DatabaseError::NoFile(missing) if *missing == path), "{error:?}");
    for url in [format!("sqlite://{}?mode=rwc", path.display()), format!("sqlite:{}", path.display())] {
        let database = Database::connect(&url).await.unwrap();
        assert_eq!(database.backend(), DbBackend::Sqlite);
    }
    assert!(path.exists());
}

#[tokio::test]
async fn sqlite_has_a_log_and_foreign_keys_and_patience() {
    let folder = tempdir().unwrap();
    let url = format!("sqlite://{}/db?mode=rwc", folder.path().display());
    let database = Database::connect(&url).await.unwrap();
    let mode = Statement::from_string(DbBackend::Sqlite, "PRAGMA journal_mode");
    let row = database.run(async |pool| pool.query_one_raw(mode).await).await.unwrap().unwrap();
    assert_eq!(row.try_get_by_index::<String>(0).unwrap(), "wal");
    assert_eq!(number(&database, "PRAGMA foreign_keys").await, 1);
    assert_eq!(number(&database, "PRAGMA busy_timeout").await, 5000);
}

#[tokio::test]
async fn a_database_in_memory_is_one_for_all_clones() {
    let database = Database::connect("sqlite::memory:").await.unwrap();
    database.create_tables().await.unwrap();
    let clone = database.clone();
    drop(database);
    assert_eq!(number(&clone, "SELECT count(*) FROM auth_user").await, 0);
}

#[tokio::test]
async fn a_folder_that_cannot_be_made_is_said() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let url = format!("sqlite://{}/db?mode=rwc", file.path().display());
    let error = Database::connect(&url).await.unwrap_err();
    assert!(matches!(error, DatabaseError::Connect(_)), "{error:?}");
}

#[tokio::test]
async fn a_file_that_is_no_database_is_said() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "not a database, but long enough to be looked at".repeat(100)).unwrap();
    let error = Database::connect(&format!("sqlite://{}", file.path().display())).await.unwrap_err();
    assert!(shown(&error).contains("file is not a database"), "{}", shown(&error));
}

#[tokio::test]
async fn a_url_of_something_else_is_refused() {
    for (url, expected) in [
        ("oracle://ann:s3cret@host/db", "`oracle` is no database known here"),
        ("", "it has no `:`"),
        ("db.sqlite", "it has no `:`"),
        ("sqlite:", "it names no file"),
        ("sqlite://db?mode=none", "mode"),
    ] {
        let error = Database::connect(url).await.unwrap_err();
        assert!(shown(&error).contains(expected), "{url}: {}", shown(&error));
        assert!(!shown(&error).contains("s3cret"), "{}", shown(&error));
    }
}

#[cfg(all(feature = "postgres", feature = "mysql"))]
#[tokio::test]
async fn no_error_tells_the_password() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    for scheme in ["postgres", "postgresql", "mysql", "mariadb"] {
        for rest in [
            format!("ann:s3cret@127.0.0.1:{port}/db"),
            "ann:s3cret@host:99999/db".to_owned(),
            "ann:s3cret@[::1/db".to_owned(),
            format!("ann:s3cret@127.0.0.1:{port}/db?sslmode=s3cret&ssl-mode=s3cret"),
        ] {
            let error = Database::connect(&format!("{scheme}://{rest}")).await.unwrap_err();
            // What follows `?` is no secret, and is named.
            let text = shown(&error).replace("\"s3cret\"", "").replace("s3cret for `ssl", "");
            assert!(!text.contains("ann:s3cret"), "{scheme}://{rest}: {text}");
        }
    }
}

#[tokio::test]
async fn a_pool_of_the_sites_own_is_used() {
    let pool = sea_orm::Database::connect("sqlite::memory:").await.unwrap();
    let database = Database::from(pool.clone());
    database.create_tables().await.unwrap();
    let accounts = Accounts::builder(keys(), database).build();
    let session = accounts.session(None).await.unwrap();
    session.insert("a", 1).unwrap();
    session.save().await.unwrap();
    let rows =
        pool.query_all_raw(Statement::from_string(DbBackend::Sqlite, "SELECT * FROM django_session")).await;
    assert_eq!(rows.unwrap().len(), 1);
}

#[tokio::test]
async fn work_goes_on_when_nobody_waits_for_it_any_more() {
    let database = Database::connect("sqlite::memory:").await.unwrap();
    database.create_tables().await.unwrap();
    let (begun, has_begun) = tokio::sync::oneshot::channel();
    let (go_on, may_go_on) = tokio::sync::oneshot::channel();
    let (done, is_done) = tokio::sync::oneshot::channel();
    let mut work = Box::pin(database.run(async |pool| {
        begun.send(()).unwrap();
        may_go_on.await.unwrap();
        let inserted = pool.execute_unprepared("INSERT INTO django_session VALUES ('a', 'b', 'c')").await;
        done.send(()).unwrap();
        inserted
    }));
    tokio::select! {
        biased;
        _ = &mut work => unreachable!("it may not go on yet"),
        begun = has_begun => begun.unwrap(),
    }
    drop(work);
    go_on.send(()).unwrap();
    is_done.await.unwrap();
    assert_eq!(number(&database, "SELECT count(*) FROM django_session").await, 1);
}
