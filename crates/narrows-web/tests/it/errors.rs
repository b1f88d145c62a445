//! The pages of errors.

use std::net::SocketAddr;

use axum::Json;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::routing::{get, post};
use http::{StatusCode, header};
use narrows_web::narrows_django::{StaffUser, User, sea_orm::DbErr};
use narrows_web::testing::TestSite;
use narrows_web::{App, Error, Page, Project, Result, Routes, context};
use serde::Deserialize;
use tempfile::TempDir;

use crate::logs;
use crate::pages::{folder, get as ask, project_of, request};

const HTML: (&str, &str) = ("accept", "text/html,application/xhtml+xml,*/*;q=0.8");
const JSON: (&str, &str) = ("accept", "application/json");
const ANY: (&str, &str) = ("accept", "*/*");

#[derive(Debug, thiserror::Error)]
#[error("the disk <b>is</b> full")]
struct Full(#[source] std::io::Error);

#[derive(Deserialize)]
struct Message {
    #[expect(dead_code, reason = "only its being there matters")]
    text: String,
}

async fn fails() -> Result {
    Err(Full(std::io::Error::other("no space left")))?
}

async fn panics() -> &'static str {
    panic!("the view was wrong")
}

async fn teapot() -> Result {
    Err(Error::status(StatusCode::IM_A_TEAPOT).text("I am short & stout."))
}

fn app() -> App {
    App::new("main").routes(|_| {
        Routes::new()
            .route("fails", "/fails/", get(fails))
            .route("panics", "/panics/", get(panics))
            .route("logged_failure", "/logged/failure/", get(fails))
            .route("logged_panic", "/logged/panic/", get(panics))
            .route("bare", "/logged/bare/", get(async || StatusCode::INTERNAL_SERVER_ERROR))
            .route("gone", "/gone/", get(async || -> Result { Err(Error::not_found()) }))
            .route(
                "record",
                "/record/",
                get(async || -> Result { Err(DbErr::RecordNotFound("room".into()))? }),
            )
            .route("forbidden", "/forbidden/", get(async || -> Result { Err(Error::forbidden()) }))
            .route("staff", "/staff/", get(async |StaffUser(user): StaffUser| user.username))
            .route("me", "/me/", get(async |user: User| user.username))
            .route("json", "/json/", post(async |Json(_): Json<Message>| "taken"))
            .route("teapot", "/teapot/", get(teapot))
            .route(
                "busy",
                "/busy/",
                get(async || (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "7")])),
            )
            .route("own", "/own/", get(async || (StatusCode::NOT_FOUND, axum::response::Html("my own"))))
            .route("own_json", "/own.json", get(async || (StatusCode::CONFLICT, Json(1))))
            .route("template", "/template/", get(async |page: Page| page.render("wrong.html", context! {})))
    })
}

fn root() -> TempDir {
    folder(&[
        (
            "templates/404.html",
            "<h1>Lost at {{ request.path }}</h1>{% if user %}{{ user.username }}{% endif %} {{ text }}",
        ),
        ("templates/500.html", "<h1>Broken</h1>"),
        ("templates/wrong.html", "<p>\n{{ secret_name }}\n</p>"),
    ])
}

/// With the folder of its templates.
async fn site() -> (TempDir, TestSite) {
    let root = root();
    let site = project_of(&root).app(app()).test().await;
    (root, site)
}

/// With the details.
async fn in_development() -> (TempDir, TestSite) {
    let root = root();
    let site = project_of(&root).app(app()).test_with(["--development=on"]).await;
    (root, site)
}

#[tokio::test]
async fn a_browser_gets_the_sites_own_page() {
    let (_root, site) = site().await;
    for path in ["/nothing/", "/gone/", "/record/"] {
        let page = ask(&site, path, &[HTML]).await;
        assert_eq!(
            (page.status().as_u16(), page.header("content-type")),
            (404, Some("text/html; charset=utf-8"))
        );
        assert!(page.contains(&format!("<h1>Lost at {path}</h1> There is no page")), "{page}");
    }
}

#[tokio::test]
async fn the_page_of_an_error_knows_who_reads_it() {
    let (_root, site) = site().await;
    site.log_in(&site.user("ada").await).await;
    let page = ask(&site, "/nothing/", &[HTML]).await;
    assert!(page.contains("ada"), "{page}");
    assert_eq!(page.header("cache-control"), Some("private, no-store"));
}

#[tokio::test]
async fn a_failure_and_a_panic_are_a_page_without_a_word_of_what_it_was() {
    let (_root, site) = site().await;
    for path in ["/fails/", "/panics/", "/template/"] {
        let page = ask(&site, path, &[HTML]).await;
        assert_eq!((page.status().as_u16(), page.text()), (500, "<h1>Broken</h1>"), "{path}");
    }
}

