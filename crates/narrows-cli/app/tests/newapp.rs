use narrows_web::testing::TestSite;
use serde_json::json;

async fn site() -> TestSite {
    mysite::project().test().await
}

#[tokio::test]
async fn an_item_of_newapp_is_listed_and_told_to_all_pages() {
    let site = site().await;
    let mut reader = site.socket("/newapp/ws/").await;

    let page = site
        .follow(site.post_form("/newapp/", &[("text", "<milk>")]).await)
        .await;

    reader
        .expect(&json!({"type": "added", "text": "<milk>"}))
        .await;
    assert!(
        page.text().contains("<li>&lt;milk&gt;</li>"),
        "{}",
        page.text()
    );
}

#[tokio::test]
async fn an_empty_item_of_newapp_is_refused() {
    let site = site().await;
    let page = site.post_form("/newapp/", &[("text", "")]).await;
    assert!(
        page.text().contains("This field is required."),
        "{}",
        page.text()
    );
}
