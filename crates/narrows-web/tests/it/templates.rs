//! What templates can use, and what happens to mistakes in them.

use std::ffi::OsString;

use axum::routing::get;
use narrows_web::minijinja::Value;
use narrows_web::minijinja::value::Serde;
use narrows_web::narrows::serve::settings::{Command, Settings};
use narrows_web::testing::TestSite;
use narrows_web::{App, Page, Project, Routes, Site, context};
use serde_json::json;
use tempfile::TempDir;

use crate::pages::{folder, get as ask, project_of, write};

/// What a template of this text makes of these names.
async fn rendered(text: &str, more: Value) -> String {
    let (_root, site) = of_texts(&[text]).await;
    site.render_text("0.html", more).unwrap()
}

/// A site with a template for each of these texts: `0.html`, `1.html` …, and its folder.
async fn of_texts(texts: &[&str]) -> (TempDir, Site) {
    let root = folder(&[("static/a b.css", "")]);
    for (number, text) in texts.iter().enumerate() {
        write(root.path(), &format!("templates/{number}.html"), text);
    }
    let site = project_of(&root).app(app()).test().await.site().clone();
    (root, site)
}

/// What templates of these texts make of these names, or what is wrong with them.
async fn all_rendered(texts: &[&str], more: Value) -> Vec<Result<String, String>> {
    let (_root, site) = of_texts(texts).await;
    let rendered = (0..texts.len()).map(|number| site.render_text(&format!("{number}.html"), more.clone()));
    rendered.map(|rendered| rendered.map_err(|error| error.to_string())).collect()
}

/// As `all_rendered`, of texts that each make the one beside it.
async fn all_make(texts: &[(&str, &str)], more: Value) {
    let made = all_rendered(&texts.iter().map(|(text, _)| *text).collect::<Vec<_>>(), more).await;
    for ((text, expected), made) in texts.iter().zip(made) {
        assert_eq!(made.as_deref(), Ok(*expected), "{text}");
    }
}

fn app() -> App {
    App::new("chat").routes(|_| {
        Routes::new()
            .route("room", "/chat/{room}/", get(|| async {}))
            .route("page", "/page/", get(async |page: Page| page.render("page.html", context! {})))
            .route("same", "/same/", get(same))
            .route(
                "own",
                "/own/",
                get(async |page: Page| page.render("page.html", context! { user => "mine" })),
            )
            .route("part", "/part/", get(part))
    })
}

async fn same(page: Page) -> narrows_web::Result {
    page.render("same.html", context! {})
}

async fn part(page: Page) -> narrows_web::Result {
    let template = if page.is_htmx() { "part.html" } else { "same.html" };
    page.render(template, context! {})
}

async fn site() -> TestSite {
    let root = folder(&[
        (
            "templates/page.html",
            "{{ request.path }}?{{ request.query }} {% if user %}{{ user.username or user }}{% endif %}",
        ),
        ("templates/same.html", "the same"),
        ("templates/part.html", "a part"),
        ("templates/mail.txt", "{{ name }}"),
    ]);
    project_of(&root).app(app()).test().await
}

#[tokio::test]
async fn addresses_are_made_of_names_and_values() {
    let text = "{{ url_for('chat:room', room='a/b c?é', _query={'page': 2, 'q': 'a&b', 'no': none, 'tag': ['x', 'y']}) }}";
    let page = rendered(text, context! {}).await;
    assert_eq!(page.split_once('?').unwrap().0, "/chat/a%2Fb%20c%3F%C3%A9/");
    for pair in ["page=2", "q=a%26b", "tag=x&amp;tag=y"] {
        assert!(page.contains(pair), "{page}");
    }
    assert!(!page.contains("no="), "{page}");
}

#[tokio::test]
async fn a_template_can_ask_for_a_route_and_knows_the_client_and_the_mode() {
    let text = "{{ has_route('chat:room') }} {{ has_route('accounts:login') }} {{ development }} {{ client_module }}";
    let page = rendered(text, context! {}).await;
    assert!(page.starts_with("true false false /narrows/narrows."), "{page}");
}

