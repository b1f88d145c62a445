//! The pages of accounts, as a browser without JavaScript sees them.

use crate::person::Person;
use crate::site::{Doors, Site};
use crate::visitor::{PASSWORD, Visitor};

const PAGES: [&str; 8] =
    ["/", "/chatone", "/chatgroup", "/chat/", "/chat/lobby/", "/account/", "/notifications/", "/nowhere"];

#[tokio::test]
async fn who_registers_is_logged_in_and_each_page_says_so_and_offers_the_log_out() {
    let site = Site::start().await;
    let mut ada = Visitor::registered(&site, "Ada").await;
    for page in &PAGES[..7] {
        let answer = ada.get(page).await;
        assert_eq!(answer.status(), 200, "{page}");
        assert!(answer.body.contains("<html lang=\"en\" data-user=\"Ada\">"), "{page}");
        assert!(answer.body.contains("<bdi>Ada</bdi>"), "{page}");
        assert!(answer.body.contains("<form method=\"post\" action=\"/logout/\"><button"), "{page}");
        assert_eq!(answer.header("cache-control"), "private, no-store");
        assert!(answer.header("content-security-policy").starts_with("default-src 'self'; "), "{page}");
    }
    let answer = ada.submit("/logout/", &[]).await;
    assert_eq!((answer.status(), answer.header("location")), (303, "/"));
    assert_eq!(ada.cookie, "");
    assert!(!ada.get("/").await.body.contains("Ada"));
}

#[tokio::test]
async fn a_cookie_from_before_the_log_out_is_nobodys() {
    let site = Site::start().await;
    let mut ada = Visitor::registered(&site, "Ada").await;
    let mut thief = Visitor::new(&site);
    thief.cookie.clone_from(&ada.cookie);
    assert!(thief.get("/").await.body.contains("Ada"));
    ada.submit("/logout/", &[]).await;
    assert!(!thief.get("/").await.body.contains("Ada"));
}

#[tokio::test]
async fn pages_of_ones_own_lead_to_the_log_in_and_back() {
    let site = Site::start().await;
    Visitor::registered(&site, "Ada").await;
    for page in ["/account/", "/notifications/"] {
        let mut visitor = Visitor::new(&site);
        let answer = visitor.get(page).await;
        let login = format!("/login/?next={page}");
        assert_eq!((answer.status(), answer.header("location")), (303, login.as_str()));
        let form = visitor.get(&login).await;
        assert!(form.body.contains(&format!("name=\"next\" value=\"{page}\"")), "{}", form.body);
        let fields = [("username", "Ada"), ("password", PASSWORD), ("next", page)];
        let answer = visitor.submit("/login/", &fields).await;
        assert_eq!((answer.status(), answer.header("location")), (303, page));
        // Somebody who is logged in already is not asked again.
        assert_eq!(visitor.get(&login).await.header("location"), page);
    }
}

#[tokio::test]
async fn the_log_in_leads_to_no_other_site() {
    let site = Site::start().await;
    Visitor::registered(&site, "Ada").await;
    for next in
        ["//evil.example/", "https://evil.example/", "/\\evil.example", "/\t/evil.example", "javascript:1"]
    {
        let mut visitor = Visitor::new(&site);
        let fields = [("username", "Ada"), ("password", "not it"), ("next", next)];
        let form = visitor.submit("/login/", &fields).await;
        assert!(!form.body.contains("evil") && !form.body.contains("name=\"next\""), "{next}");
        let fields = [("username", "Ada"), ("password", PASSWORD), ("next", next)];
        assert_eq!(visitor.submit("/login/", &fields).await.header("location"), "/", "{next:?}");
    }
    let mut new = Visitor::new(&site);
    let fields = [
        ("username", "Ben"),
        ("password", PASSWORD),
        ("password_again", PASSWORD),
        ("next", "//evil.example/"),
    ];
    assert_eq!(new.submit("/register/", &fields).await.header("location"), "/");
}

