//! Django's own pages, through Narrows.

use crate::site::Site;
use crate::visitor::Visitor;

#[tokio::test]
async fn the_pages_and_files_of_django_come_through_and_its_forms_work() {
    let Some(site) = Site::start_with(&["--layer", "memory"]) else { return };
    let mut nobody = Visitor::new(&site);
    let sent = nobody.get("/").await;
    assert_eq!((sent.status, sent.header("location")), (302, "/accounts/login/?next=/"));
    nobody.get("/accounts/login/").await;
    let wrong = nobody.post("/accounts/login/", &[("username", "ada"), ("password", "no")]).await;
    assert!(wrong.status == 200 && wrong.body.contains("do not belong together"), "{}", wrong.body);

    let mut ada = Visitor::log_in(&site, "ada").await;
    let admin = ada.get("/admin/").await;
    assert!(admin.status == 200 && admin.body.contains("Site administration"), "{}", admin.body);
    let style = ada.get("/static/admin/css/base.css").await;
    assert_eq!((style.status, style.header("content-type")), (200, "text/css; charset=\"utf-8\""));
    assert_eq!(style.header("content-length"), style.body.len().to_string());
    let ben = Visitor::log_in(&site, "ben").await.get("/admin/").await;
    assert_eq!(ben.status, 302, "he is no admin");

    // Without a channel layer nothing is live, and everything is saved.
    let saved = ada.post("/posts/", &[("title", "Kekse & Tee"), ("text", "um vier")]).await;
    assert_eq!((saved.status, saved.header("location")), (302, "/"));
    assert!(ada.get("/").await.body.contains("<h2>Kekse &amp; Tee</h2>"));
    assert_eq!(ada.get("/nowhere/").await.status, 404);
    assert_eq!(ada.get("/ws/nowhere/").await.status, 404);
}

#[tokio::test]
async fn django_knows_its_own_address_and_refuses_forms_from_elsewhere() {
    let Some(site) = Site::start_with(&["--layer", "memory"]) else { return };
    let mut ada = Visitor::log_in(&site, "ada").await;
    ada.get("/").await;
    let fields = [("title", "Tea")];
    assert_eq!(ada.post_from("http://elsewhere.example", "/posts/", &fields).await.status, 403);
    assert_eq!(ada.post("/posts/", &fields).await.status, 302);
    // This is nobody's but Narrows'.
    assert_eq!(ada.get("/readyz").await.status, 200);
}
