//! The same pages on PostgreSQL and MariaDB: every kind of column, there and back.

use narrows_admin::sea_orm::{ConnectionTrait, DbBackend};
use narrows_web::testing::TestSite;
use rig::{MariaDb, Postgres};

use crate::project;
use crate::support::{input, sql, text, value, with};

async fn library(url: &str) -> TestSite {
    let site = project::project().test_with([format!("--database-url={url}")]).await;
    let ada = site.superuser("ada").await;
    site.log_in(&ada).await;
    if site.site().db().get_database_backend() == DbBackend::MySql {
        // As migrations make them.
        sql(&site, &["ALTER TABLE library_book MODIFY published datetime(6), MODIFY bought_at datetime(6)"])
            .await;
    }
    site
}

#[tokio::test]
async fn rows_go_in_and_out_on_postgresql() {
    let Some(server) = Postgres::start() else { return };
    everything(&library(&server.fresh_database()).await).await;
    crate::forum::trees::on_servers(&crate::forum::forum_at(&server.fresh_database()).await).await;
}

#[tokio::test]
async fn rows_go_in_and_out_on_mariadb() {
    let Some(server) = MariaDb::start() else { return };
    everything(&library(&server.fresh_database()).await).await;
    crate::forum::trees::on_servers(&crate::forum::forum_at(&server.fresh_database()).await).await;
}

async fn everything(site: &TestSite) {
    authors_are_added_found_and_filtered(site).await;
    books_keep_what_was_not_edited(site).await;
    notes_have_json_decimals_and_uuids(site).await;
    rows_go_with_others(site).await;
    addresses_that_make_no_sense_are_no_errors(site).await;
    users_are_added_and_given_rights(site).await;
}

async fn post(site: &TestSite, path: &str, fields: &[(&str, &str)]) {
    let done = site.post_form(path, fields).await;
    assert_eq!(done.status().as_u16(), 303, "{path}: {}", text(&done));
}

async fn authors_are_added_found_and_filtered(site: &TestSite) {
    let base = "/admin/models/library_author/";
    let ursula =
        [("name", "Ursula Le Guin"), ("born", "1929-10-21"), ("country", "us"), ("bio", "a 100% sure_thing")];
    post(site, &format!("{base}add/"), &ursula).await;
    post(site, &format!("{base}add/"), &[("name", "Ödön Äpfel"), ("living", "true"), ("bio", "")]).await;
    let again = site.post_form(&format!("{base}add/"), &ursula).await;
    assert!(with(&again, 422).contains("Another author has this name already."));
    for (query, found) in [
        ("q=ursula+SURE_", "Ursula"),
        ("q=%C3%B6D%C3%96n", "Ödön"),
        ("f.living=true", "Ödön"),
        ("f.country=us", "Ursula"),
        ("f.country=!null", "Ödön"),
        ("q=100%25", "Ursula"),
    ] {
        let page = with(&site.get(&format!("{base}?{query}&sort=-born")).await, 200);
        assert!(page.contains("1 author<") && page.contains(found), "{query}: {page}");
    }
}

async fn books_keep_what_was_not_edited(site: &TestSite) {
    let fields = [
        ("title", "Earthsea"),
        ("author_id", "1"),
        ("pages", "205"),
        ("price", "0.30000000000000004"),
        ("weight", "0.1"),
        ("in_print", "true"),
        ("checked", "false"),
        ("published", "2026-02-03T04:05:06.123456"),
        ("bought_at", "2026-02-03T04:05:06.123456"),
        ("opens", "10:11:12"),
        ("extra", "a\r\nb"),
        ("api_token", "hush"),
    ];
    post(site, "/admin/models/library_book/add/", &fields).await;
    let own = "/admin/models/library_book/1/";
    let page = site.get(own).await;
    let shown: Vec<String> =
        ["price", "weight", "published", "opens"].iter().map(|name| input(&page, name)).collect();
    assert_eq!(
        shown,
        ["0.30000000000000004", "0.1", "2026-02-03T04:05:06.123", "10:11:12"],
        "{}",
        text(&page)
    );
    let names = ["_was", "pages", "price", "weight", "published", "bought_at", "opens", "binding"];
    let mut sent: Vec<(&str, String)> = names.iter().map(|name| (*name, input(&page, name))).collect();
    sent.extend(
        [
            ("title", "Mort"),
            ("author_id", "2"),
            ("in_print", "true"),
            ("checked", "false"),
            ("extra", "a\r\nb"),
        ]
        .map(|(name, value)| (name, value.to_owned())),
    );
    let sent: Vec<(&str, &str)> = sent.iter().map(|(name, value)| (*name, value.as_str())).collect();
    post(site, own, &sent).await;
    let text_type = if site.site().db().get_database_backend() == DbBackend::MySql { "char" } else { "text" };
    let column = async |name: &str| {
        value(site, &format!("SELECT CAST({name} AS {text_type}) FROM library_book")).await
    };
    assert!(column("published").await.contains("04:05:06.123456"), "{}", column("published").await);
    assert_eq!((column("title").await.as_str(), column("api_token").await.as_str()), ("Mort", "hush"));
    let log = with(&site.get(&format!("{own}history/")).await, 200);
    assert!(log.contains("<ins>Mort</ins>") && !log.contains("hush"), "{log}");
    assert!(with(&site.get("/admin/log/?q=MORT").await, 200).contains("<ins>Mort</ins>"));
    for query in ["f.author_id=2", "f.bought_at=year&q=mort", "f.in_print=true&sort=-author_id"] {
        with(&site.get(&format!("/admin/models/library_book/?{query}")).await, 200);
    }
    assert_eq!(site.post_form(own, &sent).await.status().as_u16(), 409);
}

