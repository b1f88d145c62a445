use std::collections::BTreeSet;
use std::path::Path;

use narrows_build::Collection;

use crate::person::Person;
use crate::site::Site;
use crate::visitor::Visitor;

const PAGES: [&str; 7] = [
    "/",
    "/chatone",
    "/chatgroup",
    "/chatgroup?groupID=7",
    "/chat/",
    "/chat/lobby/",
    "/chat/%E5%A4%A7%E5%8E%85/",
];

#[tokio::test]
async fn every_page_is_html_that_may_load_nothing_from_elsewhere() {
    let site = Site::start().await;
    for page in PAGES {
        let answer = site.get(page).await;
        assert_eq!(answer.status(), 200, "{page}");
        assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert!(answer.header("content-security-policy").starts_with("default-src 'self'; "));
    }
}

#[tokio::test]
async fn everything_that_a_page_or_script_names_is_there() {
    let site = Site::start().await;
    let mut found = BTreeSet::new();
    let mut todo: Vec<String> = PAGES.iter().map(|page| (*page).to_owned()).collect();
    todo.push("/nowhere".to_owned());
    // Its page is for users alone.
    let mut ada = Visitor::registered(&site, "Ada").await;
    let scripts = named("/", &ada.get("/notifications/").await.body)
        .into_iter()
        .filter(|path| path.starts_with("/static/"));
    todo.extend(scripts.filter(|path| found.insert(path.clone())));
    while let Some(path) = todo.pop() {
        let answer = site.get(&path).await;
        assert_eq!(answer.status(), if path == "/nowhere" { 404 } else { 200 }, "{path}");
        if path.ends_with(".js") {
            assert_eq!(answer.header("content-type"), "text/javascript; charset=utf-8");
        }
        let named = named(&path, &answer.body);
        todo.extend(named.into_iter().filter(|path| found.insert(path.clone())));
    }
    let all = Collection::read(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap();
    for name in all.files().keys() {
        assert!(found.contains(&format!("/static/{name}")), "{name} is served and named by nothing");
    }
}

/// What stands in `src="…"`, `href="…"` and `from './…'` of the file at this path.
fn named(file: &str, text: &str) -> Vec<String> {
    let quoted = |start: &str, end: char| -> Vec<String> {
        let parts = text.split(start).skip(1);
        parts.filter_map(|part| part.split_once(end)).map(|(name, _)| name.to_owned()).collect()
    };
    let mut named: Vec<String> = quoted(" src=\"", '"').into_iter().chain(quoted(" href=\"", '"')).collect();
    named.iter_mut().for_each(|path| *path = path.replace("&#x2f;", "/"));
    named.retain(|path| path.starts_with('/'));
    let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
    for module in quoted("from '", '\'').into_iter().chain(quoted("import '", '\'')) {
        named.push(match module.strip_prefix("../") {
            Some(name) => format!("{}/{name}", folder.rsplit_once('/').unwrap().0),
            None => format!("{folder}/{}", module.strip_prefix("./").unwrap()),
        });
    }
    named
}

#[test]
fn a_release_gives_modules_that_load_each_other_one_version() {
    let all = Collection::read(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap();
    let version = |name: &str| all.files()[name].version().to_owned();
    let modules: BTreeSet<_> =
        all.files().keys().filter(|name| name.ends_with(".js")).map(|name| version(name)).collect();
    assert_eq!(modules.len(), 1, "each module is loaded once, under one address");
    assert!(!modules.contains(&version("site.css")) && !modules.contains(&version("favicon.svg")));
}

#[tokio::test]
async fn a_browser_that_has_a_file_already_is_not_sent_it_again() {
    let site = Site::start().await;
    let first = site.get("/static/site.css").await;
    let etag = first.header("etag");
    let again = site.request("GET", "/static/site.css", &format!("if-none-match: \"x\", W/{etag}\r\n")).await;
    assert_eq!((again.status(), again.body.as_str()), (304, ""));
    let other = site.request("GET", "/static/site.css", "if-none-match: \"x\"\r\n").await;
    assert_eq!((other.status(), other.body), (200, first.body));
}

#[tokio::test]
async fn an_unknown_address_gets_the_page_that_says_so() {
    let site = Site::start().await;
    for path in ["/nope", "/static/nope.js", "/chat/a/b", "/ws/nope/"] {
        let answer = site.get(path).await;
        assert_eq!(answer.status(), 404, "{path}");
        assert!(answer.body.contains("Nothing here"), "{path}");
        assert!(answer.header("content-security-policy").starts_with("default-src 'self'"));
    }
    assert_eq!(Person::refused(&site, "/ws/nope/", None).await, 404);
}

#[tokio::test]
async fn an_address_with_the_wrong_slash_leads_to_the_right_one() {
    let site = Site::start().await;
    for (path, right) in [
        ("/chat", "/chat/"),
        ("/chat//", "/chat/"),
        ("/chat/lobby", "/chat/lobby/"),
        ("/chat/a%2Fb%20c", "/chat/a%2Fb%20c/"),
        ("/chat/大厅", "/chat/%E5%A4%A7%E5%8E%85/"),
        ("/chatone/", "/chatone"),
        ("/chatgroup/?groupID=a%20b", "/chatgroup?groupID=a%20b"),
    ] {
        let answer = site.get(path).await;
        assert_eq!((answer.status(), answer.header("location")), (307, right), "{path}");
    }
}

#[tokio::test]
async fn a_socket_that_is_opened_as_a_page_says_what_it_is() {
    let site = Site::start().await;
    for path in ["/room/1/", "/group/1/", "/ws/chat/a/"] {
        let answer = site.get(path).await;
        assert_eq!((answer.status(), answer.header("upgrade")), (426, "websocket"), "{path}");
    }
}

#[tokio::test]
async fn health_is_told_on_the_same_port() {
    let site = Site::start().await;
    assert_eq!(site.get("/healthz").await.status(), 200);
    assert_eq!(site.get("/readyz").await.status(), 200);
}

#[tokio::test]
async fn the_page_of_a_room_tells_of_the_bot_in_both_languages() {
    let site = Site::start().await;
    assert!(site.get("/chat/lobby/").await.body.contains("@bot help"));
    let words = site.get("/static/js/i18n.js").await.body;
    let lines = |key: &str| words.lines().filter(|line| line.contains(key)).count();
    assert_eq!(words.matches("@bot help").count(), 2);
    assert_eq!((lines("'room.mode.bot'"), lines("'room.error.bot_busy'")), (2, 2));
}
