//! Who gets in, and what every page has.

use crate::project;
use crate::support::{library, with};

#[tokio::test]
async fn nobody_is_sent_to_the_log_in_and_comes_back() {
    let site = project::project().test().await;
    site.superuser("ada").await;
    let first = site.get("/admin/models/library_author/?q=x").await;
    assert_eq!(first.status().as_u16(), 303);
    let login = first.header("location").expect("it is sent on").to_owned();
    assert_eq!(login, "/admin/login/?next=/admin/models/library_author/%3Fq%3Dx");

    let page = site.get(&login).await;
    assert!(with(&page, 200).contains("value=\"/admin/models/library_author/?q=x\""));
    let fields = [
        ("username", "ada"),
        ("password", "a quiet green field"),
        ("next", "/admin/models/library_author/?q=x"),
    ];
    let done = site.post_form("/admin/login/", &fields).await;
    assert_eq!(done.header("location"), Some("/admin/models/library_author/?q=x"));
    assert_eq!(site.get("/admin/").await.status().as_u16(), 200);
}

#[tokio::test]
async fn the_first_page_shows_what_there_is() {
    let site = library().await;
    let page = site.get("/admin/").await;
    let shown = with(&page, 200);
    for text in ["The library", "Authors", "/admin/models/library_author/", "Books", "/admin/log/"] {
        assert!(shown.contains(text), "{text} is not in {shown}");
    }
}

#[tokio::test]
async fn others_than_staff_are_refused() {
    let site = project::project().test().await;
    let eve = site.user("eve").await;
    site.log_in(&eve).await;
    for path in ["/admin/", "/admin/models/library_author/", "/admin/log/"] {
        assert!(with(&site.get(path).await, 403).contains("eve"), "{path}");
        assert_eq!(site.post_form(path, &[]).await.status().as_u16(), 403, "{path}");
    }
    let out = site.post_form("/admin/logout/", &[]).await;
    assert_eq!(out.header("location"), Some("/admin/login/"));
}

#[tokio::test]
async fn pages_are_not_framed_kept_or_scripted() {
    let site = library().await;
    for path in ["/admin/", "/admin/login/", "/admin/models/library_book/add/"] {
        let page = site.get(path).await;
        let policy = page.header("content-security-policy").expect("there is a policy");
        assert!(
            policy.contains("default-src 'self'") && policy.contains("frame-ancestors 'none'"),
            "{policy}"
        );
        assert_eq!(page.header("x-frame-options"), Some("DENY"));
        assert_eq!(page.header("cache-control"), Some("private, no-store"));
        for inline in ["<script>", "<style", " style=", " onclick=", "javascript:"] {
            assert!(!page.contains(inline), "{inline} in {path}");
        }
    }
}

#[tokio::test]
async fn a_log_in_changes_the_session_and_leads_nowhere_else() {
    let site = project::project().test().await;
    site.superuser("ada").await;
    site.set_cookie("sessionid", "chosenbysomebodyelse000000000000");
    let fields = [("username", "ada"), ("password", "a quiet green field"), ("next", "//evil.example/")];
    let done = site.post_form("/admin/login/", &fields).await;
    assert_eq!(done.header("location"), Some("/admin/"));
    assert_ne!(site.cookie("sessionid").as_deref(), Some("chosenbysomebodyelse000000000000"));
    let wrong = [("username", "<b>ada"), ("password", "no")];
    let page = site.another_browser().post_form("/admin/login/", &wrong).await;
    assert!(with(&page, 401).contains("The name or the password is wrong"));
    assert!(page.contains("&lt;b&gt;ada"));
}