async fn notes_have_json_decimals_and_uuids(site: &TestSite) {
    let id = "0b7e1c3a-9f52-4f6e-8d1b-2f0a6c9d4e55";
    let fields = [("id", id), ("subject", "one"), ("extra", "{\"b\": 1.5, \"a\": 2}"), ("fee", "12.5")];
    post(site, "/admin/models/notes/add/", &fields).await;
    let own = format!("/admin/models/notes/{id}/");
    let page = site.get(&own).await;
    assert_eq!(input(&page, "fee"), "12.50");
    assert!(with(&page, 200).contains("\"b\": 1.5,\n  \"a\": 2"), "{}", text(&page));
    let was = input(&page, "_was");
    let fields =
        [("_was", was.as_str()), ("subject", "two"), ("extra", "[1]"), ("fee", "-3.25"), ("parent_id", id)];
    post(site, &own, &fields).await;
    let page = site.get(&own).await;
    assert_eq!((input(&page, "fee").as_str(), input(&page, "parent_id").as_str()), ("-3.25", id));
    let twice = site.post_form("/admin/models/notes/add/", &[("id", id), ("subject", "x")]).await;
    assert!(with(&twice, 422).contains("Another note has this ID already."), "{}", text(&twice));
    post(site, &format!("{own}delete/"), &[]).await;
}

async fn rows_go_with_others(site: &TestSite) {
    post(site, "/admin/models/library_stock/add/", &[("book_id", "1"), ("branch", "a/b"), ("copies", "3")])
        .await;
    post(site, "/admin/models/library_loan/add/", &[("book_id", "1"), ("reader", "Zoë")]).await;
    let author = "/admin/models/library_author/2/delete/";
    assert!(with(&site.get(author).await, 200).contains("Loan to Zoë"));
    assert_eq!(site.post_form(author, &[]).await.status().as_u16(), 409);
    post(site, "/admin/models/library_loan/delete/", &[("key", "1"), ("_confirm", "1")]).await;
    post(site, author, &[]).await;
    for table in ["library_stock", "library_book"] {
        let page = with(&site.get(&format!("/admin/models/{table}/")).await, 200);
        assert!(page.contains("nothing here yet"), "{page}");
    }
}

async fn addresses_that_make_no_sense_are_no_errors(site: &TestSite) {
    for key in ["nope", "_00", "_27_20or_201", "99999999999999999999", "-", "_", "_C3_A4", "1,2", "_ff"] {
        for table in ["notes", "library_author", "library_branch", "library_stock"] {
            let path = format!("/admin/models/{table}/{key}/");
            assert_eq!(site.get(&path).await.status().as_u16(), 404, "{path}");
        }
        let path = format!("/admin/models/notes/delete/?key={key}");
        site.post_form(&path, &[("key", key), ("_confirm", "1")]).await;
    }
    for (table, queries) in [
        (
            "notes",
            ["f.fee=abc", "f.fee=1e999999", "f.id=nope", "f.parent_id=!empty", "sort=extra", "f.extra=x"],
        ),
        (
            "library_book",
            [
                "f.pages=!empty",
                "f.price=nan",
                "f.binding=%00",
                "f.bought_at=!empty",
                "f.author_id=%27",
                "q=%00",
            ],
        ),
    ] {
        for query in queries {
            let path = format!("/admin/models/{table}/?{query}");
            with(&site.get(&path).await, 200);
        }
    }
    for typed in ["%00", "nope", "", "-1"] {
        with(
            &site.get(&format!("/admin/models/library_book/options/author_id/?author_id={typed}")).await,
            200,
        );
    }
}

async fn users_are_added_and_given_rights(site: &TestSite) {
    let password = "a quiet green field";
    let fields = [
        ("username", "zoe"),
        ("is_active", "true"),
        ("is_staff", "true"),
        ("password", password),
        ("password_again", password),
    ];
    post(site, "/admin/models/auth_user/add/", &fields).await;
    let zoe = site.site().accounts().authenticate("zoe", password, None).await.expect("it is the password");
    post(site, "/admin/models/auth_group/add/", &[("name", "editors")]).await;
    let may = "INSERT INTO auth_group_permissions (group_id, permission_id) SELECT 1, id FROM auth_permission WHERE codename = 'view_author'";
    sql(site, &[may]).await;
    post(site, &format!("/admin/models/auth_user/{}/access/", zoe.id), &[("groups", "1")]).await;
    let browser = site.another_browser();
    browser.log_in(&zoe).await;
    assert_eq!(browser.get("/admin/models/library_author/").await.status().as_u16(), 200);
    assert_eq!(browser.get("/admin/models/library_book/").await.status().as_u16(), 403);
    post(site, &format!("/admin/models/auth_user/{}/delete/", zoe.id), &[]).await;
    assert_eq!(browser.get("/admin/").await.status().as_u16(), 303);
}
