//! Sessions in the admin, with the sockets that they have.

use narrows_web::testing::TestSite;

use crate::hall::{is_open, plain, project, site, visitor};
use crate::support::{sql, staff, value};

async fn list(site: &TestSite, query: &str) -> String {
    let page = site.get(&format!("/admin/sessions/{query}")).await;
    assert_eq!(page.status().as_u16(), 200, "{page}");
    plain(&page)
}

/// The addresses at which the sessions of a list are ended.
fn ends(page: &str) -> Vec<String> {
    let links = page.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next());
    links.filter(|link| link.ends_with("/end/") && !link.contains("/users/")).map(str::to_owned).collect()
}

#[tokio::test]
async fn sessions_are_listed_and_searched_by_user_without_their_keys() {
    let site = site().await;
    let (bob, browser, _socket) = visitor(&site, "bob", "red").await;
    let page = list(&site, "").await;
    assert!(page.contains("bob") && page.contains("yours"), "{page}");
    assert_eq!(ends(&page).len(), 2);
    for (who, key) in [("ada", site.cookie("sessionid")), ("bob", browser.cookie("sessionid"))] {
        let key = key.expect("a session's cookie");
        assert!(!page.contains(&key) && !page.contains(&key[..12]), "the key of {who} is in {page}");
    }
    for query in ["?user=bob", &format!("?user={}", bob.id)] {
        let page = list(&site, query).await;
        assert!(ends(&page).len() == 1 && !page.contains("yours"), "{query}: {page}");
    }
    assert!(list(&site, "?user=nobody&from=x").await.contains("None here."));
}

#[tokio::test]
async fn a_session_that_is_ended_logs_out_and_closes_its_sockets_at_once() {
    let site = site().await;
    let (bob, first, mut ends_now) = visitor(&site, "bob", "red").await;
    let second = site.another_browser();
    second.log_in(&bob).await;
    let mut stays = second.socket("/ws/red/").await;
    let key = first.cookie("sessionid").expect("a session's cookie");
    let end = ends(&list(&site, "?user=bob").await);
    let start: String = key[..6].bytes().map(|byte| format!("{byte:02x}")).collect();
    let end = end.iter().find(|link| link.contains(&format!("/{start}."))).expect("it is listed");
    assert!(site.get(end).await.contains("bob"));
    is_open(&mut ends_now).await;
    let done = site.post_form(end, &[]).await;
    assert_eq!(done.header("location"), Some("/admin/sessions/"), "{}", done.text());
    assert_eq!(ends_now.expect_close(4401).await, "session ended");
    is_open(&mut stays).await;
    assert_eq!(ends(&list(&site, "?user=bob").await).len(), 1);
    assert!(list(&site, "").await.contains("bob") && site.get("/admin/log/").await.contains("bob"));
    assert_eq!(site.post_form(end, &[]).await.status().as_u16(), 404);
}

#[tokio::test]
async fn who_ends_the_session_at_hand_is_logged_out() {
    let site = site().await;
    let mut socket = site.socket("/ws/red/").await;
    let end = ends(&list(&site, "").await).remove(0);
    assert!(site.get(&end).await.contains("It is your own: you will be logged out."));
    let done = site.post_form(&end, &[]).await;
    assert_eq!(done.header("location"), Some("/admin/login/"), "{} {}", done.status(), done.text());
    assert_eq!(socket.expect_close(4401).await, "session ended");
    let next = site.get("/admin/").await;
    assert!(next.header("location").is_some_and(|to| to.starts_with("/admin/login/")), "{}", next.text());
    let query = "SELECT CAST(COUNT(*) AS text) FROM narrows_admin_log WHERE action = 'end'";
    assert_eq!(value(&site, query).await, "1");
    assert_eq!(value(&site, "SELECT CAST(COUNT(*) AS text) FROM django_session").await, "0");
}

