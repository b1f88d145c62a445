//! The files under `/static/`.

use std::os::unix::fs::symlink;

use narrows_web::Project;
use narrows_web::narrows_django::SessionCookie;
use narrows_web::testing::TestSite;

use crate::pages::{folder, get, project_of, request, write};

const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// With what is in the binary.
async fn embedded() -> TestSite {
    Project::new("small", "1.0.0").assets(embedded_project::embedded()).test().await
}

/// The address of a file as a template has it.
fn url(site: &TestSite, name: &str) -> String {
    site.site().static_url(name).unwrap()
}

#[tokio::test]
async fn a_name_with_a_version_is_kept_for_ever() {
    let site = embedded().await;
    let url = url(&site, "js/alone.mjs");
    assert!(url.starts_with("/static/v-") && url.ends_with("/js/alone.mjs"), "{url}");
    let file = site.get(&url).await;
    assert_eq!((file.status().as_u16(), file.header("cache-control")), (200, Some(FOR_EVER)));
    assert_eq!(file.header("content-type"), Some("text/javascript; charset=utf-8"));
    assert_eq!(file.header("x-content-type-options"), Some("nosniff"));
}

#[tokio::test]
async fn a_plain_name_is_asked_for_each_time_and_answered_by_304_where_it_is_known() {
    let site = embedded().await;
    let file = site.get("/static/js/alone.mjs").await;
    assert_eq!(file.header("cache-control"), Some("no-cache"));
    let etag = file.header("etag").unwrap();
    let tags = format!("\"other\", W/{etag}");
    let known = get(&site, "/static/js/alone.mjs", &[("if-none-match", &tags)]).await;
    assert_eq!((known.status().as_u16(), known.body().len()), (304, 0));
    assert_eq!(known.header("etag"), Some(etag));
    let unknown = get(&site, "/static/js/alone.mjs", &[("if-none-match", "\"other\"")]).await;
    assert_eq!(unknown.status(), 200);
}

#[tokio::test]
async fn what_files_say_of_each_other_stays_true() {
    let site = embedded().await;
    let module = url(&site, "js/room.js");
    assert_eq!(url(&site, "js/i18n.js"), module.replace("room.js", "i18n.js"));
    // What a browser makes of `import './i18n.js'` and `url(img/logo.svg)`.
    let imported = site.get(&module.replace("room.js", "i18n.js")).await;
    assert_eq!(imported.header("cache-control"), Some(FOR_EVER));
    let picture = url(&site, "site.css").replace("site.css", "img/logo.svg");
    assert_eq!(site.get(&picture).await.header("cache-control"), Some(FOR_EVER));
}

#[tokio::test]
async fn a_version_from_before_a_deploy_is_answered_with_the_file_of_today_and_not_kept() {
    let site = embedded().await;
    let old = site.get("/static/v-0123456789abcdef/js/alone.mjs").await;
    assert_eq!((old.status().as_u16(), old.header("cache-control")), (200, Some("no-cache")));
    assert_eq!(site.get("/static/v-0123456789abcdef/gone.js").await.status(), 404);
}

#[tokio::test]
async fn the_form_that_the_client_likes_best_is_sent() {
    let site = embedded().await;
    let plain = site.get("/static/site.css").await;
    assert_eq!((plain.header("content-encoding"), plain.header("vary")), (None, Some("accept-encoding")));
    for (accepted, expected) in [
        ("gzip, deflate, br, zstd", Some("br")),
        ("gzip", Some("gzip")),
        ("GZIP;q=1, br;q=0.5", Some("gzip")),
        ("br;q=0, *", Some("gzip")),
        ("identity, gzip;q=0.5", None),
        ("br;q=0,gzip;q=0", None),
        ("zstd", None),
        ("br;q=nonsense", None),
    ] {
        let file = get(&site, "/static/site.css", &[("accept-encoding", accepted)]).await;
        assert_eq!(file.header("content-encoding"), expected, "{accepted}");
        let length = file.body().len().to_string();
        assert_eq!(file.header("content-length"), Some(length.as_str()), "{accepted}");
        assert_eq!(file.body().len() == plain.body().len(), expected.is_none(), "{accepted}");
        assert_eq!(file.header("etag") == plain.header("etag"), expected.is_none(), "{accepted}");
    }
}