#[tokio::test]
async fn a_form_that_is_not_right_comes_back_with_what_is_wrong_and_without_the_password() {
    let site = Site::start().await;
    let name = "\"><script>alert(1)</script>";
    let fields = [
        ("username", name),
        ("email", "no address"),
        ("password", "2468013579"),
        ("password_again", "2468013579"),
    ];
    let answer = Visitor::new(&site).submit("/register/", &fields).await;
    assert_eq!(answer.status(), 422);
    for shown in [
        "value=\"&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;\"",
        "value=\"no address\"",
        "A user name has up to 40 letters",
        "This is not an e-mail address.",
        "The password has only digits.",
        "<li data-i18n-said>",
        "aria-invalid=\"true\"",
        "aria-describedby=\"password-problem password-hint\"",
    ] {
        assert!(answer.body.contains(shown), "{shown}\n{}", answer.body);
    }
    assert!(!answer.body.contains("2468013579") && !answer.body.contains("<script>"), "{}", answer.body);
}

#[tokio::test]
async fn each_problem_of_a_registration_is_told_beside_its_field() {
    let site = Site::start().await;
    Visitor::registered(&site, "Ada").await;
    let long = "x".repeat(41);
    for (name, password, again, status, text) in [
        ("", PASSWORD, PASSWORD, 422, "This field is required."),
        ("Ben", "", "", 422, "This field is required."),
        ("Ada", PASSWORD, PASSWORD, 409, "Somebody has this name already."),
        // The same letters in another form.
        ("\u{ff21}da", PASSWORD, PASSWORD, 409, "Somebody has this name already."),
        ("bot", PASSWORD, PASSWORD, 422, "This name is kept for the site itself."),
        ("Guest-0001", PASSWORD, PASSWORD, 422, "This name is kept for the site itself."),
        (&long, PASSWORD, PASSWORD, 422, "A user name has up to 40 letters, digits and @ . + - _."),
        ("Ben", "short", "short", 422, "The password needs at least 8 characters."),
        ("Ben", "password1", "password1", 422, "Too many people have this password."),
        ("Benjamin", "benjamin1", "benjamin1", 422, "The password is too much like your name or e-mail."),
        ("Ben", PASSWORD, "another", 422, "The two passwords are not the same."),
    ] {
        let fields = [("username", name), ("password", password), ("password_again", again)];
        let mut visitor = Visitor::new(&site);
        let answer = visitor.submit("/register/", &fields).await;
        assert!(
            answer.body.contains(&format!("<li data-i18n-said>{text}</li>")),
            "{name} {password}: {text}\n{}",
            answer.body
        );
        assert_eq!((answer.status(), visitor.cookie.as_str()), (status, ""), "{name} {password}");
    }
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_name_look_the_same_and_after_some_one_has_to_wait() {
    let site = Site::start().await;
    Visitor::registered(&site, "Ada").await;
    let mut visitor = Visitor::new(&site);
    for (name, password) in [("Ada", "not it"), ("nobody", PASSWORD)] {
        let answer = visitor.submit("/login/", &[("username", name), ("password", password)]).await;
        assert_eq!(answer.status(), 401);
        assert!(answer.body.contains("There is no account with this name and password."), "{}", answer.body);
        assert!(answer.body.contains(&format!("value=\"{name}\"")) && !answer.body.contains(password));
    }
    for _ in 0..4 {
        visitor.submit("/login/", &[("username", "Ada"), ("password", "not it")]).await;
    }
    let answer = visitor.submit("/login/", &[("username", "Ada"), ("password", PASSWORD)]).await;
    assert_eq!((answer.status(), visitor.cookie.as_str()), (429, ""));
    assert!(answer.body.contains("Too many attempts. Try again in "), "{}", answer.body);
}

#[tokio::test]
async fn a_form_of_another_site_changes_nothing() {
    let site = Site::start().await;
    let mut ada = Visitor::registered(&site, "Ada").await;
    let another = "a quiet blue field";
    let paths = ["/login/", "/register/", "/logout/", "/account/", "/notifications/", "/api/notify/"];
    for from in [
        "sec-fetch-site: cross-site\r\n",
        "sec-fetch-site: same-site\r\n",
        "origin: http://evil.example\r\n",
        "origin: null\r\n",
    ] {
        for path in paths {
            let fields = [
                ("username", "Eve"),
                ("old_password", PASSWORD),
                ("password", another),
                ("password_again", another),
                ("to", "Ada"),
                ("message", "evil"),
            ];
            let answer = ada.submit_from(from, path, &fields).await;
            assert_eq!(answer.status(), 403, "{path} {from}");
            assert!(answer.header("content-security-policy").starts_with("default-src 'self'; "), "{path}");
        }
    }
    assert!(ada.get("/account/").await.body.contains("<bdi>Ada</bdi>"));
    Visitor::logged_in(&site, "Ada").await;
}

#[tokio::test]
async fn a_changed_password_ends_every_other_session_and_this_one_goes_on() {
    let site = Site::start().await;
    let mut here = Visitor::registered(&site, "Ada").await;
    let mut elsewhere = Visitor::logged_in(&site, "Ada").await;
    let new = "a quiet blue field";
    let change = async |here: &mut Visitor<'_>, old: &str, new: &str| {
        here.submit("/account/", &[("old_password", old), ("password", new), ("password_again", new)]).await
    };
    let wrong = change(&mut here, "not it", new).await;
    assert!(wrong.status() == 422 && wrong.body.contains("That is not your password."), "{}", wrong.body);
    let weak = change(&mut here, PASSWORD, "short").await;
    assert!(weak.status() == 422 && weak.body.contains("at least 8 characters"), "{}", weak.body);
    let changed = change(&mut here, PASSWORD, new).await;
    assert_eq!((changed.status(), changed.header("location")), (303, "/account/"));
    assert!(here.get("/account/").await.body.contains("Your password is changed."));
    assert!(!here.get("/account/").await.body.contains("Your password is changed."), "it is said once");
    assert_eq!(elsewhere.get("/account/").await.status(), 303);
    let old = Visitor::new(&site).submit("/login/", &[("username", "Ada"), ("password", PASSWORD)]).await;
    assert_eq!(old.status(), 401);
    let log_in = Visitor::new(&site).submit("/login/", &[("username", "Ada"), ("password", new)]).await;
    assert_eq!(log_in.status(), 303);
}

