//! The database of a site.

use std::sync::{Arc, Mutex};

use narrows_web::models::sea_orm::{ConnectionTrait, DbBackend, DbErr, SqlErr, Statement};
use narrows_web::testing::TestSite;
use narrows_web::{Db, Project};

/// A site with a table of its own.
async fn site() -> TestSite {
    let site = Project::new("db", "1.0.0").test().await;
    let table = "CREATE TABLE note (id integer PRIMARY KEY, text varchar(10) NOT NULL UNIQUE)";
    site.site().db().execute_unprepared(table).await.unwrap();
    site
}

async fn count(db: &Db) -> i64 {
    let sql = Statement::from_string(DbBackend::Sqlite, "SELECT count(*) AS n FROM note");
    db.query_one_raw(sql).await.unwrap().unwrap().try_get("", "n").unwrap()
}

const ADD: &str = "INSERT INTO note (text) VALUES ('a')";

#[tokio::test]
async fn errors_keep_what_they_are() {
    let site = site().await;
    let db = site.site().db();
    db.execute_unprepared(ADD).await.unwrap();
    let error = db.execute_unprepared(ADD).await.unwrap_err();
    assert!(matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_))), "{error:?}");
    let error = db.transaction(async |tx| tx.execute_unprepared(ADD).await).await.unwrap_err();
    assert!(matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_))), "{error:?}");
    let error = db.execute_unprepared("SELECT nothing").await.unwrap_err();
    assert!(matches!(error, DbErr::Exec(_)), "{error:?}");
}

#[tokio::test]
async fn a_transaction_is_done_whole() {
    let site = site().await;
    let db = site.site().db();
    let done = db.transaction(async |tx| tx.execute_unprepared(ADD).await.map(|done| done.rows_affected()));
    assert_eq!((done.await, count(&db).await), (Ok(1), 1));
}

#[tokio::test]
async fn a_transaction_that_fails_leaves_nothing_and_its_error_comes_back() {
    #[derive(Debug)]
    struct Refused;
    impl From<DbErr> for Refused {
        fn from(error: DbErr) -> Self {
            panic!("{error}");
        }
    }
    let site = site().await;
    let db = site.site().db();
    let done = db.transaction(async |tx| {
        tx.execute_unprepared(ADD).await?;
        Err::<(), _>(Refused)
    });
    assert!(done.await.is_err());
    assert_eq!(count(&db).await, 0);
}

#[tokio::test]
async fn a_transaction_that_is_kept_is_taken_back() {
    let site = site().await;
    let db = site.site().db();
    let kept = Arc::new(Mutex::new(None));
    let keep = kept.clone();
    let done = db.transaction(async move |tx| {
        tx.execute_unprepared(ADD).await?;
        *keep.lock().unwrap() = Some(tx);
        Ok::<_, DbErr>(())
    });
    assert!(done.await.unwrap_err().to_string().contains("was kept beyond its work"));
    drop(kept.lock().unwrap().take());
    assert_eq!(count(&db).await, 0);
}
