//! Live connections in the admin, with real sockets.

use std::sync::Arc;

use narrows_admin::Admin;
use narrows_web::Project;
use narrows_web::narrows::layer::MemoryLayer;
use narrows_web::narrows::testing::FaultyLayer;
use narrows_web::testing::TestSite;
use serde_json::json;
use tokio::sync::Notify;

use crate::hall::{is_open, open, plain, project, quiet_project, site, visitor};
use crate::support::{staff, value};

/// The address of the first link that ends in this way.
fn link(page: &str, end: &str) -> String {
    let links = page.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next());
    let found = links.into_iter().find(|link| link.ends_with(end));
    found.unwrap_or_else(|| panic!("no link ends with {end} in {page}")).to_owned()
}

/// The list once so many connections are in it: a client knows of its acceptance a moment before the server does.
async fn listed(site: &TestSite, path: &str, count: usize) -> String {
    let listed = async {
        loop {
            let page = site.get(path).await;
            assert_eq!(page.status().as_u16(), 200, "{}", page.text());
            let page = plain(&page);
            if page.matches("/live/connections/").count() == count {
                return page;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(60), listed).await.expect("they are listed")
}

#[tokio::test]
async fn connections_are_listed_with_their_users_and_narrowed() {
    let site = site().await;
    let (bob, _browser, _socket) = visitor(&site, "bob", "red").await;
    let (_eve, _browser2, _socket2) = visitor(&site, "eve", "blue").await;
    let page = listed(&site, "/admin/live/", 2).await;
    for text in
        ["bob", "eve", "/ws/red/", "hall.blue", "Hall", "everyone", "1 of 1 node answered", "hx-trigger"]
    {
        assert!(page.contains(text), "{text} is not in {page}");
    }
    assert!(page.contains("<strong>2</strong> connections"));
    for narrowed in ["?user=bob", &format!("?user={}", bob.id), "?path=/ws/red", "?group=hall.red"] {
        let page = listed(&site, &format!("/admin/live/{narrowed}"), 1).await;
        assert!(page.contains("/ws/red/") && !page.contains("/ws/blue/"), "{narrowed}: {page}");
    }
    for nothing in ["?user=nobody", "?path=%3Cb%3E", "?group=a%20b", "?user=%00"] {
        let page = listed(&site, &format!("/admin/live/{nothing}"), 0).await;
        assert!(page.contains("No connection fits") && !page.contains("<b>"), "{nothing}: {page}");
    }
    assert_eq!(site.get("/admin/live/?after=junk").await.status().as_u16(), 200);
}

#[tokio::test]
async fn fifty_connections_fill_a_page_and_the_rest_is_on_the_next() {
    let site = site().await;
    let mut sockets = Vec::new();
    for _ in 0..53 {
        sockets.push(site.another_browser().socket("/ws/red/").await);
    }
    let page = listed(&site, "/admin/live/", 50).await;
    let next = page.split("href=\"?after=").nth(1).expect("there is a next page").split('"').next();
    let next = format!("/admin/live/?after={}", next.unwrap());
    assert!(listed(&site, &next, 3).await.contains("First"));
}

#[tokio::test]
async fn a_connection_is_ended_after_a_question_and_written_down() {
    let site = site().await;
    let (_bob, _browser, mut bobs) = visitor(&site, "bob", "red").await;
    let (_eve, _browser2, mut eves) = visitor(&site, "eve", "blue").await;
    listed(&site, "/admin/live/", 2).await;
    let end = link(&listed(&site, "/admin/live/?user=bob", 1).await, "/end/");
    let question = open(&site, &end).await;
    assert!(question.contains("bob") && question.contains("<form method=\"post\""), "{question}");
    is_open(&mut bobs).await;
    let done = site.post_form(&end, &[("reason", "too loud")]).await;
    assert_eq!(done.header("location"), Some("/admin/live/"), "{}", done.text());
    assert_eq!(bobs.expect_close(4403).await, "too loud");
    is_open(&mut eves).await;
    assert!(open(&site, "/admin/live/").await.contains("The connection of bob at /ws/red/ was ended."));
    assert!(site.get("/admin/log/").await.contains("too loud"));
    let again = site.post_form(&end, &[]).await;
    assert_eq!(again.header("location"), Some("/admin/live/"));
    assert!(site.get("/admin/live/").await.contains("not there any more"));
    assert_eq!(site.get("/admin/live/connections/junk/end/").await.status().as_u16(), 404);
}

#[tokio::test]
async fn where_the_node_of_a_connection_does_not_answer_nobody_is_told_that_it_is_gone() {
    let layer = MemoryLayer::new();
    let faulty = FaultyLayer::new(layer.another_node());
    let faults = faulty.faults();
    let (site, there) =
        (project().channel_layer(layer).test().await, project().channel_layer(faulty).test().await);
    let ada = site.superuser("ada").await;
    site.log_in(&ada).await;
    let mut socket = there.another_browser().socket("/ws/red/").await;
    let end = link(&listed(&site, "/admin/live/", 1).await, "/end/");
    faults.drop_if(|_, _| true);
    assert_eq!(site.get(&end).await.header("location"), Some("/admin/live/"));
    let done = site.post_form(&end, &[]).await;
    assert_eq!(done.header("location"), Some("/admin/live/"), "{}", done.text());
    let page = open(&site, "/admin/live/").await;
    assert_eq!(page.matches("Its node does not answer: the connection may go on.").count(), 2, "{page}");
    assert!(page.contains("1 of 2 nodes answered") && !page.contains("not there any more"), "{page}");
    is_open(&mut socket).await;
}

#[tokio::test]
async fn all_connections_of_a_user_are_ended() {
    let site = site().await;
    let (bob, browser, mut first) = visitor(&site, "bob", "red").await;
    let mut second = browser.socket("/ws/blue/").await;
    let (_eve, _browser2, mut eves) = visitor(&site, "eve", "blue").await;
    listed(&site, "/admin/live/", 3).await;
    let path = format!("/admin/live/users/{}/end/", bob.id);
    assert!(site.get(&path).await.contains("bob"));
    assert_eq!(site.post_form(&path, &[]).await.status().as_u16(), 303);
    first.expect_close(4401).await;
    second.expect_close(4401).await;
    is_open(&mut eves).await;
    is_open(&mut browser.socket("/ws/red/").await).await;
}

#[tokio::test]
async fn each_action_needs_its_own_permission() {
    let site = site().await;
    let (_eve, _browser, mut eves) = visitor(&site, "eve", "red").await;
    let page = listed(&site, "/admin/live/", 1).await;
    let end = link(&page, "/end/");
    staff(&site, &["narrows_admin.view_connection"]).await;
    let page = open(&site, "/admin/live/").await;
    assert!(page.contains("/ws/red/") && !page.contains("/end/"), "{page}");
    assert!(!page.contains("/admin/live/announcements/") && !page.contains("/admin/sessions/"));
    for path in [end.as_str(), "/admin/live/users/1/end/", "/admin/live/announcements/"] {
        assert_eq!(site.get(path).await.status().as_u16(), 403, "{path}");
        assert_eq!(site.post_form(path, &[("text", "x")]).await.status().as_u16(), 403, "{path}");
    }
    is_open(&mut eves).await;
}

#[tokio::test]
async fn the_list_stands_still_where_that_is_asked_for() {
    let site = site().await;
    let page = listed(&site, "/admin/live/?user=bob&still=1", 0).await;
    assert!(!page.contains("hx-trigger=\"every") && page.contains("Refresh by itself"), "{page}");
    let page = listed(&site, "/admin/live/?user=bob", 0).await;
    assert!(page.contains("hx-trigger=\"every") && page.contains("Stand still"), "{page}");
}

#[tokio::test]
async fn who_is_no_staff_sees_and_does_nothing() {
    let site = site().await;
    let (_eve, eve, mut eves) = visitor(&site, "eve", "red").await;
    let end = link(&listed(&site, "/admin/live/", 1).await, "/end/");
    for path in ["/admin/live/", end.as_str(), "/admin/live/announcements/"] {
        assert_eq!(eve.get(path).await.status().as_u16(), 403, "{path}");
        assert_eq!(eve.post_form(path, &[]).await.status().as_u16(), 403, "{path}");
        let nobody = site.another_browser().post_form(path, &[]).await;
        assert!(nobody.header("location").is_some_and(|to| to.starts_with("/admin/login/")), "{path}");
    }
    is_open(&mut eves).await;
}

#[tokio::test]
async fn an_announcement_reaches_everyone_or_one_group_and_is_written_down() {
    let site = site().await;
    let (_bob, _browser, mut red) = visitor(&site, "bob", "red").await;
    let (_eve, _browser2, mut blue) = visitor(&site, "eve", "blue").await;
    let path = "/admin/live/announcements/";
    assert!(site.get(path).await.contains("Who gets it"));
    let sent = site.post_form(path, &[("text", "We close at ten."), ("to", "everyone")]).await;
    assert_eq!(sent.header("location"), Some(path), "{}", sent.text());
    for socket in [&mut red, &mut blue] {
        socket.expect(&json!({"type": "notice", "text": "We close at ten."})).await;
    }
    site.post_form(path, &[("text", "Red only"), ("to", "group"), ("group", "hall.red")]).await;
    red.expect(&json!({"type": "notice", "text": "Red only"})).await;
    blue.expect_nothing().await;
    let logged =
        value(&site, "SELECT CAST(COUNT(*) AS text) FROM narrows_admin_log WHERE action = 'announce'").await;
    assert_eq!(logged, "2");
}

#[tokio::test]
async fn an_announcement_that_is_none_is_typed_again_and_one_that_failed_is_kept() {
    let site = site().await;
    let path = "/admin/live/announcements/";
    let empty = site.post_form(path, &[("text", "  "), ("to", "everyone")]).await;
    assert!(empty.status().as_u16() == 422 && empty.contains("Type what is to be said."));
    for fields in [&[("text", "hi")][..], &[("text", "hi"), ("to", "all")], &[("text", "hi"), ("group", "x")]]
    {
        let half = site.post_form(path, fields).await;
        assert!(half.status().as_u16() == 422 && half.contains("Choose who gets it."), "{}", half.text());
    }
    let group = site.post_form(path, &[("text", "<b>hi"), ("to", "group"), ("group", "no group!")]).await;
    assert!(group.status().as_u16() == 422 && group.contains("&lt;b&gt;hi"), "{}", group.text());
    let long = "x".repeat(2001);
    let long = site.post_form(path, &[("text", long.as_str()), ("to", "everyone")]).await;
    assert!(long.status().as_u16() == 422 && long.contains("At most 2000 characters"));
    let failed = site.post_form(path, &[("text", "fail"), ("to", "everyone")]).await;
    assert!(
        failed.status().as_u16() == 503 && plain(&failed).contains(">fail</textarea>"),
        "{}",
        failed.text()
    );
}

#[tokio::test]
async fn what_is_done_is_written_down_also_where_the_browser_goes_away_meanwhile() {
    let (begun, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let slow = (begun.clone(), go_on.clone());
    let admin = Admin::new().announce(move |_, _, _| {
        let (begun, go_on) = slow.clone();
        async move {
            begun.notify_one();
            go_on.notified().await;
            Ok::<_, std::io::Error>(())
        }
    });
    let site = Project::new("slow", "1.0.0").app(admin.app()).test().await;
    let ada = site.superuser("ada").await;
    site.log_in(&ada).await;
    tokio::select! {
        sent = site.post_form("/admin/live/announcements/", &[("text", "We close."), ("to", "everyone")]) => {
            panic!("{}", sent.text())
        }
        () = begun.notified() => {}
    }
    go_on.notify_one();
    let query = "SELECT CAST(COUNT(*) AS text) FROM narrows_admin_log WHERE action = 'announce'";
    let written = async { while value(&site, query).await != "1" {} };
    tokio::time::timeout(std::time::Duration::from_secs(60), written).await.expect("it is written down");
}

#[tokio::test]
async fn without_a_way_to_announce_there_is_no_form() {
    let site = quiet_project().test().await;
    let ada = site.superuser("ada").await;
    site.log_in(&ada).await;
    assert!(!open(&site, "/admin/live/").await.contains("/admin/live/announcements/"));
    assert_eq!(site.get("/admin/live/announcements/").await.status().as_u16(), 404);
}
