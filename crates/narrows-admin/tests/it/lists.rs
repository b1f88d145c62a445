//! Lists: search, filters, order, pages.

use crate::support::{library, sql, text, with};

const AUTHORS: &str = "INSERT INTO library_author (id, name, born, living, country, bio, created_at) VALUES \
    (1, 'Ursula Le Guin', '1929-10-21', 0, 'us', 'Earthsea', '2026-01-01T00:00:00+00:00'), \
    (2, 'Terry Pratchett', '1948-04-28', 0, 'gb', '', '2026-01-01T00:00:00+00:00'), \
    (3, 'Ödön Äpfel', NULL, 1, NULL, '100% _sure_', '2026-01-01T00:00:00+00:00')";

fn order(page: &str, names: &[&str]) -> bool {
    let places: Vec<Option<usize>> = names.iter().map(|name| page.find(name)).collect();
    places.iter().all(Option::is_some) && places.is_sorted()
}

#[tokio::test]
async fn rows_are_listed_in_the_order_that_was_said() {
    let site = library().await;
    sql(&site, &[AUTHORS]).await;
    let page = with(&site.get("/admin/models/library_author/").await, 200);
    assert!(order(&page, &["Terry Pratchett", "Ursula Le Guin", "Ödön Äpfel"]), "{page}");
    assert!(page.contains("1929-10-21") && page.contains("3 authors"), "{page}");
    let page = with(&site.get("/admin/models/library_author/?sort=-born").await, 200);
    assert!(order(&page, &["Terry Pratchett", "Ursula Le Guin"]), "{page}");
    assert!(page.contains("aria-sort=\"descending\""));
    let page = with(&site.get("/admin/models/library_author/?sort=born").await, 200);
    assert!(order(&page, &["Ursula Le Guin", "Terry Pratchett"]), "{page}");
    // What cannot be sorted by is left out.
    with(&site.get("/admin/models/library_author/?sort=password&page=-4&f.name=x&f.nothing=1").await, 200);
}

#[tokio::test]
async fn a_search_finds_all_words_in_capitals_or_not() {
    let site = library().await;
    sql(&site, &[AUTHORS]).await;
    for (q, found) in [
        ("LE+guin", "Ursula Le Guin"),
        ("earthSEA+ursula", "Ursula Le Guin"),
        ("%C3%B6d%C3%B6n", "Ödön Äpfel"),
        ("100%25", "Ödön Äpfel"),
        ("_sure", "Ödön Äpfel"),
    ] {
        let page = with(&site.get(&format!("/admin/models/library_author/?q={q}")).await, 200);
        assert!(page.contains(found) && page.contains("1 author<"), "{q}: {page}");
    }
    for q in ["guin+terry", "'%20OR%201=1", "x_sure", "%25%25"] {
        let page = text(&site.get(&format!("/admin/models/library_author/?q={q}")).await);
        assert!(page.contains("Nothing fits."), "{q}: {page}");
    }
}

#[tokio::test]
async fn filters_narrow_by_values_links_and_times() {
    let site = library().await;
    let now = chrono::Utc::now().format("%Y-%m-%dT%H:%M:%S+00:00").to_string();
    let books = format!(
        "INSERT INTO library_book (id, title, author_id, pages, in_print, bought_at, binding) VALUES \
         (1, 'Earthsea', 1, 10, 1, '{now}', 'cloth'), (2, 'Mort', 2, 20, 0, '2001-02-03T04:05:06+00:00', 'paper')"
    );
    sql(&site, &[AUTHORS, &books]).await;
    for (query, found, not) in [
        ("f.author_id=1", "Earthsea (10)", "Mort (20)"),
        ("f.in_print=false", "Mort (20)", "Earthsea (10)"),
        // Also where midnight comes in between.
        ("f.bought_at=week", "Earthsea (10)", "Mort (20)"),
        ("f.binding=paper", "Mort (20)", "Earthsea (10)"),
        ("f.author_id=2&f.in_print=false&q=MORT", "Mort (20)", "Earthsea (10)"),
    ] {
        let page = with(&site.get(&format!("/admin/models/library_book/?{query}")).await, 200);
        assert!(page.contains(&format!("Select {found}")), "{query}: {page}");
        assert!(!page.contains(&format!("Select {not}")), "{query}: {page}");
    }
    // As SQLite itself and Django write a time.
    sql(&site, &["UPDATE library_book SET bought_at = strftime('%Y-%m-%d 00:00:00') WHERE id = 1"]).await;
    let page = with(&site.get("/admin/models/library_book/?f.bought_at=week").await, 200);
    assert!(page.contains("Select Earthsea (10)"), "{page}");
    let page = with(&site.get("/admin/models/library_book/?f.author_id=zzz").await, 200);
    assert!(page.contains("Nothing fits."), "{page}");
    let page = with(&site.get("/admin/models/library_author/?f.country=!null").await, 200);
    assert!(page.contains("1 author<"), "{page}");
}

#[tokio::test]
async fn links_are_shown_by_what_they_point_at() {
    let site = library().await;
    let book =
        "INSERT INTO library_book (id, title, author_id, pages, in_print) VALUES (1, 'Mort', 2, 20, 0)";
    sql(&site, &[AUTHORS, book]).await;
    let page = with(&site.get("/admin/models/library_book/").await, 200);
    assert!(page.contains("<a href=\"/admin/models/library_author/2/\">Terry Pratchett</a>"), "{page}");
}

#[tokio::test]
async fn pages_are_bounded_and_count() {
    let site = library().await;
    let many = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 45) \
        INSERT INTO library_author (name, living, bio, created_at) \
        SELECT 'author ' || printf('%05d', i), 1, '', '2026-01-01' FROM n";
    sql(&site, &[many]).await;
    let page = with(&site.get("/admin/models/library_author/").await, 200);
    assert!(page.contains("45 authors") && page.contains("author 00020") && !page.contains("author 00021"));
    assert!(page.contains("?page=3"), "{page}");
    let page = with(&site.get("/admin/models/library_author/?page=3").await, 200);
    assert!(page.contains("author 00045") && page.contains("aria-current=\"page\">3<"), "{page}");
    let page = with(&site.get("/admin/models/library_author/?page=999999999999&sort=-name").await, 200);
    assert!(page.contains("author 00001"), "{page}");
}

#[tokio::test]
async fn a_big_table_is_not_counted_to_its_end() {
    let site = library().await;
    let many = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10050) \
        INSERT INTO library_branch (code, name) SELECT 'c' || i, 'branch ' || i FROM n";
    sql(&site, &[many]).await;
    let page = with(&site.get("/admin/models/library_branch/?page=5000").await, 200);
    assert!(page.contains("More than 10000 branches") && page.contains("search, filter"), "{page}");
}

#[tokio::test]
async fn what_rows_say_is_escaped() {
    let site = library().await;
    let evil = "INSERT INTO library_branch (code, name) VALUES ('<script>alert(1)</script>', '\"><script>alert(2)</script>')";
    sql(&site, &[evil]).await;
    let list = site.get("/admin/models/library_branch/").await;
    assert!(!list.contains("<script>alert"), "{}", list.text());
    let path = "/admin/models/library_branch/_3Cscript_3Ealert_281_29_3C_2Fscript_3E/";
    for path in [path.to_owned(), format!("{path}delete/")] {
        let page = site.get(&path).await;
        assert_eq!(page.status().as_u16(), 200, "{}", page.text());
        assert!(!page.contains("<script>alert") && text(&page).contains("alert(2)"), "{}", page.text());
    }
}
