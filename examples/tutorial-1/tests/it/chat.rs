use narrows_web::testing::TestSite;
use serde_json::json;

async fn site() -> TestSite {
    tutorial_1::project().test().await
}

#[tokio::test]
async fn the_first_page_leads_to_a_room() {
    let site = site().await;
    assert!(site.get("/").await.text().contains("Which room?"));

    let room = site.follow(site.get("/enter/?room=green+tea").await).await;

    assert!(
        room.text().contains("<h1>green tea</h1>"),
        "{}",
        room.text()
    );
    assert!(
        room.text().contains("/ws/chat/green%20tea/"),
        "{}",
        room.text()
    );
}

#[tokio::test]
async fn what_no_address_can_have_leads_back_to_the_first_page() {
    let site = site().await;
    for room in ["", "+", ".", ".."] {
        let answer = site.get(&format!("/enter/?room={room}")).await;
        assert_eq!(answer.header("location"), Some("/"), "{room:?}");
    }
}

#[tokio::test]
async fn what_is_said_comes_back() {
    let site = site().await;
    let mut page = site.socket("/ws/chat/tea/").await;

    page.send(&json!({"type": "say", "text": "Hello"})).await;

    page.expect(
        &json!({"type": "said", "from": "the room", "text": "“Hello”, echoes through tea."}),
    )
    .await;
}