#[tokio::test]
async fn all_sessions_of_a_user_are_ended() {
    let site = site().await;
    let (bob, first, mut one) = visitor(&site, "bob", "red").await;
    let second = site.another_browser();
    second.log_in(&bob).await;
    let mut other = second.socket("/ws/blue/").await;
    let path = format!("/admin/sessions/users/{}/end/", bob.id);
    assert!(site.get(&path).await.contains("bob"));
    site.post_form(&path, &[]).await;
    one.expect_close(4401).await;
    other.expect_close(4401).await;
    assert!(list(&site, "?user=bob").await.contains("2 sessions of bob ended."));
    assert!(first.get("/admin/").await.header("location").is_some(), "nobody is logged in there");
}

#[tokio::test]
async fn who_ends_all_of_their_own_stays_where_they_are() {
    let site = site().await;
    let ada = site.site().accounts().user_by_name("ada").await.unwrap().unwrap();
    let elsewhere = site.another_browser();
    elsewhere.log_in(&ada).await;
    let mut socket = elsewhere.socket("/ws/red/").await;
    site.post_form(&format!("/admin/sessions/users/{}/end/", ada.id), &[]).await;
    socket.expect_close(4401).await;
    assert!(list(&site, "").await.contains("1 session of ada ended."));
    elsewhere.log_in(&ada).await;
    let mut socket = elsewhere.socket("/ws/red/").await;
    let link = format!("/admin/sessions/users/{}/end/", ada.id);
    assert!(list(&site, &format!("?user=00{}", ada.id)).await.contains(&link), "another way to write the id");
    site.post_form(&format!("/admin/sessions/users/00{}/end/", ada.id), &[]).await;
    socket.expect_close(4401).await;
    assert!(list(&site, "").await.contains("1 session of ada ended."));
}

#[tokio::test]
async fn expired_sessions_are_cleared_and_the_others_stay() {
    let site = site().await;
    let (_bob, browser, _socket) = visitor(&site, "bob", "red").await;
    sql(
        &site,
        &["INSERT INTO django_session VALUES ('an-old-session-of-nobody', 'x', '2020-01-01 00:00:00')"],
    )
    .await;
    assert!(list(&site, "").await.contains(">over<"));
    assert!(site.get("/admin/sessions/clear/").await.contains("Clear them"));
    site.post_form("/admin/sessions/clear/", &[]).await;
    let page = list(&site, "").await;
    assert!(page.contains("1 expired session cleared.") && ends(&page).len() == 2, "{page}");
    is_open(&mut browser.socket("/ws/red/").await).await;
}

#[tokio::test]
async fn who_may_only_see_sessions_ends_none() {
    let site = site().await;
    let (eve, _browser, mut socket) = visitor(&site, "eve", "red").await;
    let end = ends(&list(&site, "?user=eve").await).remove(0);
    staff(&site, &["sessions.view_session"]).await;
    assert_eq!(ends(&list(&site, "").await), Vec::<String>::new());
    for path in [end, format!("/admin/sessions/users/{}/end/", eve.id), "/admin/sessions/clear/".to_owned()] {
        assert_eq!(site.get(&path).await.status().as_u16(), 403, "{path}");
        assert_eq!(site.post_form(&path, &[]).await.status().as_u16(), 403, "{path}");
    }
    is_open(&mut socket).await;
}

#[tokio::test]
async fn where_sessions_are_in_cookies_the_page_says_that_they_cannot_be_listed() {
    let site = project().test_with(["--session-engine=signed_cookies"]).await;
    let ada = site.superuser("ada").await;
    let fields = [("username", "ada"), ("password", TestSite::PASSWORD)];
    assert_eq!(site.post_form("/admin/login/", &fields).await.status().as_u16(), 303);
    let page = list(&site, "").await;
    assert!(page.contains("cannot be listed") && ends(&page).is_empty(), "{page}");
    let ended = site.post_form(&format!("/admin/sessions/users/{}/end/", ada.id), &[]).await;
    assert_eq!(ended.status().as_u16(), 404);
}