#[tokio::test]
async fn a_site_that_requires_accounts_lets_only_users_into_its_chats() {
    let site = Site::start_with_doors(Doors::Required).await;
    let mut guest = Visitor::new(&site);
    for page in ["/chatone", "/chatgroup?groupID=7", "/chat/", "/chat/lobby/"] {
        let answer = guest.get(page).await;
        assert_eq!(answer.status(), 303, "{page}");
        assert!(answer.header("location").starts_with("/login/?next=/chat"), "{page}");
    }
    for socket in ["/room/1/", "/group/1/", "/ws/chat/lobby/", "/ws/notifications/"] {
        assert_eq!(Person::refused(&site, socket, None).await, 401, "{socket}");
    }
    assert!(guest.get("/").await.body.contains("These demos are for those who log in."));
    let mut ada = Visitor::registered(&site, "Ada").await;
    assert_eq!(ada.get("/chat/lobby/").await.status(), 200);
    for socket in ["/room/1/", "/group/1/"] {
        let mut person = Person::open_as(&site, socket, &ada.cookie).await;
        person.say("hello").await;
        assert!(person.text().await.ends_with("hello"));
    }
    Person::enter_as(&site, "lobby", "Ada", &ada.cookie).await;
}

#[tokio::test]
async fn a_site_without_accounts_has_none_of_their_pages() {
    let site = Site::start_with_doors(Doors::Off).await;
    for path in ["/login/", "/register/", "/logout/", "/account/", "/notifications/", "/api/me/"] {
        assert_eq!(site.get(path).await.status(), 404, "{path}");
    }
    for page in ["/", "/chatone", "/chat/", "/chat/lobby/"] {
        let answer = site.get(page).await;
        assert!(answer.status() == 200 && !answer.body.contains("href=\"/login/"), "{page}");
    }
    Person::enter(&site, "lobby", "Ada").await;
}

