//! Addresses: their names, and what is made of them.

use axum::extract::Path;
use axum::routing::{get, post};
use narrows_web::testing::TestSite;
use narrows_web::{App, Page, Project, Routes, UrlError};

use crate::pages::{get as ask, request};

async fn site() -> TestSite {
    let chat = App::new("chat").routes(|_| {
        Routes::new()
            .route("index", "/chat/", get(async || "index"))
            .route("room", "/chat/{room}/", get(async |Path(room): Path<String>| room))
            .route("file", "/files/{*path}", get(async |Path(path): Path<String>| path))
            .route("say", "/say/", post(async || "said"))
            .route("plain", "/plain", get(async || "plain"))
            .route("braces", "/{{x}}/", get(async || "braces"))
    });
    let settings = Routes::new().route("all", "/", get(async |page: Page| page.uri().to_string())).route(
        "one",
        "/{name}/",
        get(async |Path(name): Path<String>| name),
    );
    let blog = App::new("blog").at("/blog").routes(|_| {
        Routes::new()
            .route("home", "/", get(async |page: Page| page.uri().to_string()))
            .nest("/settings", settings)
            .merge(Routes::new().route("feed", "/feed.xml", get(async || "feed")))
    });
    Project::new("small", "1.0.0").app(chat).app(blog).test().await
}

#[tokio::test]
async fn a_name_and_values_are_an_address_that_leads_back_to_them() {
    let site = site().await;
    for room in ["lobby", "a b", "a/b", "50%", "café", "?#&", "{room}", "..."] {
        let url = site.site().url_for("chat:room", &[("room", room)]).unwrap();
        assert_eq!(site.get(&url).await.text(), room, "{url}");
    }
    let url = site.site().url_for("chat:file", &[("path", "a b/c%.txt")]).unwrap();
    assert_eq!(url, "/files/a%20b/c%25.txt");
    assert_eq!(site.get(&url).await.text(), "a b/c%.txt");
    assert_eq!(site.site().url_for::<&str, &str>("chat:braces", &[]).unwrap(), "/{x}/");
}

#[tokio::test]
async fn what_is_no_address_is_an_error() {
    let site = site().await;
    let url = |name: &str, values: &[(&str, &str)]| site.site().url_for(name, values).unwrap_err();
    assert_eq!(url("chat:lobby", &[]), UrlError::NoRoute("chat:lobby".into()));
    assert_eq!(url("chat:room", &[]).to_string(), "the route `chat:room` needs a `room`");
    assert_eq!(url("chat:index", &[("room", "a")]).to_string(), "the route `chat:index` has no `room`");
    for impossible in ["", ".", "..", "a\0b"] {
        let error = url("chat:room", &[("room", impossible)]);
        assert!(matches!(error, UrlError::Impossible { .. }), "{error}");
    }
    assert!(matches!(url("chat:file", &[("path", "a/../b")]), UrlError::Impossible { .. }));
}

#[tokio::test]
async fn no_value_makes_an_address_that_is_another_site_to_browsers() {
    let any = get(async |Path(path): Path<String>| path);
    let wiki = App::new("wiki").routes(|_| Routes::new().route("page", "/{*path}", any));
    let site = Project::new("small", "1.0.0").app(wiki).test().await;
    let error = site.site().url_for("wiki:page", &[("path", "/evil.example/")]).unwrap_err();
    assert!(matches!(error, UrlError::Impossible { .. }), "{error}");
    assert_eq!(site.site().url_for("wiki:page", &[("path", "a//b")]).unwrap(), "/a//b");
}

#[tokio::test]
async fn an_app_with_a_prefix_has_it_before_all_its_addresses() {
    let site = site().await;
    for (name, values, url) in [
        ("blog:home", &[][..], "/blog/"),
        ("blog:all", &[], "/blog/settings/"),
        ("blog:one", &[("name", "x")], "/blog/settings/x/"),
        ("blog:feed", &[], "/blog/feed.xml"),
    ] {
        assert_eq!(site.site().url_for(name, values).unwrap(), url);
        assert_eq!(site.get(url).await.status(), 200, "{url}");
    }
    assert_eq!(site.get("/blog/?a=b").await.text(), "/blog/?a=b", "a page knows its whole address");
    assert_eq!(site.get("/blog/settings/").await.text(), "/blog/settings/");
}

#[tokio::test]
async fn a_path_that_lacks_its_last_slash_is_sent_on() {
    let site = site().await;
    for (path, target) in [
        ("/chat", "/chat/"),
        ("/chat/lobby?a=b&c", "/chat/lobby/?a=b&c"),
        ("/chat/caf%C3%A9", "/chat/caf%C3%A9/"),
        ("/blog", "/blog/"),
        ("/blog/settings/x", "/blog/settings/x/"),
    ] {
        let answer = site.get(path).await;
        assert_eq!((answer.status().as_u16(), answer.header("location")), (307, Some(target)), "{path}");
    }
    assert_eq!(request(&site, "HEAD", "/chat", &[]).await.status(), 307);
}

#[tokio::test]
async fn what_is_no_path_without_its_slash_is_not_sent_on() {
    let site = site().await;
    for path in ["/nothing", "/plain/", "//evil.example/chat", "/chat/a/b", "//chat", "/"] {
        assert_eq!(site.get(path).await.status(), 404, "{path}");
    }
    assert_eq!(request(&site, "POST", "/say", &[]).await.status(), 404, "what was sent would be lost");
    let socket = [("upgrade", "websocket"), ("connection", "upgrade")];
    assert_eq!(ask(&site, "/chat", &socket).await.status(), 404);
}

#[tokio::test]
async fn nobody_is_sent_on_to_another_site() {
    let page = App::new("pages").routes(|_| Routes::new().route("page", "/{name}/", get(async || "")));
    let site = Project::new("site", "1").app(page).test().await;
    assert_eq!(site.get("/evil.example").await.status(), 307);
    for path in ["//evil.example", "/\\evil.example"] {
        assert_eq!(site.get(path).await.status(), 404, "{path}");
    }
}

#[test]
#[should_panic(expected = "there is a route `room` already")]
fn a_name_is_given_once() {
    drop(Routes::new().route("room", "/a/", get(async || "")).route("room", "/b/", get(async || "")));
}

#[test]
#[should_panic(expected = "`a:b` cannot be the name of a route")]
fn a_name_is_of_one_app() {
    drop(Routes::new().route("a:b", "/a/", get(async || "")));
}

#[tokio::test]
async fn a_view_sends_on_to_a_route_by_its_name() {
    let app = App::new("main").routes(|_| {
        Routes::new()
            .route("from", "/from/", post(async |page: Page| page.redirect("main:to", &[("x", "a b")])))
            .route("to", "/to/{x}/", get(async || ""))
            .route("wrong", "/wrong/", get(async |page: Page| page.redirect("main:gone", &[])))
    });
    let site = Project::new("small", "1.0.0").app(app).test().await;
    let answer = site.post_form("/from/", &[]).await;
    assert_eq!((answer.status().as_u16(), answer.header("location")), (303, Some("/to/a%20b/")));
    assert_eq!(site.get("/wrong/").await.status(), 500);
}
