//! The session's cookie, as Django and Channels write it.

use narrows_django::{SameSite, SessionCookie, SessionEngine};

use super::Site;
use crate::vectors::{list, text, vectors};

/// A header without what depends on the time and the session.
fn shape(header: &str) -> String {
    let (_, attributes) = header.split_once("; ").unwrap();
    let (before, rest) = attributes.split_once("expires=").unwrap_or((attributes, ""));
    let after = rest.split_once(" GMT").map_or("", |(_, after)| after);
    format!("{before}{after}")
}

#[tokio::test]
async fn it_is_set_as_django_sets_it() {
    let site = Site::new(|accounts| accounts).await;
    let ours = site.browser().tell("set a 1").await.set_cookie.unwrap();
    let of_django = list("set_cookie_headers")[0].as_str().unwrap();
    assert_eq!(shape(&ours), shape(of_django));
    // `expires=Tue, 28 Nov 2023 22:13:20 GMT; HttpOnly…`
    assert_eq!(ours.len(), of_django.len() - "abcdefghijklmnopqrstuvwxyz012345".len() + 32);
}

#[tokio::test]
async fn its_time_is_that_of_its_age() {
    let site = Site::new(|accounts| accounts).await;
    let header = site.browser().tell("set a 1\nafter 300").await.set_cookie.unwrap();
    assert!(header.contains("; Max-Age=300; "), "{header}");
    let expires = header.split("expires=").nth(1).unwrap().split(';').next().unwrap();
    let expires = chrono::DateTime::parse_from_rfc2822(expires).unwrap();
    let left = expires.timestamp() - chrono::Utc::now().timestamp();
    assert!((290..=300).contains(&left), "{left} seconds");
}

#[tokio::test]
async fn one_that_ends_with_the_browser_has_no_time() {
    let site = Site::new(|accounts| accounts).await;
    let header = site.browser().tell("set a 1\nclose").await.set_cookie.unwrap();
    assert!(header.ends_with("; HttpOnly; Path=/; SameSite=Lax"), "{header}");
    assert!(!header.contains("expires") && !header.contains("Max-Age"), "{header}");
}

#[tokio::test]
async fn a_site_may_let_all_end_with_the_browser() {
    let cookie = SessionCookie::default().expire_at_browser_close(true).same_site(SameSite::Unset);
    let site = Site::new(|accounts| accounts.cookie(cookie)).await;
    let mut browser = site.browser();
    let header = browser.tell("set a 1").await.set_cookie.unwrap();
    assert!(header.ends_with("; HttpOnly; Path=/"), "{header}");
    let header = browser.tell("after 60").await.set_cookie.unwrap();
    assert!(header.contains("; Max-Age=60; "), "{header}");
}

#[tokio::test]
async fn one_for_all_sites_is_deleted_securely() {
    let cookie = SessionCookie::default().same_site(SameSite::None).secure(true);
    let site = Site::new(|accounts| accounts.cookie(cookie)).await;
    let mut browser = site.browser();
    browser.tell("set a 1").await;
    let header = browser.tell("flush").await.set_cookie.unwrap();
    let expected =
        "sessionid=\"\"; expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/; SameSite=None; Secure";
    assert_eq!(header, expected);
}

#[tokio::test]
async fn a_session_in_its_cookie_is_read_as_django_wrote_it_unless_it_is_too_old() {
    let vector = vectors("signed_cookies_store");
    // It is of 2023, so two weeks are over.
    for (years, is_read) in [(100, true), (1, false)] {
        let age = std::time::Duration::from_secs(years * 365 * 24 * 60 * 60);
        let cookie = SessionCookie::default().age(age);
        let site = Site::new(|accounts| accounts.sessions(SessionEngine::SignedCookies).cookie(cookie)).await;
        let mut browser = site.browser().with_cookie(text(vector, "cookie_value"));
        let body = browser.tell("").await.body;
        assert_eq!(body["values"] == vector["dict"], is_read, "{body}");
    }
}

#[tokio::test]
async fn a_session_in_its_cookie_that_was_tampered_with_is_empty_and_deleted() {
    let site = Site::new(|accounts| accounts.sessions(SessionEngine::SignedCookies)).await;
    let mut browser = site.browser();
    browser.tell("set admin false").await;
    let mut cookie = browser.cookie.take().unwrap();
    let last = cookie.pop().unwrap();
    cookie.push(if last == 'A' { 'B' } else { 'A' });
    let mut browser = browser.with_cookie(&cookie);
    let answer = browser.tell("").await;
    assert_eq!(answer.body["values"], serde_json::json!({}));
    assert_eq!(browser.cookie, None);
}

#[test]
#[should_panic(expected = "no name of a cookie")]
fn a_name_that_would_break_the_header_is_refused() {
    drop(SessionCookie::default().name("a=b; c"));
}

#[test]
#[should_panic(expected = "a cookie cannot say")]
fn an_attribute_that_would_break_the_header_is_refused() {
    drop(SessionCookie::default().domain("example.com\r\nx: y"));
}
