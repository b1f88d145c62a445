//! The board's socket, and what it hears of Django.

use std::time::{Duration, Instant};

use programs::Child;
use serde_json::json;

use crate::site::Site;
use crate::visitor::Visitor;

#[tokio::test]
async fn a_socket_knows_the_user_of_djangos_session_and_nobody_else_gets_one() {
    let Some(site) = Site::start() else { return };
    let ada = Visitor::log_in(&site, "ada").await;
    let mut socket = ada.socket().await.unwrap();
    assert_eq!(socket.next().await, json!({"type": "welcome", "name": "ada"}));
    assert_eq!(Visitor::new(&site).socket().await.err(), Some(401));
}

#[tokio::test]
async fn what_django_saves_and_what_others_say_is_live() {
    let Some(site) = Site::start() else { return };
    let (mut ada, ben) = (Visitor::log_in(&site, "ada").await, Visitor::log_in(&site, "ben").await);
    let mut page = ben.live().await;

    ada.post("/posts/", &[("title", "Tea"), ("text", "at <b>four</b>")]).await;
    let post = page.next().await;
    assert_eq!(post["type"], "post.saved");
    assert_eq!(
        (&post["title"], &post["text"], &post["author"]),
        (&json!("Tea"), &json!("at <b>four</b>"), &json!("ada"))
    );
    let id = post["id"].to_string();
    ada.post(&format!("/posts/{id}/comments/"), &[("text", "and cake")]).await;
    let comment = page.next().await;
    assert_eq!((&comment["type"], &comment["post"]), (&json!("comment.saved"), &post["id"]));

    // In the admin too.
    ada.get("/admin/").await;
    let form = [
        ("title", "Tea, later"),
        ("author", "1"),
        ("text", "at five"),
        ("comments-TOTAL_FORMS", "0"),
        ("comments-INITIAL_FORMS", "0"),
    ];
    let changed = ada.post(&format!("/admin/board/post/{id}/change/"), &form).await;
    assert_eq!(changed.status, 302, "{}", changed.body);
    let changed = page.next().await;
    assert_eq!((&changed["title"], &changed["new"]), (&json!("Tea, later"), &json!(false)));

    let mut other = ada.live().await;
    assert_eq!(page.next().await["text"], "here");
    other.say("hello ben").await;
    assert_eq!(page.next().await, json!({"type": "chat.said", "author": "ada", "text": "hello ben"}));
}

#[tokio::test]
async fn what_a_browser_says_is_heard_by_a_python_process() {
    let Some(redis) = rig::Redis::start() else { return };
    let Some(site) = Site::start_with(&["--layer", &redis.url()]) else { return };
    let ben = Visitor::log_in(&site, "ben").await;
    let mut listener = Child::start(site.manage(&["board_log"]).env("CHANNEL_LAYER_URL", redis.url()));
    listener.line("listening to the board");
    ben.live().await.say("hello Python").await;
    assert_eq!(listener.line("ben said hello"), "Python");
}

#[tokio::test]
async fn logging_out_in_django_closes_the_sockets_of_that_session_within_a_second() {
    let Some(site) = Site::start() else { return };
    let mut phone = Visitor::log_in(&site, "ada").await;
    let desk = Visitor::log_in(&site, "ada").await;
    let (mut on_phone, mut second, mut on_desk) = (phone.live().await, phone.live().await, desk.live().await);
    phone.get("/").await;
    assert_eq!(phone.post("/accounts/logout/", &[]).await.status, 302);
    let begin = Instant::now();
    assert_eq!((on_phone.closed().await, second.closed().await), (4401, 4401));
    assert!(begin.elapsed() < Duration::from_secs(1), "it took {:?}", begin.elapsed());
    assert_eq!(phone.socket().await.err(), Some(401));
    // The other session goes on.
    on_desk.say("still here").await;
    while on_desk.next().await["text"] != "still here" {}
}

#[tokio::test]
async fn a_user_who_is_switched_off_in_the_admin_has_no_sockets_any_more() {
    let Some(site) = Site::start() else { return };
    let (mut ada, ben) = (Visitor::log_in(&site, "ada").await, Visitor::log_in(&site, "ben").await);
    let (mut hers, mut his) = (ada.live().await, ben.live().await);
    ada.get("/admin/").await;
    // A box that is not sent is not ticked.
    let form = [
        ("username", "ben"),
        ("date_joined_0", "2026-01-01"),
        ("date_joined_1", "00:00:00"),
        ("initial-date_joined_0", "2026-01-01"),
        ("initial-date_joined_1", "00:00:00"),
    ];
    let changed = ada.post("/admin/auth/user/2/change/", &form).await;
    assert_eq!(changed.status, 302, "{}", changed.body);
    assert_eq!(his.closed().await, 4401);
    hers.say("I stay").await;
    while hers.next().await["text"] != "I stay" {}
}

#[tokio::test]
async fn without_redis_the_chat_works_and_the_end_of_a_session_is_found_by_looking() {
    let Some(site) = Site::start_with(&["--layer", "memory", "--identity-check-period", "1s"]) else {
        return;
    };
    let (mut ada, ben) = (Visitor::log_in(&site, "ada").await, Visitor::log_in(&site, "ben").await);
    let (mut hers, mut his) = (ada.live().await, ben.live().await);
    hers.say("nobody else needed").await;
    while his.next().await["text"] != "nobody else needed" {}
    ada.get("/").await;
    assert_eq!(ada.post("/accounts/logout/", &[]).await.status, 302);
    assert_eq!(hers.closed().await, 4401);
    his.say("still here").await;
    while his.next().await["text"] != "still here" {}
}