#[tokio::test]
async fn what_is_compressed_is_the_file() {
    use std::io::Read;

    let site = embedded().await;
    let plain = site.get("/static/site.css").await;
    let file = get(&site, "/static/site.css", &[("accept-encoding", "gzip")]).await;
    let mut text = String::new();
    flate2::read::GzDecoder::new(&file.body()[..]).read_to_string(&mut text).unwrap();
    assert_eq!(text, plain.text());
}

#[tokio::test]
async fn a_picture_is_not_said_to_vary() {
    let site = embedded().await;
    let file = get(&site, "/static/chat/voice.ogg", &[("accept-encoding", "gzip")]).await;
    assert_eq!((file.header("vary"), file.header("content-encoding")), (None, None));
    assert_eq!(file.header("content-type"), Some("audio/ogg"));
}

#[tokio::test]
async fn head_says_what_get_would_and_nothing_else_is_taken() {
    let site = embedded().await;
    let head = request(&site, "HEAD", "/static/chat/voice.ogg", &[]).await;
    assert_eq!((head.status().as_u16(), head.header("content-length")), (200, Some("10240")));
    assert!(head.body().is_empty());
    let post = request(&site, "POST", "/static/chat/voice.ogg", &[]).await;
    assert_eq!((post.status().as_u16(), post.header("allow")), (405, Some("GET,HEAD")));
}

/// Both from the binary and from a folder.
async fn both() -> [TestSite; 2] {
    let folder = Project::new("small", "1.0.0").assets(embedded_project::folder());
    [embedded().await, folder.test_with(["--development=on"]).await]
}

#[tokio::test]
async fn a_part_of_a_file_can_be_asked_for() {
    for site in both().await {
        let whole = site.get("/static/chat/voice.ogg").await;
        assert_eq!(whole.header("accept-ranges"), Some("bytes"));
        for (range, said, part) in [
            ("bytes=0-99", "bytes 0-99/10240", 0..100),
            ("bytes=10200-", "bytes 10200-10239/10240", 10200..10240),
            ("bytes=-40", "bytes 10200-10239/10240", 10200..10240),
            ("bytes=5-99999", "bytes 5-10239/10240", 5..10240),
            ("bytes=-99999", "bytes 0-10239/10240", 0..10240),
        ] {
            let file = get(&site, "/static/chat/voice.ogg", &[("range", range)]).await;
            assert_eq!((file.status().as_u16(), file.header("content-range")), (206, Some(said)));
            assert_eq!(file.body()[..], whole.body()[part], "{range}");
        }
    }
}

#[tokio::test]
async fn a_part_that_is_not_there_is_refused_and_one_that_makes_no_sense_is_the_whole() {
    for site in both().await {
        for range in ["bytes=10240-", "bytes=99999999999999999999-", "bytes=-0"] {
            let file = get(&site, "/static/chat/voice.ogg", &[("range", range)]).await;
            assert_eq!(file.status(), 416, "{range}");
            assert_eq!(file.header("content-range"), Some("bytes */10240"));
        }
        for range in ["bytes=5-2", "bytes=0-1,5-6", "bytes=x-", "lines=0-1", "bytes=", "bytes=1-2-3"] {
            let file = get(&site, "/static/chat/voice.ogg", &[("range", range)]).await;
            assert_eq!((file.status().as_u16(), file.body().len()), (200, 10240), "{range}");
        }
    }
}

#[tokio::test]
async fn a_refused_part_is_kept_by_nobody_and_head_knows_no_parts() {
    let site = embedded().await;
    let url = url(&site, "chat/voice.ogg");
    let beyond = get(&site, &url, &[("range", "bytes=10240-")]).await;
    assert_eq!((beyond.status().as_u16(), beyond.header("cache-control")), (416, Some("no-store")));
    let head = request(&site, "HEAD", &url, &[("range", "bytes=0-9")]).await;
    assert_eq!((head.status().as_u16(), head.header("content-length")), (200, Some("10240")));
}

#[tokio::test]
async fn a_part_of_another_version_is_the_whole() {
    for site in both().await {
        let etag = site.get("/static/chat/voice.ogg").await.header("etag").unwrap().to_owned();
        let asks = [("range", "bytes=0-9"), ("if-range", &etag)];
        assert_eq!(get(&site, "/static/chat/voice.ogg", &asks).await.status(), 206);
        let asks = [("range", "bytes=0-9"), ("if-range", "\"other\"")];
        assert_eq!(get(&site, "/static/chat/voice.ogg", &asks).await.status(), 200);
    }
}

