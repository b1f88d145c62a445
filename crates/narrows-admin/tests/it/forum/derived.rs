//! Columns that are made from others, and rows that nobody adds.

use super::forum;
use crate::support::{input, sql, text, value, with};

const TOPICS: &str = "/admin/models/forum_topic/";

#[tokio::test]
async fn a_derived_column_is_made_anew_with_its_source_alone() {
    let site = forum().await;
    let page = with(&site.get(&format!("{TOPICS}add/")).await, 200);
    assert!(page.contains("name=\"title\"") && !page.contains("slug"), "{page}");
    let fields = [("title", "Tea Rooms"), ("slug", "chosen")];
    let done = site.post_form(&format!("{TOPICS}add/"), &fields).await;
    assert_eq!(done.status().as_u16(), 303, "{}", text(&done));
    assert_eq!(value(&site, "SELECT slug FROM forum_topic").await, "tea-rooms");
    sql(&site, &["UPDATE forum_topic SET slug = 'by-hand'"]).await;
    let own = format!("{TOPICS}1/");
    for (title, slug) in [("Tea Rooms", "by-hand"), ("Green Tea", "green-tea")] {
        let was = input(&site.get(&own).await, "_was");
        site.post_form(&own, &[("title", title), ("_was", &was)]).await;
        assert_eq!(value(&site, "SELECT slug FROM forum_topic").await, slug);
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_derived_column_is_said_of_its_source() {
    let site = forum().await;
    let add = format!("{TOPICS}add/");
    site.post_form(&add, &[("title", "Tea")]).await;
    for (title, said) in [
        ("TEA", "Another topic has this slug already."),
        ("A title of more than twenty letters", "Slug is made from this. At most 20 characters"),
    ] {
        let page = site.post_form(&add, &[("title", title)]).await;
        let shown = with(&page, 422);
        let errors = shown.split("id=\"id_title-errors\"").nth(1).expect("the title is wrong");
        assert!(errors.contains(said), "{shown}");
    }
    assert_eq!(value(&site, "SELECT CAST(count(*) AS text) FROM forum_topic").await, "1");
}

#[tokio::test]
async fn nobody_adds_rows_that_the_program_makes() {
    let site = forum().await;
    sql(&site, &["INSERT INTO forum_topic (title, slug) VALUES ('Tea', 'tea')"]).await;
    sql(&site, &["INSERT INTO forum_vote (topic_id, voter) VALUES (1, 'zoe')"]).await;
    let add = "/admin/models/forum_vote/add/";
    assert_eq!(site.get(add).await.status().as_u16(), 403);
    let fields = [("topic_id", "1"), ("voter", "mal")];
    assert_eq!(site.post_form(add, &fields).await.status().as_u16(), 403);
    for path in ["/admin/", "/admin/models/forum_vote/", "/admin/models/forum_vote/1/"] {
        let page = with(&site.get(path).await, 200);
        assert!(page.contains("/admin/models/forum_vote/") && !page.contains("forum_vote/add/"), "{page}");
        assert!(!page.contains("name=\"_another\""), "{page}");
    }
    let was = input(&site.get("/admin/models/forum_vote/1/").await, "_was");
    let changed = [("topic_id", "1"), ("voter", "ann"), ("_was", was.as_str())];
    assert_eq!(site.post_form("/admin/models/forum_vote/1/", &changed).await.status().as_u16(), 303);
    assert_eq!(value(&site, "SELECT voter FROM forum_vote").await, "ann");
}
