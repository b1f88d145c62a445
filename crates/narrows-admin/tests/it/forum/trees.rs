//! What hangs on rows of a tree goes with them, and is said.

use narrows_web::testing::TestSite;

use super::{forum, project};
use crate::support::{input, sql, staff, value, with};

/// Nine answers, each to the one before, and a vote for the last; the tenth topic stands beside them.
const TREE: &[&str] = &[
    "INSERT INTO forum_topic (id, title, slug, parent_id) VALUES (1, 'Tea', 'a', NULL), (2, 'two', 'b', 1), (3, 'three', 'c', 2), \
     (4, 'four', 'd', 3), (5, 'five', 'e', 4), (6, 'six', 'f', 5), (7, 'seven', 'g', 6), (8, 'eight', 'h', 7), (9, 'nine', 'i', 8), \
     (10, 'Coffee', 'j', NULL)",
    "INSERT INTO forum_vote (topic_id, voter) VALUES (9, 'zoe'), (10, 'ann')",
];

#[tokio::test]
async fn a_tree_goes_to_its_last_row_and_what_hangs_on_that() {
    let site = forum().await;
    sql(&site, TREE).await;
    let path = "/admin/models/forum_topic/1/delete/";
    let page = with(&site.get(path).await, 200);
    assert!(page.contains("8 topics") && page.contains("1 vote") && page.contains("nine"), "{page}");
    assert!(!page.contains("Coffee") && !page.contains("More may go"), "{page}");
    assert_eq!(site.post_form(path, &[]).await.status().as_u16(), 303);
    assert_eq!(value(&site, "SELECT group_concat(title) FROM forum_topic").await, "Coffee");
    assert_eq!(value(&site, "SELECT group_concat(voter) FROM forum_vote").await, "ann");
}

/// The same where it is done by others.
pub(crate) async fn on_servers(site: &TestSite) {
    for topic in 1..=8 {
        let parent = if topic == 1 { "NULL".to_owned() } else { (topic - 1).to_string() };
        sql(
            site,
            &[&format!(
                "INSERT INTO forum_topic (title, slug, parent_id) VALUES ('t{topic}', 's{topic}', {parent})"
            )],
        )
        .await;
    }
    sql(site, &["INSERT INTO forum_vote (topic_id, voter) VALUES (8, 'zoe')"]).await;
    for row in ["left (id) VALUES (1)", "right VALUES (1, 1)", "left VALUES (2, 1)"] {
        sql(site, &[&format!("INSERT INTO forum_{row}")]).await;
    }
    for (path, said) in [
        ("/admin/models/forum_topic/1/delete/", "7 topics"),
        ("/admin/models/forum_left/1/delete/", "More may go"),
    ] {
        assert!(with(&site.get(path).await, 200).contains(said), "{path}");
        let done = site.post_form(path, &[]).await;
        assert_eq!(done.status().as_u16(), 303, "{}", done.text());
    }
    for table in ["topic", "vote", "left", "right"] {
        let page = with(&site.get(&format!("/admin/models/forum_{table}/")).await, 200);
        assert!(page.contains("nothing here yet"), "{page}");
    }
}

#[tokio::test]
async fn who_may_not_delete_what_hangs_on_a_tree_deletes_none_of_it() {
    let site = project().test().await;
    let ada = site.superuser("ada").await;
    site.log_in(&ada).await;
    site.get("/admin/").await;
    sql(&site, TREE).await;
    staff(&site, &["forum.view_topic", "forum.delete_topic"]).await;
    let path = "/admin/models/forum_topic/1/delete/";
    let page = with(&site.get(path).await, 200);
    assert!(page.contains("rows would go with it that you may not delete: Votes"), "{page}");
    with(&site.post_form(path, &[]).await, 409);
    assert_eq!(value(&site, "SELECT CAST(count(*) AS text) FROM forum_topic").await, "10");
    // Nothing of them hangs on this one.
    sql(&site, &["DELETE FROM forum_vote WHERE voter = 'ann'"]).await;
    assert_eq!(site.post_form("/admin/models/forum_topic/10/delete/", &[]).await.status().as_u16(), 303);
}

#[tokio::test]
async fn circles_of_tables_are_followed_as_far_as_they_are_known() {
    let site = forum().await;
    for row in [
        "left (id) VALUES (1)",
        "right VALUES (1, 1)",
        "left VALUES (2, 1)",
        "right VALUES (2, 2)",
        "left VALUES (3, 2)",
    ] {
        sql(&site, &[&format!("INSERT INTO forum_{row}")]).await;
    }
    let path = "/admin/models/forum_left/1/delete/";
    let page = with(&site.get(path).await, 200);
    assert!(page.contains("1 right") && page.contains("1 left") && page.contains("More may go"), "{page}");
    assert_eq!(site.post_form(path, &[]).await.status().as_u16(), 303);
    assert_eq!(value(&site, "SELECT CAST(count(*) AS text) FROM forum_left").await, "0");
}

