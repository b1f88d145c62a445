use narrows_web::testing::TestSite;
use serde_json::{Value, json};

async fn site() -> TestSite {
    mysite::project().test().await
}

/// Opens a room by the form of the page.
async fn open_room(site: &TestSite, name: &str) {
    let answer = site.post("/", &[("name", name), ("topic", "all sorts")]).await;
    assert_eq!(answer.header("location"), Some(format!("/chat/{name}/").as_str()), "{}", answer.text());
}

#[tokio::test]
async fn a_room_that_was_opened_is_listed() {
    let site = site().await;
    assert!(site.get("/").await.text().contains("There is no room yet"));

    open_room(&site, "lobby").await;

    let page = site.get("/").await;
    assert!(page.text().contains("The room lobby is open."), "said once, on the next page");
    assert!(page.text().contains(r#"href="/chat/lobby/""#));
}

#[tokio::test]
async fn a_name_that_is_wrong_or_taken_comes_back_with_the_reason() {
    let site = site().await;
    open_room(&site, "lobby").await;

    for (name, reason) in
        [("Lobby!", "use small letters"), ("", "length is lower than 1"), ("lobby", "There is a room of this name")]
    {
        let page = site.post("/", &[("name", name), ("topic", "my topic")]).await;
        assert!(page.text().contains(reason), "{name:?}: {}", page.text());
        assert!(page.text().contains("my topic"), "what was typed stays");
    }
}

#[tokio::test]
async fn what_one_says_the_other_hears_and_who_comes_later_reads() {
    let site = site().await;
    open_room(&site, "lobby").await;
    let mut ada = site.log_in("ada").await.connect("/ws/chat/lobby/").await;
    let mut guest = site.connect("/ws/chat/lobby/").await;

    ada.send(&json!({"type": "say", "text": " Good morning "})).await;

    let said: Value = guest.receive().await;
    assert_eq!((&said["from"], &said["text"]), (&json!("ada"), &json!("Good morning")));
    site.connect("/ws/chat/lobby/").await.expect(&said).await;
}

#[tokio::test]
async fn there_is_no_socket_for_a_room_that_is_not_there() {
    let site = site().await;
    assert_eq!(site.get("/chat/nowhere/").await.status(), 404);
}

#[tokio::test]
async fn the_migrations_are_up_to_date() {
    mysite::project().check_migrations().unwrap();
}