#[tokio::test]
async fn what_a_template_cannot_find_is_an_error_that_says_what_and_where() {
    let expected = [
        ("\n{{ url_for('chat:lobby') }}", "no route is called `chat:lobby` (in 0.html:2)"),
        ("{{ url_for('chat:room') }}", "the route `chat:room` needs a `room`"),
        ("{{ url_for('chat:room', room='a', colour='b') }}", "the route `chat:room` has no `colour`"),
        ("{{ url_for('chat:room', room='..') }}", "cannot be \"..\""),
        ("{{ static('gone.css') }}", "there is no static file `gone.css`"),
        ("\n\n{{ rom }}", "(in 5.html:3)"),
        ("{{ 'a'|shout }}", "shout"),
        ("{% include 'gone.html' %}", "gone.html"),
        ("{% extends 'gone.html' %}", "there is no template `gone.html` in /"),
        ("{% include '9.html' %}", "error in \"9.html\""),
    ];
    let errors = all_rendered(&expected.map(|(text, _)| text), context! {}).await;
    for ((_, expected), error) in expected.iter().zip(errors) {
        assert!(error.as_ref().is_err_and(|error| error.contains(expected)), "{expected}: {error:?}");
    }
}

#[tokio::test]
async fn a_name_that_may_be_missing_is_asked_for_or_has_a_default() {
    let text = "{% if title %}{{ title }}{% endif %}{{ title|default('none') }}{{ title is defined }}";
    assert_eq!(rendered(text, context! {}).await, "nonefalse");
}

#[tokio::test]
async fn html_is_escaped_and_json_may_stand_in_a_script() {
    let text = "{{ name }}<script>let a = {{ data|json }};</script>";
    let data = Value::from(Serde(json!({ "x": "</script><!--'&" })));
    let page = rendered(text, context! { name => "<b>'\"&", data }).await;
    assert!(page.starts_with("&lt;b&gt;&#x27;&quot;&amp;<script>"), "{page}");
    assert_eq!(page.matches("</script>").count(), 1, "{page}");
    assert!(!page.contains("<!--"), "{page}");
}

#[tokio::test]
async fn a_text_that_is_no_html_is_not_escaped() {
    assert_eq!(site().await.site().render_text("mail.txt", context! { name => "<Ada>" }).unwrap(), "<Ada>");
}

#[tokio::test]
async fn blocks_leave_no_empty_lines() {
    assert_eq!(
        rendered("<ul>\n  {% for n in [1, 2] %}\n  <li>{{ n }}\n  {% endfor %}\n</ul>", context! {}).await,
        "<ul>\n  <li>1\n  <li>2\n</ul>"
    );
}

#[tokio::test]
async fn a_name_of_a_static_file_is_percent_encoded() {
    assert_eq!(rendered("{{ static('a b.css') }}", context! {}).await, "/static/a%20b.css");
}

#[tokio::test]
async fn filters_of_django_are_there() {
    let texts = [
        ("{{ 1|pluralize }}{{ 2|pluralize }}{{ [1]|pluralize('y,ies') }}{{ 0|pluralize('y,ies') }}", "syies"),
        ("{{ 1234567|intcomma }} {{ -12|intcomma }} {{ 1234.5|intcomma }}", "1,234,567 -12 1,234.5"),
        (
            "{{ 1|filesizeformat }}, {{ 1536|filesizeformat }}, {{ 5000000|filesizeformat }}",
            "1 byte, 1.5 KB, 4.8 MB",
        ),
        ("{{ 'one two  three'|truncatewords(2) }} {{ 'a b'|truncatewords(2) }}", "one two … a b"),
        ("{{ 'abcdef'|truncatechars(4) }} {{ 'äöü'|truncatechars(3) }}", "abc… äöü"),
        ("{{ 'a<\nb\n\nc'|linebreaks }}", "<p>a&lt;<br>b</p>\n\n<p>c</p>"),
        ("{{ 'a\r\nb'|linebreaksbr }}", "a<br>b"),
        (
            "{{ 34.26|floatformat }} {{ 34.0|floatformat }} {{ '7'|floatformat(2) }} {{ -0.01|floatformat(1) }}",
            "34.3 34 7.00 0.0",
        ),
        (
            "{{ true|yesno }} {{ 0|yesno('on,off') }} {{ none|yesno('on,off') }} {{ none|yesno }}",
            "yes off off maybe",
        ),
        ("{{ none|default_if_none('-') }} {{ 0|default_if_none('-') }}", "- 0"),
        (
            "{{ ['</script>']|json_script('a\"') }}",
            "<script id=\"a&quot;\" type=\"application/json\">[\"\\u003c/script\\u003e\"]</script>",
        ),
    ];
    all_make(&texts, context! {}).await;
}