#[tokio::test]
async fn a_whole_page_of_rows_is_deleted_at_once() {
    let site = forum().await;
    let many =
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) INSERT INTO forum_";
    let topics = format!("{many}topic (id, title, slug) SELECT i, 'topic ' || i, i FROM n");
    let pairs = format!("{many}pair (one, other) SELECT i, 'x' || i FROM n");
    sql(&site, &[&topics, &pairs, "INSERT INTO forum_vote (topic_id, voter) VALUES (500, 'zoe')"]).await;
    for (table, key) in [("forum_topic", ""), ("forum_pair", ",x")] {
        let keys: Vec<String> =
            (1..=1000).map(|i| if key.is_empty() { i.to_string() } else { format!("{i}{key}{i}") }).collect();
        let mut fields: Vec<(&str, &str)> = keys.iter().map(|key| ("key", key.as_str())).collect();
        let path = format!("/admin/models/{table}/delete/");
        assert!(with(&site.post_form(&path, &fields).await, 200).contains("Delete 1000"));
        fields.push(("_confirm", "1"));
        let done = site.post_form(&path, &fields).await;
        assert_eq!(done.status().as_u16(), 303, "{}", done.text());
        assert_eq!(value(&site, &format!("SELECT CAST(count(*) AS text) FROM {table}")).await, "0");
    }
    assert_eq!(value(&site, "SELECT CAST(count(*) AS text) FROM narrows_admin_log").await, "2000");
}

#[tokio::test]
async fn one_row_by_two_writings_of_its_key_is_one_row() {
    let site = forum().await;
    sql(&site, TREE).await;
    let own = "/admin/models/forum_topic/010/";
    let was = input(&site.get(own).await, "_was");
    site.post_form(own, &[("title", "Cocoa"), ("_was", &was)]).await;
    for path in [own, "/admin/models/forum_topic/10/"] {
        assert!(
            with(&site.get(&format!("{path}history/")).await, 200).contains("<ins>Cocoa</ins>"),
            "{path}"
        );
    }
    let fields = [("key", "10"), ("key", "010"), ("key", "_2B10"), ("_confirm", "1")];
    let done = site.post_form("/admin/models/forum_topic/delete/", &fields).await;
    assert!(with(&site.follow(done).await, 200).contains("The topic was deleted."));
    let log = value(&site, "SELECT group_concat(action || object_key) FROM narrows_admin_log").await;
    assert_eq!(log, "change10,delete10");
}

#[tokio::test]
async fn long_keys_with_one_beginning_have_histories_of_their_own() {
    let site = forum().await;
    let begin = "w".repeat(300);
    for end in ["one", "two"] {
        let fields = [("word", format!("{begin}{end}")), ("meaning", format!("meaning {end}"))];
        let fields = fields.each_ref().map(|(name, text)| (*name, text.as_str()));
        assert_eq!(site.post_form("/admin/models/forum_word/add/", &fields).await.status().as_u16(), 303);
    }
    let page = site.get(&format!("/admin/models/forum_word/{begin}two/history/")).await;
    assert!(page.contains("meaning two") && !page.contains("meaning one"), "{}", page.text());
    assert_eq!(
        value(&site, "SELECT CAST(max(length(object_key)) AS text) FROM narrows_admin_log").await,
        "255"
    );
}

#[tokio::test]
async fn rows_are_called_like_other_pages() {
    let site = forum().await;
    let base = "/admin/models/forum_word/";
    for word in ["add", "delete", "options", "history"] {
        let done = site.post_form(&format!("{base}add/"), &[("word", word), ("_continue", "1")]).await;
        let own = done.header("location").expect("it is sent on").to_owned();
        assert!(with(&site.get(&own).await, 200).contains(&format!("<h1>{word}</h1>")), "{own}");
        let was = input(&site.get(&own).await, "_was");
        let done = site.post_form(&own, &[("meaning", "known"), ("_was", &was)]).await;
        assert_eq!(done.header("location"), Some(base), "{own}");
        with(&site.get(&format!("{own}history/")).await, 200);
        assert_eq!(site.post_form(&format!("{own}delete/"), &[]).await.header("location"), Some(base));
    }
    assert_eq!(value(&site, "SELECT CAST(count(*) AS text) FROM forum_word").await, "0");
}