#[tokio::test]
async fn a_failure_is_logged_once_with_all_that_was_behind_it() {
    logs::keep();
    let (_root, site) = site().await;
    ask(&site, "/logged/failure/?password=secret", &[HTML]).await;
    ask(&site, "/logged/panic/", &[ANY]).await;
    ask(&site, "/logged/nothing/", &[HTML]).await;
    ask(&site, "/logged/bare/", &[HTML]).await;
    let [failure] = &logs::with("/logged/failure/")[..] else { panic!("{:?}", logs::with("/logged/")) };
    for part in ["ERROR", "method=GET", "status=500", "the disk", "no space left"] {
        assert!(failure.contains(part), "{failure}");
    }
    assert!(!failure.contains("secret"));
    let [panic] = &logs::with("/logged/panic/")[..] else { panic!("{:?}", logs::with("/logged/")) };
    assert!(panic.contains("the view was wrong"), "{panic}");
    assert_eq!((logs::with("/logged/nothing/").len(), logs::with("/logged/bare/").len()), (0, 1));
}

#[tokio::test]
async fn other_clients_get_json_or_a_text() {
    let (_root, site) = site().await;
    let json = ask(&site, "/nothing/", &[JSON]).await;
    assert_eq!(json.header("content-type"), Some("application/problem+json"));
    let body: serde_json::Value = json.json();
    assert_eq!((&body["status"], &body["title"]), (&404.into(), &"Not Found".into()));
    let text = ask(&site, "/nothing/", &[ANY]).await;
    assert_eq!(text.header("content-type"), Some("text/plain; charset=utf-8"));
    assert_eq!(text.text(), "There is no page at this address.\n");
    assert_eq!(ask(&site, "/fails/", &[JSON]).await.json::<serde_json::Value>()["status"], 500);
}

#[tokio::test]
async fn statuses_without_a_page_of_the_sites_have_the_built_in_one() {
    let (_root, site) = site().await;
    let page = ask(&site, "/forbidden/", &[HTML]).await;
    assert_eq!(page.status(), 403);
    assert!(page.contains("<h1>Forbidden</h1>") && page.contains("You may not do this."), "{page}");
    assert!(page.contains("/static/v-") && page.contains("/narrows/narrows.css"), "{page}");
    let page = ask(&site, "/teapot/", &[HTML]).await;
    assert!(page.contains("I am short &amp; stout."), "{page}");
}

#[tokio::test]
async fn refusals_of_extractors_and_routers_are_pages_too() {
    let (_root, site) = site().await;
    for (method, path, status) in
        [("POST", "/gone/", 405), ("GET", "/staff/", 401), ("GET", "/me/", 401), ("POST", "/json/", 415)]
    {
        let page = request(&site, method, path, &[HTML]).await;
        assert_eq!(
            (page.status().as_u16(), page.header("content-type")),
            (status, Some("text/html; charset=utf-8")),
            "{path}"
        );
    }
    assert_eq!(request(&site, "POST", "/gone/", &[HTML]).await.header("allow"), Some("GET,HEAD"));
    let answer = site.post_json("/json/", &serde_json::json!({ "txt": 1 })).await;
    assert_eq!(
        (answer.status().as_u16(), answer.header("content-type")),
        (422, Some("application/problem+json"))
    );
    assert!(answer.contains("missing field `text`"), "{answer}");
}

#[tokio::test]
async fn a_user_who_is_not_staff_and_a_request_of_another_site_get_a_403() {
    let (_root, site) = site().await;
    site.log_in(&site.user("ada").await).await;
    let staff = ask(&site, "/staff/", &[HTML]).await;
    assert!(staff.status() == 403 && staff.contains("you may not do this"), "{staff}");
    let foreign = request(&site, "POST", "/json/", &[HTML, ("sec-fetch-site", "cross-site")]).await;
    assert!(foreign.status() == 403 && foreign.contains("this request comes from another site"), "{foreign}");
}

#[tokio::test]
async fn what_an_answer_says_besides_stays() {
    let (_root, site) = site().await;
    let busy = ask(&site, "/busy/", &[HTML]).await;
    assert_eq!((busy.status().as_u16(), busy.header("retry-after")), (503, Some("7")));
    assert!(busy.contains("The site is busy."), "{busy}");
}

#[tokio::test]
async fn a_page_of_the_views_own_is_left_as_it_is() {
    let (_root, site) = site().await;
    assert_eq!(ask(&site, "/own/", &[HTML]).await.text(), "my own");
    assert_eq!(ask(&site, "/own/", &[JSON]).await.text(), "my own");
    assert_eq!(ask(&site, "/own.json", &[HTML]).await.text(), "1");
}

#[tokio::test]
async fn the_refusal_of_a_socket_is_left_as_it_is() {
    let (_root, site) = site().await;
    let answer = ask(&site, "/nothing/", &[HTML, ("upgrade", "websocket")]).await;
    assert_eq!((answer.status().as_u16(), answer.body().len()), (404, 0));
}

