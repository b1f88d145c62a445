//! Flash messages.

use axum::extract::Path;
use axum::response::Redirect;
use axum::routing::get;
use narrows_web::flash::{Flash, Level};
use narrows_web::narrows_django::Session;
use narrows_web::testing::TestSite;
use narrows_web::{App, Project, Routes};

async fn say(Path(text): Path<String>, session: Session) -> Redirect {
    let level = if text.starts_with('!') { Level::Error } else { Level::Success };
    Flash::add(&session, level, &text);
    Redirect::to("/said/")
}

async fn said(session: Session) -> String {
    let all = Flash::take(&session);
    all.iter().map(|message| format!("{:?} {}", message.level, message.text)).collect::<Vec<_>>().join("\n")
}

async fn site() -> TestSite {
    let routes = Routes::new().route("say", "/say/{text}/", get(say)).route("said", "/said/", get(said));
    Project::new("flash", "1.0.0").app(App::new("main").routes(|_| routes)).test().await
}

#[tokio::test]
async fn messages_are_shown_once_and_in_order_to_whoever_uses_the_browser() {
    let site = site().await;
    site.get("/say/one/").await;
    let answer = site.get("/say/!two/").await;
    assert_eq!(site.another_browser().get("/said/").await.text(), "");
    assert_eq!(site.follow(answer).await.text(), "Success one\nError !two");
    assert_eq!(site.get("/said/").await.text(), "");
}

#[tokio::test]
async fn messages_outlive_the_log_in() {
    let site = site().await;
    site.get("/say/one/").await;
    let ada = site.user("ada").await;
    site.log_in(&ada).await;
    assert_eq!(site.get("/said/").await.text(), "Success one");
}

#[tokio::test]
async fn messages_that_nobody_reads_are_few_and_short() {
    let site = site().await;
    for n in 0..15 {
        site.get(&format!("/say/{n}{}/", "x".repeat(400))).await;
    }
    let text = site.get("/said/").await.text().to_owned();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 10);
    assert!(lines[0].starts_with("Success 5x") && lines[9].starts_with("Success 14x"), "{text}");
    assert!(lines.iter().all(|line| line.ends_with('…') && line.chars().count() == 309), "{text}");
}

#[tokio::test]
async fn a_page_without_messages_makes_no_session() {
    let site = site().await;
    site.get("/said/").await;
    assert_eq!(site.cookie("sessionid"), None);
}
