//! Forms: what is typed, and what becomes of it.

use crate::support::{input, library, sql, text, value, with};

const AUTHOR: &str = "INSERT INTO library_author (id, name, living, bio, created_at) VALUES \
    (1, 'Ursula Le Guin', 0, 'one' || char(10) || 'two', '2026-01-01T00:00:00.123456+00:00')";
const BOOK: &str = "INSERT INTO library_book (id, title, author_id, pages, price, weight, in_print, published, bought_at, opens, extra, api_token) \
    VALUES (1, 'Earthsea', 1, 10, 0.30000000000000004, 0.1, 1, '2026-02-03 04:05:06.123456', '2026-02-03T04:05:06.000007+00:00', \
    '10:11:12.000013', 'x' || char(13) || char(10) || 'y', 'hush')";

/// What a browser sends back of the form of the book, with these changes.
async fn sent(site: &narrows_web::testing::TestSite, changes: &[(&str, &str)]) -> Vec<(String, String)> {
    let page = site.get("/admin/models/library_book/1/").await;
    let names = ["_was", "title", "pages", "price", "weight", "published", "bought_at", "opens", "binding"];
    let mut fields: Vec<(String, String)> =
        names.iter().map(|name| ((*name).to_owned(), input(&page, name))).collect();
    fields.extend(
        [("author_id", "1"), ("in_print", "true"), ("extra", "x\r\ny")]
            .map(|(n, v)| (n.to_owned(), v.to_owned())),
    );
    for (name, value) in changes {
        fields.retain(|(known, _)| known != name);
        fields.push(((*name).to_owned(), (*value).to_owned()));
    }
    fields
}