const FILTERS: [&str; 12] = [
    "date",
    "timesince",
    "naturaltime",
    "pluralize",
    "intcomma",
    "filesizeformat",
    "linebreaks",
    "linebreaksbr",
    "urlize",
    "truncatewords(3)",
    "truncatechars(3)",
    "json",
];

#[tokio::test]
async fn filters_make_nothing_of_nothing() {
    let texts = FILTERS.map(|filter| format!("[{{{{ none|{filter} }}}}]"));
    let made = all_rendered(&texts.each_ref().map(String::as_str), context! {}).await;
    for (filter, made) in FILTERS.iter().zip(made) {
        let expected = if *filter == "json" { "[null]" } else { "[]" };
        assert_eq!(made.as_deref(), Ok(expected), "{filter}");
    }
    assert_eq!(rendered("{{ none|length }}", context! {}).await, "0");
}

#[tokio::test]
async fn a_name_that_nobody_gave_is_an_error_of_every_filter() {
    let texts = FILTERS.map(|filter| format!("{{{{ rom|{filter} }}}}"));
    let made = all_rendered(&texts.each_ref().map(String::as_str), context! {}).await;
    for (filter, made) in FILTERS.iter().zip(made) {
        assert!(
            made.as_ref().is_err_and(|error| error.contains("a name that nobody gave")),
            "{filter}: {made:?}"
        );
    }
}

#[tokio::test]
async fn what_is_sent_as_a_page_is_escaped_as_one_whatever_its_name_ends_in() {
    let root = folder(&[]);
    let expected = [
        ("page", "text/html; charset=utf-8", "&lt;"),
        ("page.html", "text/html; charset=utf-8", "&lt;"),
        ("page.html.j2", "text/html; charset=utf-8", "&lt;"),
        ("page.tmpl", "text/html; charset=utf-8", "&lt;"),
        ("page.xhtml", "application/xhtml+xml; charset=utf-8", "&lt;"),
        ("card.svg", "image/svg+xml", "&lt;"),
        ("feed.rss", "application/rss+xml; charset=utf-8", "&lt;"),
        ("sitemap.xml", "application/xml; charset=utf-8", "&lt;"),
        ("mail.txt", "text/plain; charset=utf-8", "<"),
        ("mail.txt.jinja", "text/plain; charset=utf-8", "<"),
        ("data.json", "application/json", "\"<\""),
    ];
    for (name, _, _) in expected {
        write(root.path(), &format!("templates/{name}"), "{{ sign }}");
    }
    let site = project_of(&root).test().await;
    for (name, kind, text) in expected {
        let page = site.site().render(name, context! { sign => "<" }).unwrap();
        assert_eq!(page.headers()["content-type"], kind, "{name}");
        assert_eq!(site.site().render_text(name, context! { sign => "<" }).unwrap(), text, "{name}");
    }
}