#[tokio::test]
async fn a_page_of_an_error_that_fails_itself_is_the_built_in_one() {
    let root =
        folder(&[("templates/404.html", "{{ no_such_name }}"), ("templates/500.html", "{{ neither }}")]);
    let site = project_of(&root).app(app()).test().await;
    let page = ask(&site, "/nothing/", &[HTML]).await;
    assert!(page.status() == 404 && page.contains("<h1>Not Found</h1>"), "{page}");
    let page = ask(&site, "/fails/", &[HTML]).await;
    assert!(page.status() == 500 && page.contains("<h1>Internal Server Error</h1>"), "{page}");
}

#[tokio::test]
async fn developers_see_what_happened_and_no_secrets() {
    let (_root, site) = in_development().await;
    let headers = [
        HTML,
        ("cookie", "sessionid=opensesame"),
        ("authorization", "Bearer opensesame"),
        ("x-api-key", "opensesame"),
        ("x-csrf-token", "opensesame"),
        ("x-note", "<i>note"),
    ];
    let page = ask(&site, "/fails/?a=b", &headers).await;
    assert_eq!((page.status().as_u16(), page.header("cache-control")), (500, Some("private, no-store")));
    for part in
        ["the disk &lt;b&gt;is&lt;", "no space left", "GET", ">/fails/<", ">a=b<", "x-note", "&lt;i&gt;note"]
    {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(!page.contains("opensesame") && !page.contains("<b>is") && !page.contains("<i>note"), "{page}");
}

#[tokio::test]
async fn developers_see_the_line_of_a_template() {
    let (_root, site) = in_development().await;
    let page = ask(&site, "/template/", &[HTML]).await;
    assert!(page.contains("<code>wrong.html</code>, line 2"), "{page}");
    assert!(page.contains("secret_name }}"), "{page}");
}

#[tokio::test]
async fn developers_see_the_routes_where_none_has_the_path() {
    let (_root, site) = in_development().await;
    let page = ask(&site, "/nothing/", &[HTML, ("x-note", "<script>")]).await;
    assert!(page.status() == 404 && page.contains("main:teapot") && !page.contains("<script>"), "{page}");
    let panic = ask(&site, "/panics/", &[HTML]).await;
    assert!(panic.contains("the view was wrong"), "{panic}");
}

#[tokio::test]
async fn clients_from_elsewhere_see_no_details_of_a_site_in_development() {
    let (_root, site) = in_development().await;
    for (address, sees) in
        [("203.0.113.7", false), ("192.168.1.7", true), ("::1", true), ("2001:db8::1", false)]
    {
        let address: std::net::IpAddr = address.parse().unwrap();
        let mut request = http::Request::get("/fails/").header(HTML.0, HTML.1).body(Body::empty()).unwrap();
        request.extensions_mut().insert(ConnectInfo(SocketAddr::from((address, 5000))));
        let page = site.request(request).await;
        assert_eq!(page.contains("no space left"), sees, "{address}: {page}");
        assert_eq!(page.contains("<h1>Broken</h1>"), !sees, "{address}: {page}");
    }
}

#[tokio::test]
async fn who_comes_by_a_proxy_that_nobody_named_is_not_near() {
    let (_root, site) = in_development().await;
    for (name, value, sees) in [
        ("x-forwarded-for", "203.0.113.7", false),
        ("x-forwarded-for", "127.0.0.1, 203.0.113.7", false),
        ("x-forwarded-for", "unknown", false),
        ("x-forwarded-for", "192.168.1.7, ::1", true),
        ("x-real-ip", "203.0.113.7", false),
        ("forwarded", "for=\"[2001:db8::1]:4711\";proto=https", false),
        ("forwarded", "for=127.0.0.1;host=a, For=\"[::1]\"", true),
        ("forwarded", "proto=https", false),
    ] {
        let request = http::Request::get("/fails/").header(HTML.0, HTML.1).header(name, value);
        let mut request = request.body(Body::empty()).unwrap();
        request.extensions_mut().insert(ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 5000))));
        let page = site.request(request).await;
        assert_eq!(page.contains("no space left"), sees, "{name}: {value}");
    }
}

#[tokio::test]
async fn scripts_and_shells_of_developers_are_told_too() {
    let (_root, site) = in_development().await;
    let json: serde_json::Value = ask(&site, "/fails/", &[JSON]).await.json();
    assert_eq!(json["causes"], serde_json::json!(["the disk <b>is</b> full", "no space left"]));
    let text = ask(&site, "/fails/", &[ANY]).await;
    assert!(text.text().ends_with("\nthe disk <b>is</b> full\nno space left\n"), "{text}");
    assert!(ask(&site, "/forbidden/", &[JSON]).await.json::<serde_json::Value>().get("causes").is_none());
}

#[tokio::test]
async fn a_project_of_nothing_has_pages_of_errors() {
    let site = Project::new("small", "1.0.0").test().await;
    let page = ask(&site, "/", &[HTML]).await;
    assert!(page.status() == 404 && page.contains("<h1>Not Found</h1>"), "{page}");
}
