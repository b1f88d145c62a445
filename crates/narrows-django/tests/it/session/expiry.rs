//! When sessions end.

use std::time::{Duration, SystemTime};

use narrows_django::{Accounts, Session, SessionCookie};
use serde_json::{Value, json};

use super::Site;
use super::kept::{forget_in, row_of};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

async fn accounts() -> Accounts {
    Site::new(|accounts| accounts).await.accounts
}

async fn saved(accounts: &Accounts, set: impl FnOnce(&Session)) -> Session {
    let session = accounts.session(None).await.unwrap();
    session.insert("a", 1).unwrap();
    set(&session);
    session.save().await.unwrap();
    session
}

/// For how long a saved session holds, to the second.
fn holds(session: &Session) -> u64 {
    let left = session.expires().unwrap().duration_since(SystemTime::now()).unwrap();
    left.as_secs_f64().round() as u64
}

#[tokio::test]
async fn it_holds_for_the_age_of_the_cookie() {
    let session = saved(&accounts().await, |_| ()).await;
    assert_eq!(holds(&session), 14 * 24 * 60 * 60);
    assert_eq!(session.expiry_age(), 14 * DAY);
    assert!(!session.expires_at_browser_close());
}

#[tokio::test]
async fn it_holds_for_as_long_as_it_was_told() {
    let session = saved(&accounts().await, |session| session.expire_after(Duration::from_secs(300))).await;
    assert_eq!(session.get::<Value>("_session_expiry"), Some(json!(300)));
    assert_eq!((holds(&session), session.expiry_age().as_secs()), (300, 300));
    session.expire_by_default();
    assert_eq!(session.get::<Value>("_session_expiry"), None);
}

#[tokio::test]
async fn it_holds_until_a_time_written_as_python_writes_it() {
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(4_000_000_000);
    let session = saved(&accounts().await, |session| session.expire_at(time)).await;
    assert_eq!(session.get::<String>("_session_expiry").as_deref(), Some("2096-10-02T07:06:40+00:00"));
    assert_eq!(session.expires(), Some(time));
    session.expire_at(time + Duration::from_micros(1500));
    assert_eq!(session.get::<String>("_session_expiry").as_deref(), Some("2096-10-02T07:06:40.001500+00:00"));
}

#[tokio::test]
async fn with_the_browser_it_ends_on_the_server_as_any_other() {
    let session = saved(&accounts().await, Session::expire_at_browser_close).await;
    assert_eq!(session.get::<Value>("_session_expiry"), Some(json!(0)));
    assert!(session.expires_at_browser_close());
    assert_eq!(holds(&session), 14 * 24 * 60 * 60);
}

#[tokio::test]
async fn times_of_sites_without_time_zones_are_read() {
    for text in ["2096-10-02T07:06:40", "2096-10-02T07:06:40.000000", "2096-10-02T09:06:40+02:00"] {
        let session = saved(&accounts().await, |s| s.insert("_session_expiry", text).unwrap()).await;
        let expected = SystemTime::UNIX_EPOCH + Duration::from_secs(4_000_000_000);
        assert_eq!(session.expires(), Some(expected), "{text}");
    }
}

#[tokio::test]
async fn an_expiry_that_is_none_is_that_of_the_site() {
    for strange in [json!(null), json!("tomorrow"), json!([1]), json!(false)] {
        let session = saved(&accounts().await, |s| s.insert("_session_expiry", strange).unwrap()).await;
        assert_eq!(holds(&session), 14 * 24 * 60 * 60);
    }
}

#[tokio::test]
async fn an_expiry_beyond_the_calendar_is_its_last_day() {
    for far in [json!(i64::MAX), json!(u64::MAX), json!(1e300), json!(9_007_199_254_740_991_i64)] {
        let accounts = accounts().await;
        let session = saved(&accounts, |s| s.insert("_session_expiry", far).unwrap()).await;
        let (_, expires) = row_of(&accounts, &session.key().unwrap()).await;
        assert_eq!(expires, "9999-12-31 23:59:59");
    }
    let site = Site::new(|accounts| accounts.cookie(SessionCookie::default().age(Duration::MAX))).await;
    let header = site.browser().tell("set a 1").await.set_cookie.unwrap();
    assert!(header.contains("expires=Fri, 31 Dec 9999 23:59:59 GMT"), "{header}");
}

#[tokio::test]
async fn what_is_over_is_empty() {
    let site = Site::new(|accounts| accounts).await;
    let mut browser = site.browser();
    browser.tell("set a 1").await;
    forget_in(&site.accounts, browser.cookie.as_deref().unwrap(), -1).await;
    assert_eq!(browser.tell("").await.body, json!({"key": null, "values": {}}));
    assert_eq!(browser.cookie, None);
}

#[tokio::test]
async fn one_that_ends_in_the_past_is_over_at_once() {
    let accounts = accounts().await;
    let session = saved(&accounts, |session| session.expire_at(SystemTime::UNIX_EPOCH)).await;
    assert_eq!(session.expiry_age(), Duration::ZERO);
    assert_eq!(accounts.session(session.key().as_deref()).await.unwrap().key(), None);
}

#[tokio::test]
async fn what_is_over_is_cleared_and_nothing_else() {
    let accounts = accounts().await;
    let (old, new) = (saved(&accounts, |_| ()).await, saved(&accounts, |_| ()).await);
    forget_in(&accounts, &old.key().unwrap(), -1).await;
    forget_in(&accounts, &new.key().unwrap(), 60).await;
    assert_eq!(accounts.clear_expired_sessions().await.unwrap(), 1);
    assert_eq!(accounts.clear_expired_sessions().await.unwrap(), 0);
    assert!(accounts.session(new.key().as_deref()).await.unwrap().contains("a"));
}