#[tokio::test]
async fn addresses_in_a_text_become_links_and_nothing_else_becomes_html() {
    let expected = [
        (
            "see https://a.example/x?y=1&z.",
            "see <a href=\"https://a.example/x?y=1&amp;z\" rel=\"nofollow\">https://a.example/x?y=1&amp;z</a>.",
        ),
        ("(www.a.example)", "(<a href=\"https://www.a.example\" rel=\"nofollow\">www.a.example</a>)"),
        (
            "https://a.example/x_(y)",
            "<a href=\"https://a.example/x_(y)\" rel=\"nofollow\">https://a.example/x_(y)</a>",
        ),
        ("<b>javascript:alert(1)", "&lt;b&gt;javascript:alert(1)"),
        (
            "https://\"onclick=x",
            "<a href=\"https://&quot;onclick=x\" rel=\"nofollow\">https://&quot;onclick=x</a>",
        ),
        ("xhttps://a.example http:// www.", "xhttps://a.example http:// www."),
    ];
    let (_root, site) = of_texts(&["{{ text|urlize }}"]).await;
    for (text, expected) in expected {
        assert_eq!(site.render_text("0.html", context! { text }).unwrap(), expected, "{text}");
    }
}

#[tokio::test]
async fn times_are_written_as_they_are_asked_for() {
    let (_root, site) = of_texts(&["{{ time|date(format) }}", "{{ 0|date }}"]).await;
    for (time, format, expected) in [
        ("2026-11-21T23:05:09Z", "%d.%m.%Y %H:%M", "21.11.2026 23:05"),
        ("2026-11-21 23:05:09.123456", "j F Y, H:i", "21 November 2026, 23:05"),
        ("2026-11-21T23:05:09+02:00", "D, d M y g:i a \\a\\t", "Sat, 21 Nov 26 11:05 p.m. at"),
        ("2026-11-21", "Y-m-d H:i", "2026-11-21 00:00"),
        ("2026-11-21 23:05:09 UTC", "c", "2026-11-21T23:05:09+00:00"),
    ] {
        let made = site.render_text("0.html", context! { time, format }).unwrap();
        assert_eq!(made, expected, "{time}");
    }
    assert_eq!(site.render_text("1.html", context! {}).unwrap(), "1 January 1970, 00:00");
}

#[tokio::test]
async fn djangos_letters_say_what_they_say_there() {
    let (_root, site) = of_texts(&["{{ time|date(format) }}"]).await;
    for (time, format, expected) in [
        ("2028-02-01T00:00:00Z", "jS N, t, L, P", "1st Feb., 29, True, midnight"),
        ("2026-09-02T12:00:00Z", "jS N, t, L, P", "2nd Sept., 30, False, noon"),
        ("2026-05-03T13:30:00Z", "jS b, f, P", "3rd may, 1:30, 1:30 p.m."),
        ("2026-05-11T09:00:00Z", "jS, f a A", "11th, 9 a.m. AM"),
        ("2026-05-23T09:00:00+02:00", "jS O Z e", "23rd +0200 7200 +02:00"),
        ("2026-05-30T09:00:00Z", "jS e, r", "30th UTC, Sat, 30 May 2026 09:00:00 +0000"),
    ] {
        let made = site.render_text("0.html", context! { time, format }).unwrap();
        assert_eq!(made, expected, "{format}");
    }
}

#[tokio::test]
async fn how_long_ago_something_was_is_said_in_words() {
    let texts = [
        ("{{ '2026-11-21T00:00:00Z'|timesince('2026-11-24T04:30:00Z') }}", "3 days, 4 hours"),
        ("{{ '2026-11-21T00:00:00Z'|timesince('2027-11-21T06:00:00Z') }}", "1 year"),
        ("{{ '2026-11-21T00:00:00Z'|timesince('2026-11-20T00:00:00Z') }}", "0 minutes"),
    ];
    all_make(&texts, context! {}).await;
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let text = "{{ past|naturaltime }}, {{ future|naturaltime }}";
    let page = rendered(text, context! { past => now - 3 * 3600, future => now + 2 * 86400 + 600 }).await;
    assert_eq!(page, "3 hours ago, in 2 days");
}

#[tokio::test]
async fn what_is_no_time_is_an_error() {
    let texts = ["{{ 'soon'|date }}", "{{ 0|date('%Q') }}", "{{ 0|date('%#z') }}"];
    let errors = all_rendered(&texts, context! {}).await;
    let expected = ["`soon` is no time", "`%Q` is no format of a date", "`%#z` is no format of a date"];
    for (expected, error) in expected.iter().zip(errors) {
        assert!(error.as_ref().is_err_and(|error| error.contains(expected)), "{expected}: {error:?}");
    }
}

