use axum::http::StatusCode;
use narrows_web::testing::{Browser, TestClient, TestSite};
use serde_json::{Value, json};

async fn site() -> TestSite {
    tutorial_3::project().test().await
}

/// Somebody who is logged in, in a browser of their own.
async fn user(site: &TestSite, name: &str) -> Browser {
    let browser = site.another_browser();
    browser.log_in(&site.user(name).await).await;
    browser
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
async fn what_one_says_all_in_the_room_hear_and_who_comes_later_reads() {
    let site = site().await;
    let mut ada = user(&site, "Ada").await.socket("/ws/chat/tea/").await;
    let mut grace = user(&site, "Grace").await.socket("/ws/chat/tea/").await;

    ada.send(&json!({"type": "say", "text": "Hello"})).await;

    let message = said(&mut grace).await;
    assert_eq!(
        (&message["from"], &message["text"]),
        (&json!("Ada"), &json!("Hello"))
    );
    let mut later = user(&site, "Joan").await.socket("/ws/chat/tea/").await;
    assert_eq!(said(&mut later).await, message);
}

#[tokio::test]
async fn rooms_are_for_users() {
    let site = site().await;
    let page = site.get("/chat/tea/").await;
    assert_eq!(page.header("location"), Some("/login/?next=/chat/tea/"));
    let refused = site.socket_request("/ws/chat/tea/").try_connect().await;
    assert_eq!(refused.expect_err("they are not logged in").status(), 401);
}

#[tokio::test]
async fn a_name_that_no_room_can_have_is_said_to_be_so() {
    let site = site().await;
    let ada = user(&site, "Ada").await;
    let long = "a".repeat(51);

    let form = ada.post_form("/", &[("room", "..")]).await;
    let page = ada.get(&format!("/chat/{long}/")).await;
    let socket = ada
        .socket_request(&format!("/ws/chat/{long}/"))
        .try_connect()
        .await;

    assert_eq!(
        (form.status(), page.status()),
        (StatusCode::UNPROCESSABLE_ENTITY, StatusCode::NOT_FOUND)
    );
    assert_eq!(socket.expect_err("it is too long").status(), 404);
}

#[tokio::test]
async fn the_migrations_are_up_to_date() {
    let unmade = tutorial_3::project().unmade_migrations();
    assert!(
        unmade.is_empty(),
        "`narrows makemigrations` writes {unmade:?}"
    );
}
