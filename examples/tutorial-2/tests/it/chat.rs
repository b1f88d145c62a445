use narrows_web::testing::{Browser, TestClient, TestSite};
use serde_json::{Value, json};

async fn site() -> TestSite {
    tutorial_2::project().test().await
}

/// Somebody who has entered a room, and their socket.
async fn enter(browser: &Browser, room: &str, name: &str) -> TestClient {
    let entered = browser
        .post_form("/", &[("room", room), ("name", name)])
        .await;
    assert_eq!(entered.status(), 303, "{}", entered.text());
    browser.socket(&format!("/ws/chat/{room}/")).await
}

/// The next thing that was said; who came and went is passed over.
async fn said(page: &mut TestClient) -> Value {
    loop {
        let message: Value = page.receive().await;
        if message["type"] == "said" {
            return message;
        }
    }
}

#[tokio::test]
async fn what_one_says_all_in_the_room_hear() {
    let site = site().await;
    let mut ada = enter(&site, "tea", "Ada").await;
    let mut grace = enter(&site.another_browser(), "tea", "Grace").await;

    ada.send(&json!({"type": "say", "text": "Hello"})).await;

    for page in [&mut ada, &mut grace] {
        let message = said(page).await;
        assert_eq!(
            (&message["from"], &message["text"]),
            (&json!("Ada"), &json!("Hello"))
        );
    }
}

#[tokio::test]
async fn a_form_without_a_name_comes_back_with_what_is_wrong() {
    let site = site().await;
    let page = site.post_form("/", &[("room", "tea"), ("name", "")]).await;
    assert_eq!(page.status(), 422);
    assert!(
        page.text().contains("This field is required.") && page.text().contains("value=\"tea\""),
        "{}",
        page.text()
    );
}

#[tokio::test]
async fn a_room_is_called_something_that_an_address_can_have() {
    let site = site().await;
    let page = site
        .post_form("/", &[("room", ".."), ("name", "Ada")])
        .await;
    assert_eq!(page.status(), 422);
    assert!(
        page.contains("This cannot be the name of a room."),
        "{}",
        page.text()
    );
}

#[tokio::test]
async fn who_has_no_name_gets_neither_the_page_nor_the_socket() {
    let site = site().await;
    assert_eq!(site.get("/chat/tea/").await.header("location"), Some("/"));
    let refused = site.socket_request("/ws/chat/tea/").try_connect().await;
    assert_eq!(refused.expect_err("nobody knows them").status(), 403);
}
