//! The test kit of projects.

use axum::Json;
use axum::response::Redirect;
use axum::routing::{get, post};
use http::StatusCode;
use narrows_web::narrows::{Close, Connection, Consumer, NoEvent, Reject, Text};
use narrows_web::narrows_django::{MaybeUser, Session, User};
use narrows_web::{App, Project, Routes};
use serde_json::{Value, json};

/// Says who is there, and repeats what it is told.
struct Echo;

impl Consumer for Echo {
    type Scope = MaybeUser;
    type In = Text;
    type Out = Text;
    type Event = NoEvent;

    async fn connect(MaybeUser(user): MaybeUser, conn: &mut Connection<Self>) -> Result<Self, Reject> {
        let name = user.map_or("nobody".to_owned(), |user| user.username);
        conn.send(&Text(name))?;
        Ok(Self)
    }

    async fn receive(&mut self, said: Text, conn: &mut Connection<Self>) -> Result<(), Close> {
        Ok(conn.send(&said)?)
    }
}

async fn visits(session: Session) -> String {
    let visits = session.get::<u32>("visits").unwrap_or_default() + 1;
    session.insert("visits", visits).unwrap();
    visits.to_string()
}

fn project() -> Project {
    let app = App::new("main").routes(|site| {
        Routes::new()
            .route("visits", "/visits/", get(visits))
            .route("me", "/me/", get(|user: User| async move { user.username }))
            .route("form", "/form/", post(|body: String| async move { body }))
            .route("json", "/json/", post(|Json(value): Json<Value>| async move { Json(value) }))
            .route("first", "/first/", get(|| async { Redirect::to("/second/") }))
            .route("second", "/second/", get(|| async { Redirect::to("/visits/") }))
            .route("for_ever", "/for-ever/", get(|| async { Redirect::to("/for-ever/") }))
            .route("echo", "/ws/echo/", site.channels().consumer::<Echo>().route())
    });
    Project::new("small", "1.0.0").app(app)
}

#[tokio::test]
async fn a_browser_keeps_its_cookies_and_another_one_has_its_own() {
    let site = project().test().await;
    assert_eq!(site.get("/visits/").await.text(), "1");
    assert_eq!(site.get("/visits/").await.text(), "2");
    assert_eq!(site.another_browser().get("/visits/").await.text(), "1");
    site.forget();
    assert_eq!(site.get("/visits/").await.text(), "1");
}

#[tokio::test]
async fn a_user_is_logged_in_for_pages_and_for_sockets() {
    let site = project().test().await;
    assert_eq!(site.get("/me/").await.status(), StatusCode::UNAUTHORIZED);
    let ada = site.user("ada").await;
    site.log_in(&ada).await;
    assert_eq!(site.get("/me/").await.text(), "ada");
    let mut socket = site.socket("/ws/echo/").await;
    socket.expect_text("ada").await;
    let mut stranger = site.another_browser().socket("/ws/echo/").await;
    stranger.expect_text("nobody").await;
}

#[tokio::test]
async fn a_form_is_sent_as_a_browser_writes_it() {
    let site = project().test().await;
    let sent = site.post_form("/form/", &[("name", "a&b=c d"), ("tag", "ü"), ("tag", "")]).await;
    assert_eq!(sent.text(), "name=a%26b%3Dc%20d&tag=%C3%BC&tag=");
    let sent = site.post_json("/json/", &json!({"a": [1, 2]})).await;
    assert_eq!(sent.json::<Value>(), json!({"a": [1, 2]}));
}

#[tokio::test]
async fn redirects_are_followed_when_asked_for() {
    let site = project().test().await;
    let first = site.get("/first/").await;
    assert_eq!((first.status(), first.header("location")), (StatusCode::SEE_OTHER, Some("/second/")));
    assert_eq!(site.follow(first).await.text(), "1");
}

#[tokio::test]
#[should_panic(expected = "without an end")]
async fn a_circle_of_redirects_fails_the_test() {
    let site = project().test().await;
    site.follow(site.get("/for-ever/").await).await;
}

#[tokio::test]
#[should_panic(expected = "leads to another site")]
async fn a_redirect_to_another_site_fails_the_test() {
    let app = App::new("main")
        .routes(|_| Routes::new().route("away", "/away/", get(|| async { Redirect::to("//evil.example/") })));
    let site = Project::new("small", "1.0.0").app(app).test().await;
    site.follow(site.get("/away/").await).await;
}

#[tokio::test]
#[should_panic(expected = "did you mean --shards?")]
async fn a_setting_that_there_is_not_fails_the_test() {
    project().test_with(["--shard=1"]).await;
}

#[tokio::test]
async fn a_session_that_is_flushed_is_forgotten_by_the_browser() {
    let app = App::new("main").routes(|_| {
        let out = get(|session: Session| async move { session.flush() });
        Routes::new().route("visits", "/visits/", get(visits)).route("out", "/out/", out)
    });
    let site = Project::new("small", "1.0.0").app(app).test().await;
    site.get("/visits/").await;
    assert!(site.cookie("sessionid").is_some());
    site.get("/out/").await;
    assert_eq!(site.cookie("sessionid"), None);
}