#[tokio::test]
async fn every_page_of_accounts_is_html_with_labels_and_autocomplete() {
    let site = Site::start().await;
    let mut ada = Visitor::registered(&site, "Ada").await;
    let (login, register) = (site.get("/login/").await, site.get("/register/").await);
    let (account, notifications) = (ada.get("/account/").await, ada.get("/notifications/").await);
    for (page, needed) in [
        (&login, vec!["autocomplete=\"username\"", "autocomplete=\"current-password\""]),
        (
            &register,
            vec!["autocomplete=\"username\"", "autocomplete=\"new-password\"", "autocomplete=\"email\""],
        ),
        (&account, vec!["autocomplete=\"current-password\"", "autocomplete=\"new-password\""]),
        (&notifications, vec!["name=\"to\"", "name=\"message\""]),
    ] {
        assert_eq!((page.status(), page.header("content-type")), (200, "text/html; charset=utf-8"));
        for needed in needed {
            assert!(page.body.contains(needed), "{needed}\n{}", page.body);
        }
        let fields = page.body.split("<input ").skip(1).map(|rest| rest.split_once('>').unwrap().0);
        let fields = fields.filter(|field| field.contains("-input\""));
        for field in fields {
            let id = field.split_once("id=\"").unwrap().1.split_once('"').unwrap().0;
            assert!(page.body.contains(&format!("<label for=\"{id}\"")), "{id} has no label");
        }
    }
}

/// The files of the site whose paths have this ending.
fn files(ending: &str) -> Vec<std::path::PathBuf> {
    let mut folders = vec![std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src")];
    folders.push(folders[0].with_file_name("templates"));
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false if path.to_str().unwrap().ends_with(ending) => found.push(path),
                false => {}
            }
        }
    }
    found
}

#[tokio::test]
async fn the_texts_of_all_pages_are_there_in_both_languages() {
    let site = Site::start().await;
    let words = site.get("/static/js/i18n.js").await.body;
    let (english, chinese) = words.split_once("const zh = {").unwrap();
    let mut keys = Vec::new();
    for template in files(".html") {
        let text = std::fs::read_to_string(template).unwrap();
        let named = text.split("data-i18n").skip(1).filter(|part| part.starts_with(['=', '-']));
        let named = named.filter_map(|part| part.split('"').nth(1));
        keys.extend(named.filter(|key| key.contains('.') && !key.contains(['{', ' '])).map(str::to_owned));
    }
    assert!(keys.len() > 60, "{keys:?}");
    for key in keys {
        for words in [english, chinese] {
            assert!(words.contains(&format!("'{key}':")), "{key}");
        }
    }
}

#[tokio::test]
async fn what_a_view_says_of_a_form_is_found_by_its_english_text_and_is_there_in_both_languages() {
    let site = Site::start().await;
    let words = site.get("/static/js/i18n.js").await.body;
    let (english, chinese) = words.split_once("const zh = {").unwrap();
    let mut texts = vec!["This field is required.".to_owned()];
    for view in files(".rs").iter().filter(|path| path.to_str().unwrap().contains("views")) {
        let text = std::fs::read_to_string(view).unwrap();
        let said = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        let quoted =
            said.flat_map(|line| line.split('"').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>());
        texts.extend(quoted.filter(|text| text.ends_with('.') && text.contains(' ')));
    }
    assert!(texts.len() > 15, "{texts:?}");
    for text in texts {
        let said = format!("'{}'", without_gaps(&text));
        let mut lines = english.lines().map(str::trim);
        let line = lines.find(|line| {
            (line.starts_with("'problem.") || line.starts_with("'said."))
                && without_gaps(line).contains(&said)
        });
        let key = line.unwrap_or_else(|| panic!("{text}")).split('\'').nth(1).unwrap();
        assert!(chinese.contains(&format!("'{key}':")), "{key}");
    }
}

/// Whatever the gaps in a text are called.
fn without_gaps(text: &str) -> String {
    let mut parts = text.split('{');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + "{}" + part.split_once('}').map_or("", |(_, rest)| rest))
}