#[tokio::test]
async fn a_project_adds_filters_and_names_of_its_own() {
    let root = folder(&[("templates/t.html", "{{ title|shout }}")]);
    let project = project_of(&root).templates(|environment| {
        environment.add_filter("shout", |text: String| text.to_uppercase());
        environment.add_global("title", "my site");
    });
    assert_eq!(project.test().await.site().render_text("t.html", context! {}).unwrap(), "MY SITE");
}

#[tokio::test]
async fn a_page_that_names_its_reader_is_kept_by_nobody() {
    let site = site().await;
    let page = site.get("/page/?a=b").await;
    assert_eq!(page.text(), "/page/?a=b ");
    assert_eq!(page.header("cache-control"), Some("private, no-store"));
    assert!(page.header("vary").unwrap().contains("cookie"));
    let same = site.get("/same/").await;
    assert_eq!((same.header("cache-control"), same.header("vary")), (None, None));
    site.log_in(&site.user("ada").await).await;
    assert!(site.get("/page/").await.contains("ada"));
    assert_eq!(site.get("/same/").await.header("cache-control"), Some("private, no-store"));
    assert!(site.get("/own/").await.contains("mine"), "what the view names counts more");
}

#[tokio::test]
async fn htmx_gets_the_part_that_it_asks_for() {
    let site = site().await;
    assert_eq!(site.get("/part/").await.text(), "the same");
    let part = ask(&site, "/part/", &[("hx-request", "true")]).await;
    assert_eq!((part.text(), part.header("vary").unwrap().contains("hx-request")), ("a part", true));
    let whole = ask(&site, "/part/", &[("hx-request", "true"), ("hx-boosted", "true")]).await;
    assert_eq!(whole.text(), "the same");
}

#[tokio::test]
async fn while_the_accounts_are_away_a_page_is_a_guests() {
    let site = site().await;
    site.log_in(&site.user("ada").await).await;
    site.site().database().run(async |pool| pool.clone().close().await).await.unwrap();
    let page = site.get("/page/").await;
    assert_eq!((page.status().as_u16(), page.text()), (200, "/page/? "));
}

#[tokio::test]
async fn templates_ask_for_the_user_as_in_django() {
    let text = "{% if user %}in{% else %}out{% endif %} {{ user.is_authenticated }} {{ user.is_staff }} [{{ user }}] [{{ user.username }}]";
    let root = folder(&[("templates/page.html", text)]);
    let site = project_of(&root).app(app()).test().await;
    assert_eq!(site.get("/page/").await.text(), "out false false [] []");
    site.log_in(&site.user("ada").await).await;
    assert_eq!(site.get("/page/").await.text(), "in true false [ada] [ada]");
}

#[tokio::test]
async fn in_production_a_mistake_in_a_name_hurts_nobody() {
    let gaps = "[{{ rom }}{{ rom.owner.name }}{% for x in rom.all %}x{% endfor %}] {{ static('gone.css') }}";
    let root = folder(&[("templates/t.html", gaps)]);
    for (number, filter) in FILTERS.iter().enumerate() {
        write(root.path(), &format!("templates/{number}.html"), &format!("{{{{ rom.x|{filter} }}}}"));
    }
    let project: Project = project_of(&root);
    let settings = ["--development=off", "--database-url=sqlite::memory:", "--secret-key=of-a-test"];
    let loaded = Settings::load(&project.program(), settings.map(OsString::from), [("", ""); 0]);
    let Command::Run(loaded) = loaded.unwrap() else { panic!("a text") };
    let opened = project.open(*loaded).await.unwrap();
    assert_eq!(opened.site().render_text("t.html", context! {}).unwrap(), "[] /static/gone.css");
    for number in 0..FILTERS.len() {
        let made = opened.site().render_text(&format!("{number}.html"), context! {}).unwrap();
        assert!(made.is_empty() || made == "null", "{made}");
    }
}
