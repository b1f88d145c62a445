//! Rows deleted, with what goes with them.

use crate::support::{input, library, sql, value, with};

const ROWS: &[&str] = &[
    "INSERT INTO library_author (id, name, living, bio, created_at) VALUES (1, 'Ursula', 0, '', '2026-01-01'), (2, 'Terry', 0, '', '2026-01-01')",
    "INSERT INTO library_branch (code, name) VALUES ('main', 'Main street')",
    "INSERT INTO library_book (id, title, author_id, branch_code, pages, in_print) VALUES (1, 'Earthsea', 1, 'main', 10, 1), (2, 'Mort', 2, NULL, 20, 0)",
    "INSERT INTO library_stock (book_id, branch, copies) VALUES (1, 'main', 2)",
];

async fn count(site: &narrows_web::testing::TestSite, table: &str) -> String {
    value(site, &format!("SELECT CAST(count(*) AS text) FROM {table}")).await
}

#[tokio::test]
async fn what_goes_with_a_row_is_said_and_goes() {
    let site = library().await;
    sql(&site, ROWS).await;
    let page = with(&site.get("/admin/models/library_author/1/delete/").await, 200);
    for said in ["Delete Ursula?", "1 book", "Earthsea (10)", "1 stock"] {
        assert!(page.contains(said), "{said}: {page}");
    }
    let done = site.post_form("/admin/models/library_author/1/delete/", &[]).await;
    assert_eq!(done.header("location"), Some("/admin/models/library_author/"));
    for (table, left) in
        [("library_author", "1"), ("library_book", "1"), ("library_stock", "0"), ("library_branch", "1")]
    {
        assert_eq!(count(&site, table).await, left, "{table}");
    }
    let log = value(&site, "SELECT action || object_label || changes FROM narrows_admin_log").await;
    assert!(log.starts_with("deleteUrsula") && log.contains("1 book"), "{log}");
}

#[tokio::test]
async fn rows_that_others_hold_are_kept() {
    let site = library().await;
    sql(&site, ROWS).await;
    sql(&site, &["INSERT INTO library_loan (book_id, reader) VALUES (1, 'Zoë')"]).await;
    for path in ["/admin/models/library_book/1/delete/", "/admin/models/library_author/1/delete/"] {
        let page = with(&site.get(path).await, 200);
        assert!(page.contains("cannot be deleted") && page.contains("Loan to Zoë"), "{page}");
        with(&site.post_form(path, &[]).await, 409);
    }
    assert_eq!(
        (count(&site, "library_author").await, count(&site, "narrows_admin_log").await),
        ("2".into(), "0".into())
    );
}

#[tokio::test]
async fn links_that_may_be_empty_are_emptied() {
    let site = library().await;
    sql(&site, ROWS).await;
    let page = with(&site.get("/admin/models/library_branch/main/delete/").await, 200);
    assert!(page.contains("points at nothing then") && page.contains("Earthsea"), "{page}");
    site.post_form("/admin/models/library_branch/main/delete/", &[]).await;
    assert_eq!(value(&site, "SELECT branch_code FROM library_book WHERE id = 1").await, "NULL");
}

#[tokio::test]
async fn selected_rows_are_deleted_after_a_question() {
    let site = library().await;
    sql(&site, ROWS).await;
    let path = "/admin/models/library_author/delete/";
    let page = site.post_form(path, &[("key", "1"), ("key", "2"), ("key", "99")]).await;
    assert!(with(&page, 200).contains("Delete 2 authors?"));
    assert_eq!(input(&page, "_confirm"), "1");
    assert_eq!(count(&site, "library_author").await, "2");
    let done = site.post_form(path, &[("key", "1"), ("key", "2"), ("_confirm", "1")]).await;
    assert_eq!(done.status().as_u16(), 303);
    assert_eq!(
        (count(&site, "library_author").await, count(&site, "library_book").await),
        ("0".into(), "0".into())
    );
    assert_eq!(count(&site, "narrows_admin_log").await, "2");
    let none = site.post_form(path, &[]).await;
    assert_eq!(none.header("location"), Some("/admin/models/library_author/"));
}
