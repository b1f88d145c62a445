//! Several at once.

use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use futures_util::future::join_all;
use narrows_django::{Database, Session};
use serde_json::json;
use tempfile::tempdir;
use tokio::sync::Notify;

use super::browser::Browser;
use super::{Site, values};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn clones_in_many_tasks_lose_nothing() {
    let session = Site::new(|accounts| accounts).await.accounts.session(None).await.unwrap();
    let tasks = (0..20).map(|number| {
        let session = session.clone();
        tokio::spawn(async move {
            session.insert(&format!("n{number}"), number).unwrap();
            session.save().await.unwrap();
        })
    });
    join_all(tasks).await.into_iter().for_each(Result::unwrap);
    assert_eq!(session.keys().len(), 20);
    assert!(!session.is_modified());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sessions_of_many_browsers_do_not_mix() {
    let folder = tempdir().unwrap();
    let url = format!("sqlite://{}/db.sqlite?mode=rwc", folder.path().display());
    let database = Database::connect(&url).await.unwrap();
    database.create_tables().await.unwrap();
    let site = Arc::new(Site::on(database, |accounts| accounts));
    let browsers = (0..40).map(|number| {
        let mut browser = site.browser();
        tokio::spawn(async move {
            for step in 0..5 {
                browser.tell(&format!("set me {number}\nset step {step}")).await;
            }
            assert_eq!(browser.tell("").await.body["values"], json!({"me": number, "step": 4}));
        })
    });
    join_all(browsers).await.into_iter().for_each(Result::unwrap);
}

#[tokio::test]
async fn of_two_requests_the_later_answer_wins() {
    let site = Site::new(|accounts| accounts).await;
    let (loaded, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (tell, wait) = (loaded.clone(), go_on.clone());
    let slow = Router::new()
        .route(
            "/slow",
            get(async move |session: Session| {
                tell.notify_one();
                wait.notified().await;
                session.insert("slow", true).unwrap();
            }),
        )
        .layer(site.accounts.layer());
    let mut browser = site.browser();
    browser.tell("set a 1").await;
    let mut other = Browser::new(slow).with_cookie(browser.cookie.as_deref().unwrap());
    let waiting = tokio::spawn(async move { other.get("/slow").await });
    loaded.notified().await;
    browser.tell("set a 2").await;
    go_on.notify_one();
    waiting.await.unwrap();
    assert_eq!(browser.tell("").await.body["values"], json!({"a": 1, "slow": true}));
}

#[test]
fn a_pool_outlives_the_runtimes_that_used_it() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let site = runtime().block_on(Site::new(|accounts| accounts));
    let key = runtime().block_on(async {
        let session = site.accounts.session(None).await.unwrap();
        session.insert("a", 1).unwrap();
        session.save().await.unwrap();
        session.key()
    });
    let session = runtime().block_on(site.accounts.session(key.as_deref())).unwrap();
    assert_eq!(values(&session), json!({"a": 1}));
}

#[tokio::test]
async fn a_flush_while_it_is_saved_holds() {
    let accounts = Site::new(|accounts| accounts).await.accounts;
    for _ in 0..50 {
        let session = accounts.session(None).await.unwrap();
        session.insert("a", 1).unwrap();
        let saving = {
            let session = session.clone();
            async move { session.save().await }
        };
        let flushing = async {
            tokio::task::yield_now().await;
            session.flush();
        };
        let (saved, ()) = tokio::join!(saving, flushing);
        saved.unwrap();
        session.save().await.unwrap();
        assert_eq!(session.key(), None);
    }
    assert_eq!(rows(accounts.database()).await, 0);
}

async fn rows(database: &Database) -> i64 {
    use narrows_django::sea_orm::{ConnectionTrait, Statement};
    let count = Statement::from_string(database.backend(), "SELECT count(*) FROM django_session");
    let row = database.run(async |pool| pool.query_one_raw(count).await).await.unwrap();
    row.unwrap().try_get_by_index(0).unwrap()
}
