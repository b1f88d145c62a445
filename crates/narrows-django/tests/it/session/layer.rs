//! What the layer does with an answer, as Django's middleware does it.

use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use narrows_django::{SameSite, Session, SessionCookie};
use serde_json::json;
use tower::ServiceExt;

use super::Site;
use super::browser::Browser;

#[tokio::test]
async fn a_value_is_there_in_the_next_request() {
    let site = Site::new(|accounts| accounts).await;
    let mut browser = site.browser();
    browser.tell("set cart [1,2]").await;
    let answer = browser.tell("").await;
    assert_eq!(answer.body["values"], json!({"cart": [1, 2]}));
    assert_eq!(answer.body["key"], json!(browser.cookie));
}

#[tokio::test]
async fn a_cookie_is_set_when_something_changed_and_only_then() {
    let site = Site::new(|accounts| accounts).await;
    let mut browser = site.browser();
    assert_eq!(browser.tell("").await.set_cookie, None);
    assert!(browser.tell("set a 1").await.set_cookie.is_some());
    assert_eq!(browser.tell("").await.set_cookie, None);
    assert_eq!(browser.get("/untouched").await.set_cookie, None);
    assert!(browser.tell("remove a").await.set_cookie.is_some());
}

#[tokio::test]
async fn an_answer_varies_on_the_cookie_when_the_session_was_asked_for() {
    let site = Site::new(|accounts| accounts).await;
    let mut browser = site.browser();
    assert_eq!(browser.tell("").await.vary(), Some("Cookie"));
    assert_eq!(browser.get("/untouched").await.vary(), None);
}

#[tokio::test]
async fn a_vary_header_that_is_there_is_kept() {
    let site = Site::new(|accounts| accounts).await;
    for (there, all) in [("Accept", vec!["Accept", "Cookie"]), ("cookie, Accept", vec!["cookie, Accept"])] {
        let app = Router::new()
            .route("/", get(async move |_: Session| ([("vary", there)], "")))
            .layer(site.accounts.layer());
        let answer = Browser::new(app).get("/").await;
        assert_eq!(answer.headers.get_all("vary").iter().collect::<Vec<_>>(), all);
    }
}

#[tokio::test]
async fn an_error_of_the_server_saves_nothing() {
    let site = Site::new(|accounts| accounts).await;
    let mut browser = site.browser();
    browser.tell("set a 1").await;
    let failed = browser.send("POST", "/do", "set a 2\nstatus 500").await;
    assert_eq!((failed.status, failed.set_cookie), (StatusCode::INTERNAL_SERVER_ERROR, None));
    assert_eq!(browser.tell("").await.body["values"], json!({"a": 1}));
}

#[tokio::test]
async fn an_error_of_the_client_saves() {
    let site = Site::new(|accounts| accounts).await;
    let mut browser = site.browser();
    browser.send("POST", "/do", "set failures 1\nstatus 403").await;
    assert_eq!(browser.tell("").await.body["values"], json!({"failures": 1}));
}

#[tokio::test]
async fn flush_deletes_the_session_and_the_cookie() {
    let site = Site::new(|accounts| accounts).await;
    let mut browser = site.browser();
    browser.tell("set a 1").await;
    let key = browser.cookie.clone().unwrap();
    let answer = browser.tell("flush").await;
    let deleted = "sessionid=\"\"; expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/; SameSite=Lax";
    assert_eq!(answer.set_cookie.as_deref(), Some(deleted));
    assert_eq!(site.accounts.session(Some(&key)).await.unwrap().key(), None);
}

#[tokio::test]
async fn flush_holds_also_when_the_answer_is_an_error() {
    let site = Site::new(|accounts| accounts).await;
    let mut browser = site.browser();
    browser.tell("set a 1").await;
    let key = browser.cookie.clone().unwrap();
    browser.send("POST", "/do", "flush\nset b 2\nstatus 500").await;
    assert!(site.accounts.session(Some(&key)).await.unwrap().is_empty());
}

