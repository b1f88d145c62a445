#[tokio::test]
async fn an_address_that_is_not_there_is_said_to_be_so() {
    let site = mysite::project().test().await;
    let page = site.get("/nowhere/").await;
    assert_eq!(page.status(), 404);
}
