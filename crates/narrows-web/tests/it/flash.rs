//! Flash messages.

use axum::extract::Path;
use axum::response::Redirect;
use axum::routing::get;
use narrows_web::flash::{Flash, Level};
use narrows_web::narrows_django::Session;
use narrows_web::testing::TestSite;
use narrows_web::{App, Project, Routes};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

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
        site.get(&format!("/say/{n}/")).await;
    }
    let text = site.get("/said/").await.text().to_owned();
    let expected: Vec<String> = (5..15).map(|n| format!("Success {n}")).collect();
    assert_eq!(text, expected.join("\n"));
    site.get("/say/first/").await;
    for n in 0..6 {
        site.get(&format!("/say/{n}{}/", "x".repeat(400))).await;
    }
    let text = site.get("/said/").await.text().to_owned();
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines.len() == 4 && lines[0].starts_with("Success 2x"), "{text}");
    assert!(lines.iter().all(|line| line.ends_with('…') && line.chars().count() == 309), "{text}");
}

#[tokio::test]
async fn messages_have_room_in_a_cookie_whatever_they_are() {
    let routes = Routes::new().route("say", "/say/{text}/", get(say)).route("said", "/said/", get(said));
    let project = Project::new("flash", "1.0.0").app(App::new("main").routes(|_| routes));
    let site = project.test_with(["--session-engine=signed_cookies"]).await;
    // Of four bytes each, and not to be compressed.
    let letter = |n: u32| char::from_u32(0x2_0000 + n.wrapping_mul(2_654_435_761) % 0x1_0000).unwrap();
    let letters: Vec<char> = (0..3000).map(letter).collect();
    for some in letters.chunks(300) {
        let encoded = utf8_percent_encode(&String::from_iter(some), NON_ALPHANUMERIC).to_string();
        site.get(&format!("/say/{encoded}/")).await;
    }
    let cookie = site.cookie("sessionid").expect("they are in it");
    assert!(cookie.len() < 3700, "{}", cookie.len());
    assert_eq!(site.get("/said/").await.text().lines().count(), 1);
}

#[tokio::test]
async fn a_page_without_messages_makes_no_session() {
    let site = site().await;
    site.get("/said/").await;
    assert_eq!(site.cookie("sessionid"), None);
}
