//! A database that is away.

use std::time::{Duration, Instant};

use narrows_django::Database;
use serde_json::json;
use tempfile::tempdir;

use super::Site;

#[tokio::test]
async fn a_database_that_is_not_there_at_the_start_is_there_later() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("later.sqlite");
    let site = Site::on(Database::connect_lazy(&format!("sqlite://{}", path.display())).unwrap(), |a| a);
    let mut browser = site.browser().with_cookie("abcdefghijklmnopqrstuvwxyz012345");
    let refused = browser.send("POST", "/do", "").await;
    assert_eq!((refused.status.as_u16(), refused.set_cookie), (503, None));
    assert_eq!(refused.headers["retry-after"], "1");
    let other = Database::connect(&format!("sqlite://{}?mode=rwc", path.display())).await.unwrap();
    other.create_tables().await.unwrap();
    browser.tell("set a 1").await;
    assert_eq!(browser.tell("").await.body["values"], json!({"a": 1}));
}

#[tokio::test]
async fn a_table_that_is_not_there_is_no_log_out() {
    let site = Site::on(Database::connect("sqlite::memory:").await.unwrap(), |accounts| accounts);
    let mut browser = site.browser().with_cookie("abcdefghijklmnopqrstuvwxyz012345");
    let refused = browser.send("POST", "/do", "").await;
    assert_eq!((refused.status.as_u16(), refused.set_cookie), (503, None));
    assert_eq!(site.browser().send("POST", "/do", "set a 1").await.status, 503);
    assert_eq!(browser.get("/untouched").await.status, 200);
}

#[cfg(feature = "postgres")]
#[tokio::test(flavor = "multi_thread")]
async fn who_is_logged_in_is_so_after_a_server_was_away() {
    let Some(postgres) = rig::Postgres::start() else { return };
    let database = Database::connect(&postgres.fresh_database()).await.unwrap();
    database.create_tables().await.unwrap();
    let site = Site::on(database, |accounts| accounts);
    let mut browser = site.browser();
    browser.tell("set a 1").await;
    postgres.stop();
    let begun = Instant::now();
    for lines in ["", "set a 2", "flush"] {
        let refused = browser.send("POST", "/do", lines).await;
        assert_eq!((refused.status.as_u16(), refused.set_cookie), (503, None), "{lines}");
    }
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    postgres.restart();
    assert_eq!(browser.tell("").await.body["values"], json!({"a": 1}));
}

#[cfg(feature = "postgres")]
#[tokio::test(flavor = "multi_thread")]
async fn connections_that_were_cut_off_are_opened_anew() {
    let Some(postgres) = rig::Postgres::start() else { return };
    let database = Database::connect(&postgres.fresh_database()).await.unwrap();
    database.create_tables().await.unwrap();
    let site = Site::on(database, |accounts| accounts);
    let mut browser = site.browser();
    browser.tell("set a 1").await;
    assert!(postgres.cut_off_clients() > 0);
    assert_eq!(browser.tell("set b 2").await.body["values"], json!({"a": 1, "b": 2}));
}
