use narrows_web::testing::{Browser, TestClient, TestSite};
use serde_json::{Value, json};

async fn site() -> TestSite {
    mysite::project().test().await
}

/// Opens a room by the form of the page; what is shown then.
async fn open_room(browser: &Browser, name: &str) -> String {
    let answer = browser
        .post_form("/", &[("name", name), ("topic", "all sorts")])
        .await;
    browser.follow(answer).await.text().to_owned()
}

#[tokio::test]
async fn a_room_that_was_opened_is_listed() {
    let site = site().await;
    assert!(site.get("/").await.text().contains("There is no room yet"));

    let page = open_room(&site, "lobby").await;

    assert!(
        page.contains("The room lobby is open.") && page.contains("all sorts"),
        "{page}"
    );
    assert!(
        site.get("/")
            .await
            .text()
            .contains(r#"href="/chat/lobby/""#)
    );
}

#[tokio::test]
async fn a_name_that_is_wrong_or_taken_comes_back_with_the_reason() {
    let site = site().await;
    open_room(&site, "lobby").await;

    let reasons = [
        ("Lobby!", "Use small letters"),
        ("", "This field is required."),
        ("lobby", "There is a room of this name already"),
    ];
    for (name, reason) in reasons {
        let page = site
            .post_form("/", &[("name", name), ("topic", "my topic")])
            .await;
        assert!(page.text().contains(reason), "{name:?}: {}", page.text());
        assert!(page.text().contains("my topic"), "what was typed stays");
    }
}

#[tokio::test]
async fn what_one_says_the_other_hears_and_who_comes_later_reads() {
    let site = site().await;
    open_room(&site, "lobby").await;
    let ada = site.user("ada").await;
    site.log_in(&ada).await;
    let mut ada = site.socket("/ws/chat/lobby/").await;
    let mut guest = site.another_browser().socket("/ws/chat/lobby/").await;

    ada.send(&json!({"type": "say", "text": " Good morning "}))
        .await;

    let said = said(&mut guest).await;
    assert_eq!(
        (&said["from"], &said["text"]),
        (&json!("ada"), &json!("Good morning"))
    );
    let mut later = site.another_browser().socket("/ws/chat/lobby/").await;
    later.expect(&said).await;
}

#[tokio::test]
async fn nothing_at_all_is_not_said() {
    let site = site().await;
    open_room(&site, "lobby").await;
    let mut guest = site.socket("/ws/chat/lobby/").await;

    guest.send(&json!({"type": "say", "text": "  "})).await;
    guest.send(&json!({"type": "say", "text": "hello"})).await;

    assert_eq!(said(&mut guest).await["text"], "hello");
}

#[tokio::test]
async fn what_staff_announce_all_rooms_are_told() {
    let site = site().await;
    open_room(&site, "lobby").await;
    let mut guest = site.another_browser().socket("/ws/chat/lobby/").await;
    site.log_in(&site.superuser("grace").await).await;

    let typed = [("text", "Closing at ten."), ("to", "everyone")];
    site.post_form("/admin/live/announcements/", &typed).await;

    assert_eq!(next(&mut guest, "notice").await["text"], "Closing at ten.");
}

#[tokio::test]
async fn a_room_that_is_not_there_has_neither_page_nor_socket() {
    let site = site().await;
    assert_eq!(site.get("/chat/nowhere/").await.status(), 404);
    assert_eq!(site.get("/nowhere/").await.status(), 404);
    let refused = site.socket_request("/ws/chat/nowhere/").try_connect().await;
    assert_eq!(refused.expect_err("there is no such room").status(), 404);
}

/// The next thing that was said; who came and went is passed over.
async fn said(client: &mut TestClient) -> Value {
    next(client, "said").await
}

async fn next(client: &mut TestClient, kind: &str) -> Value {
    loop {
        let message: Value = client.receive().await;
        if message["type"] == kind {
            return message;
        }
    }
}