#[tokio::test]
async fn what_is_put_in_after_a_flush_is_in_a_new_session() {
    let site = Site::new(|accounts| accounts).await;
    let mut browser = site.browser();
    browser.tell("set a 1").await;
    let old = browser.cookie.clone();
    browser.tell("flush\nset b 2").await;
    assert_ne!(browser.cookie, old);
    assert_eq!(browser.tell("").await.body["values"], json!({"b": 2}));
}

#[tokio::test]
async fn cycle_key_keeps_the_values_and_ends_the_old_key() {
    let site = Site::new(|accounts| accounts).await;
    let mut browser = site.browser();
    browser.tell("set a 1").await;
    let old = browser.cookie.clone().unwrap();
    browser.tell("cycle").await;
    assert_ne!(browser.cookie.as_deref(), Some(&*old));
    assert_eq!(browser.tell("").await.body["values"], json!({"a": 1}));
    assert_eq!(site.accounts.session(Some(&old)).await.unwrap().key(), None);
}

#[tokio::test]
async fn cycle_key_with_an_error_keeps_the_old_key() {
    let site = Site::new(|accounts| accounts).await;
    let mut browser = site.browser();
    browser.tell("set a 1").await;
    browser.send("POST", "/do", "cycle\nstatus 503").await;
    assert_eq!(browser.tell("").await.body["values"], json!({"a": 1}));
}

#[tokio::test]
async fn a_handler_that_saves_itself_tells_the_browser_whatever_its_answer_is() {
    let site = Site::new(|accounts| accounts).await;
    for status in [StatusCode::OK, StatusCode::INTERNAL_SERVER_ERROR] {
        let saving = async move |session: Session| {
            session.cycle_key();
            session.save().await.unwrap();
            status
        };
        let app = Router::new().route("/", get(saving)).layer(site.accounts.layer());
        let mut browser = site.browser();
        browser.tell("set a 1").await;
        let mut same = Browser::new(app).with_cookie(&browser.cookie.take().unwrap());
        assert_eq!(same.get("/").await.status, status);
        let mut browser = browser.with_cookie(&same.cookie.unwrap());
        assert_eq!(browser.tell("").await.body["values"], json!({"a": 1}));
    }
}

#[tokio::test]
async fn nobody_chooses_the_key_of_a_new_session() {
    let site = Site::new(|accounts| accounts).await;
    let chosen = "abcdefghijklmnopqrstuvwxyz012345";
    let mut browser = site.browser().with_cookie(chosen);
    let answer = browser.tell("set a 1").await;
    assert!(answer.set_cookie.is_some());
    assert_ne!(browser.cookie.as_deref(), Some(chosen));
    assert_eq!(browser.cookie.unwrap().len(), 32);
}

#[tokio::test]
async fn an_unknown_cookie_is_deleted_and_is_an_empty_session() {
    let site = Site::new(|accounts| accounts).await;
    for cookie in [
        "abcdefghijklmnopqrstuvwxyz012345",
        "short",
        "' OR 1=1 --",
        "../../etc/passwd",
        "\"\\000\\000aaaaaaaa\"",
    ] {
        let mut browser = site.browser().with_cookie(cookie);
        let answer = browser.tell("").await;
        assert_eq!(answer.body, json!({"key": null, "values": {}}), "{cookie}");
        assert!(answer.set_cookie.unwrap().contains("Max-Age=0"), "{cookie}");
    }
}

#[tokio::test]
async fn a_session_deleted_meanwhile_stays_deleted_and_the_answer_is_400() {
    let site = Site::new(|accounts| accounts).await;
    let accounts = site.accounts.clone();
    let app = Router::new()
        .route(
            "/",
            get(async move |session: Session| {
                let same = accounts.session(session.key().as_deref()).await.unwrap();
                same.flush();
                same.save().await.unwrap();
                session.insert("a", 2).unwrap();
            }),
        )
        .layer(site.accounts.layer());
    let mut browser = site.browser();
    browser.tell("set a 1").await;
    let key = browser.cookie.clone().unwrap();
    let answer = Browser::new(app).with_cookie(&key).get("/").await;
    assert_eq!((answer.status, answer.set_cookie), (StatusCode::BAD_REQUEST, None));
    assert_eq!(site.accounts.session(Some(&key)).await.unwrap().key(), None);
}