fn pairs(fields: &[(String, String)]) -> Vec<(&str, &str)> {
    fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

#[tokio::test]
async fn a_row_is_added() {
    let site = library().await;
    with(&site.get("/admin/models/library_author/add/").await, 200);
    let fields = [
        ("name", "Terry Pratchett"),
        ("born", "1948-04-28"),
        ("living", ""),
        ("country", ""),
        ("bio", "a\r\nb"),
    ];
    let done = site.post_form("/admin/models/library_author/add/", &fields).await;
    assert_eq!(done.header("location"), Some("/admin/models/library_author/"), "{}", text(&done));
    let row = value(
        &site,
        "SELECT name || born || living || coalesce(country, 'NULL') || hex(bio) FROM library_author",
    )
    .await;
    assert_eq!(row, "Terry Pratchett1948-04-280NULL610A62");
    let again: Vec<_> = fields
        .iter()
        .copied()
        .map(|(n, v)| if n == "name" { (n, "Neil") } else { (n, v) })
        .chain([("_continue", "1")])
        .collect();
    let done = site.post_form("/admin/models/library_author/add/", &again).await;
    assert_eq!(done.header("location"), Some("/admin/models/library_author/2/"));
    let page = with(&site.follow(done).await, 200);
    assert!(page.contains("was added"), "{page}");
}

#[tokio::test]
async fn what_is_wrong_is_said_at_its_input_and_what_was_typed_stays() {
    let site = library().await;
    sql(&site, &[AUTHOR]).await;
    let fields = [
        ("title", ""),
        ("author_id", "77"),
        ("pages", "ten"),
        ("price", "1e999"),
        ("bought_at", "soon"),
        ("opens", "25:00"),
        ("binding", "<script>"),
    ];
    let page = site.post_form("/admin/models/library_book/add/", &fields).await;
    let shown = with(&page, 422);
    for said in [
        "This is needed.",
        "There is no such author",
        "whole number",
        "Type a number.",
        "Type a date and a time",
        "Type a time",
    ] {
        assert!(shown.contains(said), "{said}: {shown}");
    }
    assert!(
        shown.contains("aria-describedby=\"id_pages-errors\"") && shown.contains("id=\"id_pages-errors\"")
    );
    assert!(shown.contains("value=\"ten\"") && shown.contains("value=\"soon\""), "{shown}");
    assert!(!page.contains("<script>\""), "{shown}");
    assert_eq!(value(&site, "SELECT CAST(count(*) AS text) FROM library_book").await, "0");
}

#[tokio::test]
async fn a_name_that_is_taken_and_texts_that_are_too_long_are_said() {
    let site = library().await;
    sql(&site, &[AUTHOR]).await;
    let long = "x".repeat(101);
    for (name, said) in [
        ("Ursula Le Guin", "Another author has this name already."),
        (long.as_str(), "At most 100 characters go in here; these are 101."),
    ] {
        let fields = [("name", name), ("living", "true")];
        let page = with(&site.post_form("/admin/models/library_author/add/", &fields).await, 422);
        assert!(page.contains(said), "{page}");
    }
}

#[tokio::test]
async fn what_was_not_edited_stays_to_the_last_digit() {
    let site = library().await;
    sql(&site, &[AUTHOR, BOOK]).await;
    let all =
        "SELECT price || '|' || published || bought_at || opens || hex(extra) || api_token FROM library_book";
    let exact = "SELECT CAST(price = 0.1 + 0.2 AS text) FROM library_book";
    let before = value(&site, all).await;
    let fields = sent(&site, &[("title", "A Wizard of Earthsea")]).await;
    let done = site.post_form("/admin/models/library_book/1/", &pairs(&fields)).await;
    assert_eq!(done.status().as_u16(), 303, "{}", text(&done));
    assert_eq!(value(&site, "SELECT title FROM library_book").await, "A Wizard of Earthsea");
    assert_eq!((value(&site, all).await, value(&site, exact).await), (before, "1".to_owned()));
    let fields = sent(&site, &[]).await;
    let done = site.post_form("/admin/models/library_book/1/", &pairs(&fields)).await;
    assert!(text(&site.follow(done).await).contains("nothing to save"));
}

#[tokio::test]
async fn a_time_in_its_shortest_form_was_not_edited() {
    let site = library().await;
    let times = "UPDATE library_book SET published = '2026-02-03 04:05:00.120007', bought_at = '2026-02-03T04:05:00.000007+00:00', \
        opens = '10:11:00.000013'";
    sql(&site, &[AUTHOR, BOOK, times]).await;
    let all = "SELECT published || bought_at || opens FROM library_book";
    let before = value(&site, all).await;
    let short =
        [("published", "2026-02-03T04:05:00.12"), ("bought_at", "2026-02-03T04:05"), ("opens", "10:11")];
    let fields = sent(&site, &short).await;
    let done = site.post_form("/admin/models/library_book/1/", &pairs(&fields)).await;
    assert!(text(&site.follow(done).await).contains("nothing to save"));
    assert_eq!(value(&site, all).await, before);
    let fields = sent(&site, &[("opens", "10:12")]).await;
    site.post_form("/admin/models/library_book/1/", &pairs(&fields)).await;
    assert_eq!(value(&site, "SELECT opens FROM library_book").await, "10:12:00");
    // Nor where somebody else changed it in the meantime.
    let fields = sent(&site, &short[..2]).await;
    sql(&site, &["UPDATE library_book SET bought_at = '2027-01-01T00:00:00+00:00'"]).await;
    let page = site.post_form("/admin/models/library_book/1/", &pairs(&fields)).await;
    assert!(with(&page, 409).contains("this is what it is now"));
    assert_eq!(input(&page, "bought_at"), "2027-01-01T00:00:00");
}

#[tokio::test]
async fn a_change_in_between_is_said_and_not_overwritten() {
    let site = library().await;
    sql(&site, &[AUTHOR, BOOK]).await;
    let fields = sent(&site, &[("title", "Mine")]).await;
    sql(&site, &["UPDATE library_book SET title = 'Theirs', pages = 11"]).await;
    let page = site.post_form("/admin/models/library_book/1/", &pairs(&fields)).await;
    let shown = with(&page, 409);
    assert!(shown.contains("Somebody else changed this in the meantime, to: Theirs"), "{shown}");
    assert_eq!((input(&page, "title"), input(&page, "pages")), ("Mine".to_owned(), "11".to_owned()));
    assert_eq!(value(&site, "SELECT title FROM library_book").await, "Theirs");
    // Looked at, it can be saved.
    let was = input(&page, "_was");
    let fields = sent(&site, &[("title", "Mine"), ("_was", &was)]).await;
    assert_eq!(site.post_form("/admin/models/library_book/1/", &pairs(&fields)).await.status().as_u16(), 303);
    assert_eq!(value(&site, "SELECT title || pages FROM library_book").await, "Mine11");
}

#[tokio::test]
async fn a_form_without_its_past_overwrites_nothing() {
    let site = library().await;
    sql(&site, &[AUTHOR, BOOK]).await;
    for was in ["", "zz", "1-2.3-4"] {
        let fields = sent(&site, &[("title", "Mine"), ("_was", was)]).await;
        with(&site.post_form("/admin/models/library_book/1/", &pairs(&fields)).await, 409);
    }
    assert_eq!(value(&site, "SELECT title FROM library_book").await, "Earthsea");
}

#[tokio::test]
async fn secrets_are_never_shown_and_stay_unless_typed() {
    let site = library().await;
    sql(&site, &[AUTHOR, BOOK]).await;
    assert!(!site.get("/admin/models/library_book/1/").await.contains("hush"));
    let fields = sent(&site, &[("api_token", "louder")]).await;
    assert_eq!(site.post_form("/admin/models/library_book/1/", &pairs(&fields)).await.status().as_u16(), 303);
    assert_eq!(value(&site, "SELECT api_token FROM library_book").await, "louder");
    let log = value(&site, "SELECT changes FROM narrows_admin_log").await;
    assert!(log.contains("api_token") && !log.contains("louder") && !log.contains("hush"), "{log}");
    assert!(!text(&site.get("/admin/models/library_book/1/history/").await).contains("louder"));
}

#[tokio::test]
async fn keys_of_two_columns_and_keys_that_people_make_are_edited() {
    let site = library().await;
    sql(&site, &[AUTHOR, BOOK]).await;
    let stock = [("book_id", "1"), ("branch", "a/b,c"), ("copies", "3"), ("_continue", "1")];
    let done = site.post_form("/admin/models/library_stock/add/", &stock).await;
    let own = "/admin/models/library_stock/1,a_2Fb_2Cc/";
    assert_eq!(done.header("location"), Some(own), "{}", text(&done));
    let page = site.get(own).await;
    let fields = [("copies", "4"), ("_was", &input(&page, "_was"))];
    assert_eq!(site.post_form(own, &fields).await.status().as_u16(), 303);
    assert_eq!(value(&site, "SELECT CAST(copies AS text) FROM library_stock").await, "4");
    let page = with(&site.post_form("/admin/models/library_stock/add/", &stock).await, 422);
    assert!(page.contains("Another stock has this book and branch already"), "{page}");
    assert_eq!(site.get("/admin/models/library_stock/1/").await.status().as_u16(), 404);
}

#[tokio::test]
async fn json_decimals_and_uuids_are_checked_and_kept_as_typed() {
    let site = library().await;
    let json = "{\"b\": 1.50, \"a\": 2}";
    let done = site
        .post_form("/admin/models/notes/add/", &[("subject", "one"), ("extra", json), ("fee", "012.5")])
        .await;
    assert_eq!(done.status().as_u16(), 303, "{}", text(&done));
    assert_eq!(value(&site, "SELECT extra || length(id) || fee FROM notes").await, format!("{json}1612.5"));
    let wrong = [("subject", "two"), ("extra", "{\"a\": }"), ("fee", "1.234"), ("id", "nope")];
    let page = with(&site.post_form("/admin/models/notes/add/", &wrong).await, 422);
    for said in
        ["This is not JSON: expected value at line 1", "At most 2 digits go behind the point.", "Type a UUID"]
    {
        assert!(page.contains(said), "{said}: {page}");
    }
    let id = value(&site, "SELECT lower(hex(id)) FROM notes").await;
    let own = format!(
        "/admin/models/notes/{}-{}-{}-{}-{}/",
        &id[..8],
        &id[8..12],
        &id[12..16],
        &id[16..20],
        &id[20..]
    );
    let page = with(&site.get(&own).await, 200);
    assert!(page.contains("\"b\": 1.50,\n  \"a\": 2") && page.contains("value=\"12.50\""), "{page}");
}

#[tokio::test]
async fn rows_with_labels_of_their_own_are_found_in_pickers_and_shown_when_they_cannot_be_read() {
    let site = library().await;
    sql(&site, &[AUTHOR, BOOK]).await;
    let stock = "/admin/models/library_stock/options/book_id/";
    let offers = with(&site.get(&format!("{stock}?book_id=EARTH")).await, 200);
    assert!(offers.contains("<option value=\"1\">Earthsea (10)</option>"), "{offers}");
    sql(&site, &["INSERT INTO library_loan (id, book_id, reader) VALUES (7, 1, x'ff00')"]).await;
    assert!(with(&site.get("/admin/models/library_loan/").await, 200).contains("Select Loan 7"));
}

#[tokio::test]
async fn few_rows_are_chosen_from_and_many_are_searched() {
    let site = library().await;
    sql(&site, &[AUTHOR]).await;
    let page = with(&site.get("/admin/models/library_book/add/").await, 200);
    assert!(page.contains("<option value=\"1\">Ursula Le Guin</option>"), "{page}");
    let many = "WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 150) \
        INSERT INTO library_author (id, name, living, bio, created_at) SELECT i, 'author ' || i, 1, '', '2026-01-01' FROM n";
    sql(&site, &[many]).await;
    let page = with(&site.get("/admin/models/library_book/add/").await, 200);
    assert!(page.contains("list=\"id_author_id-list\"") && !page.contains("Ursula"), "{page}");
    let offers = with(&site.get("/admin/models/library_book/options/author_id/?author_id=URSULA").await, 200);
    assert!(
        offers.contains("<option value=\"1\">Ursula Le Guin</option>") && !offers.contains("author 2"),
        "{offers}"
    );
    assert_eq!(site.get("/admin/models/library_book/options/title/").await.status().as_u16(), 404);
}