#[tokio::test]
async fn nothing_outside_of_the_folders_is_served() {
    let root = folder(&[("data/secret_key", "secret"), ("static/a.txt", "a"), ("src/main.rs", "secret")]);
    symlink("../data/secret_key", root.path().join("static/key.txt")).unwrap();
    symlink("../data", root.path().join("static/data")).unwrap();
    let long = format!("/static/{}", "a".repeat(5000));
    for site in [project_of(&root).test_with(["--development=on"]).await, embedded().await] {
        for path in [
            long.as_str(),
            "/static/../data/secret_key",
            "/static/%2e%2e/data/secret_key",
            "/static/..%2fdata%2fsecret_key",
            "/static/..\\data\\secret_key",
            "/static/..%5cdata%5csecret_key",
            "/static/a.txt%00.css",
            "/static/v-0123456789abcdef/../../data/secret_key",
            "/static//etc/passwd",
            "/static//a.txt",
            "/static/%2fetc/passwd",
            "/static/key.txt",
            "/static/data/secret_key",
            "/static/",
            "/static/./a.txt",
            "/static/a.txt/",
            "/static/%ff",
            "/static/js",
            "/static/js/",
        ] {
            let answer = get(&site, path, &[("accept", "*/*")]).await;
            assert_eq!(answer.status(), 404, "{path}");
            assert_eq!(answer.text(), "There is no page at this address.\n", "{path}");
        }
    }
}

#[tokio::test]
async fn a_link_within_the_folder_is_followed_and_what_editors_leave_is_not_there() {
    let root = folder(&[("static/new.txt", "new"), ("static/old.txt~", "old"), ("static/.hidden", "hidden")]);
    symlink("new.txt", root.path().join("static/same.txt")).unwrap();
    let site = project_of(&root).test_with(["--development=on"]).await;
    assert_eq!(site.get("/static/same.txt").await.text(), "new");
    assert_eq!(site.get("/static/old.txt~").await.status(), 404);
    assert_eq!(site.get("/static/.hidden").await.status(), 404);
}

#[tokio::test]
async fn in_development_a_file_that_changes_is_sent_anew() {
    let root = folder(&[("static/site.css", "one")]);
    let site = project_of(&root).test_with(["--development=on"]).await;
    assert_eq!(url(&site, "site.css"), "/static/site.css");
    let file = site.get("/static/site.css").await;
    assert_eq!((file.text(), file.header("cache-control")), ("one", Some("no-cache")));
    let etag = file.header("etag").unwrap();
    let known = get(&site, "/static/site.css", &[("if-none-match", etag)]).await;
    assert_eq!(known.status(), 304);
    write(root.path(), "static/site.css", "another");
    let changed = get(&site, "/static/site.css", &[("if-none-match", etag)]).await;
    assert_eq!((changed.status().as_u16(), changed.text()), (200, "another"));
}

#[tokio::test]
async fn a_large_file_is_sent_whole() {
    let root = folder(&[]);
    let large: String = (0..60_000).map(|line| format!("{line}\n")).collect();
    write(root.path(), "static/large.txt", &large);
    let site = project_of(&root).test_with(["--development=on"]).await;
    let file = site.get("/static/large.txt").await;
    assert_eq!(file.header("content-length"), Some(large.len().to_string().as_str()));
    assert_eq!(file.text(), large);
}

#[tokio::test]
async fn a_file_that_everybody_may_keep_sets_nobodys_cookie() {
    let project = Project::new("small", "1.0.0").assets(embedded_project::embedded());
    let cookie = SessionCookie::default().save_every_request(true);
    let site = project.accounts(|accounts| accounts.cookie(cookie)).test().await;
    site.log_in(&site.user("ada").await).await;
    let file = site.get(&url(&site, "site.css")).await;
    assert_eq!((file.status().as_u16(), file.header("set-cookie")), (200, None));
    assert!(!file.header("vary").unwrap().to_ascii_lowercase().contains("cookie"));
    assert!(site.get("/nothing/").await.header("set-cookie").is_some(), "a page does");
}

#[tokio::test]
async fn the_javascript_client_is_there() {
    let site = embedded().await;
    let client = site.get(narrows_web::narrows::client::module_path()).await;
    assert_eq!((client.status().as_u16(), client.header("cache-control")), (200, Some(FOR_EVER)));
}