#[tokio::test]
async fn every_request_saves_where_the_site_says_so() {
    let cookie = SessionCookie::default().save_every_request(true);
    let site = Site::new(|accounts| accounts.cookie(cookie)).await;
    let mut browser = site.browser();
    assert_eq!(browser.get("/untouched").await.set_cookie, None);
    browser.tell("set a 1").await;
    let key = browser.cookie.clone().unwrap();
    let before = site.accounts.session(Some(&key)).await.unwrap().expires().unwrap();
    assert!(browser.get("/untouched").await.set_cookie.is_some());
    assert_eq!(browser.cookie.as_deref(), Some(&*key));
    assert!(site.accounts.session(Some(&key)).await.unwrap().expires().unwrap() > before);
}

#[tokio::test]
async fn the_cookie_has_the_name_and_attributes_that_the_site_gives_it() {
    let cookie = SessionCookie::default()
        .name("__Host-s")
        .age(Duration::from_secs(60))
        .path("/app")
        .domain("example.com")
        .secure(true)
        .http_only(false)
        .same_site(SameSite::Strict);
    let site = Site::new(|accounts| accounts.cookie(cookie)).await;
    let mut browser = site.browser().with_name("__Host-s");
    let set = browser.tell("set a 1").await.set_cookie.unwrap();
    let (_, attributes) = set.split_once("; ").unwrap();
    assert!(attributes.starts_with("Domain=example.com; expires="), "{set}");
    assert!(attributes.ends_with(" GMT; Max-Age=60; Path=/app; SameSite=Strict; Secure"), "{set}");
    assert_eq!(browser.tell("").await.body["values"], json!({"a": 1}));
    let deleted = browser.tell("flush").await.set_cookie.unwrap();
    assert!(deleted.ends_with("; Max-Age=0; Path=/app; SameSite=Strict; Secure"), "{deleted}");
}

#[tokio::test]
async fn cookies_in_several_headers_are_found() {
    let site = Site::new(|accounts| accounts).await;
    let mut browser = site.browser();
    browser.tell("set a 1").await;
    let mut request = Browser::new(site.app.clone()).request("POST", "/do", "");
    request.headers_mut().append("cookie", "theme=dark".parse().unwrap());
    let sent = format!("sessionid={}", browser.cookie.unwrap()).parse().unwrap();
    request.headers_mut().append("cookie", sent);
    let response = site.app.oneshot(request).await.unwrap();
    let body = axum::body::to_bytes(response.into_body(), 1000).await.unwrap();
    assert!(String::from_utf8_lossy(&body).contains(r#""values":{"a":1}"#));
}

#[tokio::test]
async fn an_answer_that_streams_is_not_held_back() {
    let site = Site::new(|accounts| accounts).await;
    let request = site.browser().request("GET", "/stream", "");
    let response = site.app.clone().oneshot(request).await.unwrap();
    assert!(response.headers().contains_key("set-cookie"));
}

#[tokio::test]
async fn two_layers_are_as_one() {
    let site = Site::new(|accounts| accounts).await;
    let mut browser = Browser::new(site.app.clone().layer(site.accounts.layer()));
    let answer = browser.tell("set a 1").await;
    assert_eq!(answer.headers.get_all("set-cookie").iter().count(), 1);
    assert_eq!(browser.tell("").await.body["values"], json!({"a": 1}));
}

#[tokio::test]
async fn a_route_without_the_layer_says_so() {
    let app = Router::new().route("/", get(async |_: Session| ""));
    assert_eq!(Browser::new(app).get("/").await.status, StatusCode::INTERNAL_SERVER_ERROR);
}
