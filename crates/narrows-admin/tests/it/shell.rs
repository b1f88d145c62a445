//! Who gets in, and what every page has.

use crate::project;
use crate::support::library;

#[tokio::test]
async fn nobody_is_sent_to_the_log_in_and_comes_back() {
    let site = project::project().test().await;
    site.superuser("ada").await;
    let first = site.get("/admin/models/library_author/?q=x").await;
    assert_eq!(first.status().as_u16(), 303);
    let login = first.header("location").expect("it is sent on").to_owned();
    assert_eq!(login, "/admin/login/?next=/admin/models/library_author/%3Fq%3Dx");

    let page = site.get(&login).await;
    assert!(page.contains("value=\"/admin/models/library_author/?q=x\""), "{}", page.text());
    let fields = [("username", "ada"), ("password", "a quiet green field"), ("next", "/admin/models/library_author/?q=x")];
    let done = site.post_form("/admin/login/", &fields).await;
    assert_eq!(done.header("location"), Some("/admin/models/library_author/?q=x"));
    assert_eq!(site.get("/admin/").await.status().as_u16(), 200);
}

#[tokio::test]
async fn the_first_page_shows_what_there_is() {
    let site = library().await;
    let page = site.get("/admin/").await;
    assert_eq!(page.status().as_u16(), 200, "{}", page.text());
    for text in ["The library", "Authors", "/admin/models/library_author/", "Books", "/admin/log/"] {
        assert!(page.contains(text), "{text} is not in {}", page.text());
    }
}
