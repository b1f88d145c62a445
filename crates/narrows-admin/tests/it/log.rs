//! What was done, and by whom.

use crate::support::{library, sql, value, with};

#[tokio::test]
async fn changes_are_written_down_with_their_values() {
    let site = library().await;
    let fields = [("code", "main"), ("name", "Main <b>street"), ("_continue", "1")];
    site.post_form("/admin/models/library_branch/add/", &fields).await;
    let own = "/admin/models/library_branch/main/";
    let was = crate::support::input(&site.get(own).await, "_was");
    site.post_form(own, &[("name", "High street"), ("_was", &was)]).await;
    let page = site.get("/admin/models/library_branch/main/history/").await;
    let shown = with(&page, 200);
    assert!(
        shown.contains("<del>Main <b>street</del> → <ins>High street</ins>") && !page.contains("<b>street"),
        "{shown}"
    );
    let all = with(&site.get("/admin/log/?q=HIGH+ada").await, 200);
    assert!(all.contains("High street") && all.contains(">ada<"), "{all}");
    for q in ["nobody", "%25", "h_gh", "%00x"] {
        assert!(
            with(&site.get(&format!("/admin/log/?q={q}")).await, 200).contains("nothing here yet"),
            "{q}"
        );
    }
}

#[tokio::test]
async fn a_change_that_fails_leaves_no_entry() {
    let site = library().await;
    sql(
        &site,
        &["CREATE TRIGGER no BEFORE INSERT ON library_branch BEGIN SELECT RAISE(ABORT, 'closed today'); END"],
    )
    .await;
    let page = site.post_form("/admin/models/library_branch/add/", &[("code", "x"), ("name", "y")]).await;
    assert!(with(&page, 422).contains("The database does not take this: closed today"));
    assert_eq!(value(&site, "SELECT CAST(count(*) AS text) FROM narrows_admin_log").await, "0");
}

#[tokio::test]
async fn a_key_that_is_found_missing_at_the_end_is_said() {
    let site = library().await;
    let late = "CREATE TABLE library_branch (code text PRIMARY KEY, name text NOT NULL REFERENCES library_author (name) \
        DEFERRABLE INITIALLY DEFERRED)";
    sql(&site, &["DROP TABLE library_branch", late]).await;
    let page =
        site.post_form("/admin/models/library_branch/add/", &[("code", "x"), ("name", "nobody")]).await;
    assert!(with(&page, 422).contains("A row that this one points at is not there."));
    assert_eq!(value(&site, "SELECT CAST(count(*) AS text) FROM narrows_admin_log").await, "0");
    with(&site.get("/admin/models/library_branch/").await, 200);
}

#[tokio::test]
async fn the_history_of_a_row_outlives_it() {
    let site = library().await;
    site.post_form("/admin/models/library_branch/add/", &[("code", "x"), ("name", "Gone")]).await;
    site.post_form("/admin/models/library_branch/x/delete/", &[]).await;
    let page = with(&site.get("/admin/models/library_branch/x/history/").await, 200);
    assert!(page.contains("History of Gone") && page.contains("delete"), "{page}");
    assert_eq!(site.get("/admin/models/library_branch/never/history/").await.status().as_u16(), 404);
}
