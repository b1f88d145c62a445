use std::{collections::BTreeMap, error::Error, sync::LazyLock};

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Request, StatusCode},
    response::IntoResponse,
    routing::{MethodRouter, any, get},
};
use narrows::{Captured, CapturedRejection, ConverterError, Resolved, RouteError, UrlRoutes, Value};
use proptest::proptest;
use serde::Deserialize;
use tower::ServiceExt;

#[derive(Deserialize)]
struct Vector {
    path: String,
    #[serde(default)]
    root_path: String,
    result: Outcome,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Outcome {
    Found { leaf: String, args: Vec<String>, kwargs: BTreeMap<String, Kwarg>, path_remaining: String },
    Failed {},
}

#[derive(Deserialize, Debug, PartialEq)]
#[serde(untagged)]
enum Kwarg {
    Text(String),
    Integer { int: String },
}

fn none() -> MethodRouter {
    any(async || ())
}

/// The routes that the vectors were made with, and how the vectors call them.
fn vector_routes() -> Result<UrlRoutes, RouteError> {
    let nest =
        UrlRoutes::new().path("in/<int:b>/", none())?.re_path("^x/(?P<c>.*)$", none())?.path("", none())?;
    let word = UrlRoutes::new().re_path(r"^(\w+)$", none())?;
    UrlRoutes::new()
        .path("", none())?
        .path("int/<int:n>/", none())?
        .path("str/<s>/", none())?
        .path("slug/<slug:s>/", none())?
        .path("uuid/<uuid:u>/", none())?
        .path("path/<path:p>", none())?
        .path_with("def/", [("d", 1)], none())?
        .re_path(r"^re/(\w+)/(\d+)/$", none())?
        .re_path(r"^named/(?P<a>\w+)/(\d+)/$", none())?
        .re_path("^open/", none())?
        .nest("nest/<slug:a>/", nest)?
        .nest_re(r"^ren/(?P<z>\d+)/", word.clone())?
        .nest_re(r"^mixed/(\d+)/", word)
}

fn pattern_of(leaf: &str) -> &str {
    match leaf {
        "root" => "",
        "int" => "int/<int:n>/",
        "str" => "str/<s>/",
        "slug" => "slug/<slug:s>/",
        "uuid" => "uuid/<uuid:u>/",
        "path" => "path/<path:p>",
        "def" => "def/",
        "re" => r"^re/(\w+)/(\d+)/$",
        "named" => r"^named/(?P<a>\w+)/(\d+)/$",
        "in" => "nest/<slug:a>/in/<int:b>/",
        "x" => "nest/<slug:a>/^x/(?P<c>.*)$",
        "nest-root" => "nest/<slug:a>/",
        "ren-in" => r"^ren/(?P<z>\d+)/^(\w+)$",
        "mixed-in" => r"^mixed/(\d+)/^(\w+)$",
        other => panic!("no such leaf: {other}"),
    }
}

#[test]
fn paths_resolve_as_in_channels() {
    let vectors: Vec<Vector> = serde_json::from_str(include_str!("../vectors/url_router.json")).unwrap();
    assert_eq!(vectors.len(), 24);
    for Vector { path, root_path, result } in vectors {
        let found = vector_routes().unwrap().root_path(&root_path).resolve(&path);
        match result {
            Outcome::Failed {} => assert_eq!(found, None, "{path}"),
            Outcome::Found { leaf, args, kwargs, path_remaining } => {
                let found = found.unwrap_or_else(|| panic!("no route for {path}"));
                assert_eq!(found.route(), pattern_of(&leaf), "{path}");
                let found_args: Vec<_> = found.args().iter().map(|value| value.as_str().unwrap()).collect();
                assert_eq!(found_args, args, "{path}");
                let named = found.kwargs().map(|(name, value)| (name.to_owned(), kwarg(value)));
                assert_eq!(named.collect::<BTreeMap<_, _>>(), kwargs, "{path}");
                assert_eq!(found.rest(), path_remaining, "{path}");
            }
        }
    }
}

fn kwarg(value: &Value) -> Kwarg {
    match value {
        Value::Text(text) => Kwarg::Text(text.to_string()),
        Value::Integer(int) => Kwarg::Integer { int: int.to_string() },
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_inner_router_without_a_match_gives_the_path_back() {
    let inner = UrlRoutes::new().path("b/", none()).unwrap();
    let routes = UrlRoutes::new().nest("a/", inner).unwrap().path("a/<rest>/", none()).unwrap();
    assert_eq!(routes.resolve("/a/b/").unwrap().route(), "a/b/");
    assert_eq!(routes.resolve("/a/c/").unwrap().route(), "a/<rest>/");
    assert_eq!(routes.resolve("/a//b/").unwrap().route(), "a/b/");
}

#[test]
fn optional_groups_that_took_no_part_are_left_out() {
    let routes = UrlRoutes::new().re_path(r"^n/(?:(?P<a>a)|(?P<b>b))/$", none()).unwrap();
    let routes = routes.re_path(r"^p/(?:(a)|(b))/$", none()).unwrap();
    let found = routes.resolve("/n/b/").unwrap();
    assert_eq!(found.kwargs().collect::<Vec<_>>(), [("b", &Value::from("b"))]);
    assert_eq!(routes.resolve("/p/b/").unwrap().args(), [Value::None, "b".into()]);
}

#[test]
fn defaults_override_what_was_captured_and_inner_values_the_outer_ones() {
    let inner = UrlRoutes::new().path("<int:a>/", none()).unwrap();
    let routes = UrlRoutes::new().path_with("d/<a>/", [("a", "x"), ("b", "y")], none()).unwrap();
    let routes = routes.nest("n/<str:a>/", inner).unwrap();
    let found = routes.resolve("/d/1/").unwrap();
    assert_eq!((found.get("a").unwrap(), found.get("b").unwrap()), (&"x".into(), &"y".into()));
    assert_eq!(routes.resolve("/n/one/2/").unwrap().get("a"), Some(&2.into()));
}

#[test]
fn an_expression_with_a_dollar_matches_in_full_as_django_has_it() {
    let routes = UrlRoutes::new().re_path("b/$", none()).unwrap().re_path(r"^z\Z", none()).unwrap();
    assert!(routes.resolve("/b/").is_some());
    assert!(routes.resolve("/ab/").is_none());
    assert!(routes.resolve("/b/\n").is_none());
    assert!(routes.resolve("/z").is_some() && routes.resolve("/z\n").is_none());
    let open = UrlRoutes::new().re_path("b/", none()).unwrap();
    assert_eq!(open.resolve("/ab/c").unwrap().rest(), "c");
}

#[test]
fn wrong_patterns_are_refused_when_they_are_added() {
    let path = |pattern: &str| UrlRoutes::new().path(pattern, none()).unwrap_err();
    assert!(matches!(path("/ws/"), RouteError::LeadingSlash { .. }));
    assert!(matches!(path("^ws/"), RouteError::LooksLikeRegex { .. }));
    assert!(matches!(path("ws/(?P<a>b)/"), RouteError::LooksLikeRegex { .. }));
    for brackets in ["<a", "a>", "<>", "<int: a>", "a<b<c>", "<a>>"] {
        assert!(matches!(path(brackets), RouteError::Brackets { .. }), "{brackets}");
    }
    for name in ["<int:1a>", "<int:>", "<a-b>", "<str:a:b>"] {
        assert!(matches!(path(name), RouteError::Name { .. }), "{name}");
    }
    assert!(matches!(path("<a>/<int:a>/"), RouteError::Twice { .. }));
    let unknown = path("<word:a>/").to_string();
    assert!(unknown.contains("`word`") && unknown.contains("int, path, slug, str, uuid"), "{unknown}");
}

#[test]
fn expressions_that_need_backtracking_are_refused_by_name() {
    for (pattern, feature) in [
        ("^a(?=b)", "look-ahead"),
        ("^a(?!b)", "look-ahead"),
        ("(?<=a)b", "look-behind"),
        ("(?<!a)b", "look-behind"),
        (r"^(a)\1$", "back-references"),
        ("^(?P<a>.)(?P=a)$", "back-references"),
        ("^(?>a)b", "atomic groups"),
    ] {
        let error = UrlRoutes::new().re_path(pattern, none()).unwrap_err();
        assert!(matches!(error, RouteError::Unsupported { .. }), "{error:?}");
        let text = error.to_string();
        assert!(text.contains(feature) && text.contains(pattern), "{text}");
    }
    let error = UrlRoutes::new().nest_re("^a(", UrlRoutes::new()).unwrap_err();
    assert!(matches!(error, RouteError::Regex { .. }) && error.source().is_some());
    let slash = UrlRoutes::new().re_path("^/ws/$", none()).unwrap_err();
    assert!(matches!(slash, RouteError::LeadingSlash { .. }));
    assert!(UrlRoutes::new().re_path(r"^[(?=]\\1(?P<b>.)$", none()).is_ok());
}

#[test]
fn a_custom_converter_is_known_by_its_name() {
    let routes = UrlRoutes::new().converter("year", "(19|20)[0-9]{2}").unwrap();
    let routes = routes.path("<year:y>/<slug:s>/", none()).unwrap();
    let found = routes.resolve("/1999/party/").unwrap();
    assert_eq!((found.get("y").unwrap(), found.get("s").unwrap()), (&"1999".into(), &"party".into()));
    assert!(found.args().is_empty() && routes.resolve("/1899/party/").is_none());

    let add = |name, regex| UrlRoutes::new().converter(name, regex).unwrap_err();
    assert!(matches!(add("int", "-?[0-9]+"), ConverterError::Taken { .. }));
    assert!(matches!(add("a:b", "x"), ConverterError::Name { .. }));
    assert!(matches!(add("a", "(?P<b>x)"), ConverterError::NamedGroups { .. }));
    assert!(matches!(add("a", "(?=x)"), ConverterError::Regex { .. }));
}

async fn send(app: &Router, method: &str, path: &str) -> (StatusCode, String) {
    let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
    let response = app.clone().oneshot(request).await.unwrap();
    let status = response.status();
    let body = to_bytes(response.into_body(), 4096).await.unwrap();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

async fn get_from(routes: UrlRoutes, path: &str) -> (StatusCode, String) {
    send(&routes.into_router(), "GET", path).await
}

async fn echo(Captured(text): Captured<String>) -> String {
    text
}

fn echoing() -> UrlRoutes {
    UrlRoutes::new().path("echo/<text>/", get(echo)).unwrap()
}

#[tokio::test]
async fn the_router_merges_and_nests_into_others() {
    let app: Router = Router::new().route("/", get(async || "home")).merge(echoing().into_router());
    assert_eq!(send(&app, "GET", "/").await.1, "home");
    assert_eq!(send(&app, "GET", "/echo/a/").await.1, "a");
    assert_eq!(send(&app, "POST", "/echo/a/").await.0, StatusCode::METHOD_NOT_ALLOWED);

    let app: Router = Router::new().nest("/site", echoing().into_router());
    assert_eq!(send(&app, "GET", "/site/echo/b/").await.1, "b");
    let app: Router = Router::new().fallback_service(echoing().into_router::<()>());
    assert_eq!(send(&app, "GET", "/echo/c/").await.1, "c");
}

#[tokio::test]
async fn a_path_without_a_route_is_a_404_or_goes_to_the_fallback() {
    assert_eq!(get_from(echoing(), "/nothere").await.0, StatusCode::NOT_FOUND);
    assert_eq!(get_from(echoing().root_path("/app"), "/echo/a/").await.0, StatusCode::NOT_FOUND);
    assert_eq!(get_from(echoing().root_path("/app"), "/app/echo/a/").await.1, "a");
    let routes = echoing().fallback(any(async || "elsewhere"));
    assert_eq!(get_from(routes, "/nothere").await.1, "elsewhere");
}

#[tokio::test]
async fn the_path_is_decoded_before_it_is_matched() {
    assert_eq!(get_from(echoing(), "/echo/%E5%85%B3/").await.1, "关");
    assert_eq!(get_from(echoing(), "/%65cho/a%20b/?q=1").await.1, "a b");
    assert_eq!(get_from(echoing(), "/echo/a%2Fb/").await.0, StatusCode::NOT_FOUND);
    assert_eq!(get_from(echoing(), "/echo/%zz/").await.1, "%zz");
    assert_eq!(get_from(echoing(), "/echo/%ff/").await.0, StatusCode::BAD_REQUEST);
}

/// What `Captured<T>` gives for a path.
async fn capture<T>(pattern: &str, path: &str) -> Result<T, StatusCode>
where
    T: serde::de::DeserializeOwned + Send + Sync + Clone + 'static,
{
    let handler = get(async |Captured(value): Captured<T>| axum::Extension(Some(value)));
    let app: Router = UrlRoutes::new().re_path(pattern, handler).unwrap().into_router();
    let request = Request::builder().uri(path).body(Body::empty()).unwrap();
    let mut response = app.oneshot(request).await.unwrap();
    let status = response.status();
    response.extensions_mut().remove::<Option<T>>().flatten().ok_or(status)
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
struct Seat {
    room: String,
    seat: u32,
    side: Option<Side>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Side {
    Left,
    Right,
}

const SEAT: &str = r"^(?P<room>\w+)/(?P<seat>\d+)/(?P<side>\w+)?$";

#[tokio::test]
async fn a_struct_takes_the_named_values() {
    let seat = |side| Ok(Seat { room: "blue".into(), seat: 7, side });
    assert_eq!(capture(SEAT, "/blue/7/left").await, seat(Some(Side::Left)));
    assert_eq!(capture(SEAT, "/blue/7/right").await, seat(Some(Side::Right)));
    assert_eq!(capture(SEAT, "/blue/7/").await, seat(None));
    let map = capture::<BTreeMap<String, String>>(SEAT, "/blue/7/").await.unwrap();
    assert_eq!(map, [("room", "blue"), ("seat", "7")].map(|(k, v)| (k.into(), v.into())).into());
}

#[tokio::test]
async fn a_tuple_takes_the_values_in_their_order() {
    assert_eq!(capture(r"^(\w+)/(\d+)$", "/a/7").await, Ok(("a".to_owned(), 7_u8)));
    assert_eq!(capture(SEAT, "/blue/7/").await, Ok(("blue".to_owned(), 7_i64)));
    assert_eq!(capture(r"^x(a)?(b)$", "/xb").await, Ok((None::<String>, 'b')));
    assert_eq!(capture(r"^(.)(.)(.)$", "/xyz").await, Ok(vec!['x', 'y', 'z']));
}

#[tokio::test]
async fn a_single_type_takes_the_only_value() {
    assert_eq!(capture("^(?P<n>.+)$", "/1.5").await, Ok(1.5_f64));
    assert_eq!(capture("^(.+)$", "/true").await, Ok(true));
    assert_eq!(capture("^(.+)$", "/left").await, Ok(Side::Left));
    assert_eq!(capture("^(.+)?$", "/").await, Ok(None::<u8>));
    assert_eq!(capture("^nothing$", "/nothing").await, Ok(()));
}

#[tokio::test]
async fn a_value_that_does_not_fit_is_a_404() {
    assert_eq!(capture::<Seat>(SEAT, "/blue/4294967296/").await, Err(StatusCode::NOT_FOUND));
    assert_eq!(capture::<Seat>(SEAT, "/blue/7/middle").await, Err(StatusCode::NOT_FOUND));
    assert_eq!(capture::<u8>("^(.+)$", "/-1").await, Err(StatusCode::NOT_FOUND));
}

#[tokio::test]
async fn a_type_that_no_path_could_fit_is_a_500() {
    let wrong = StatusCode::INTERNAL_SERVER_ERROR;
    assert_eq!(capture::<Seat>("^(?P<room>.+)$", "/blue").await, Err(wrong));
    assert_eq!(capture::<(u8, u8)>("^(.)$", "/1").await, Err(wrong));
    assert_eq!(capture::<(u8,)>("^(.)(.)$", "/12").await, Err(wrong));
    assert_eq!(capture::<u8>("^(.)(.)$", "/12").await, Err(wrong));
    assert_eq!(capture::<u8>("^nothing$", "/nothing").await, Err(wrong));
    assert_eq!(capture::<(String, String)>("^(a)?(b)$", "/b").await, Err(wrong));
    assert_eq!(capture::<Vec<Vec<u8>>>("^(.)$", "/1").await, Err(wrong));
}

#[tokio::test]
async fn numbers_are_kept_whatever_their_size() {
    let number = get(async |Captured(n): Captured<u128>| n.to_string());
    let text = get(async |Captured(n): Captured<String>| n);
    let routes = UrlRoutes::new().path("n/<int:n>/", number).unwrap().path("t/<int:n>/", text).unwrap();
    let app = routes.into_router();
    assert_eq!(send(&app, "GET", "/n/0099999999999999999999/").await.1, "99999999999999999999");
    let huge = "9".repeat(60);
    assert_eq!(send(&app, "GET", &format!("/t/{huge}/")).await.1, huge);
    assert_eq!(send(&app, "GET", &format!("/n/{huge}/")).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn captured_outside_of_its_routes_is_a_500() {
    let app = Router::new().route("/{text}", get(echo));
    assert_eq!(send(&app, "GET", "/a").await.0, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(CapturedRejection::NotRouted.into_response().status(), StatusCode::INTERNAL_SERVER_ERROR);
}

#[tokio::test]
async fn a_handler_may_ask_for_all_that_was_resolved() {
    let handler = get(async |found: Resolved| format!("{} {}", found.route(), found.rest()));
    let routes = UrlRoutes::new().re_path("^open/", handler).unwrap();
    assert_eq!(get_from(routes, "/open/a/b").await.1, "^open/ a/b");
}

#[test]
fn the_debug_form_shows_the_tree_of_patterns() {
    let inner = UrlRoutes::new().path("b/", none()).unwrap();
    let routes = UrlRoutes::new().path("", none()).unwrap().nest("a/", inner).unwrap();
    assert_eq!(format!("{routes:?}"), r#"UrlRoutes { root_path: "", routes: ["", {"a/": ["b/"]}] }"#);
}

proptest! {
    #[test]
    fn no_path_and_no_pattern_makes_the_routes_panic(
        path in "(?s).{0,30}", pattern in r"[a\^$(?P<>:)\\Z1int/é]{0,16}",
    ) {
        static ROUTES: LazyLock<UrlRoutes> = LazyLock::new(|| vector_routes().unwrap());
        let _found = ROUTES.resolve(&path);
        let routes = UrlRoutes::new();
        let _found = routes.resolve(&path);
        for routes in [routes.clone().path(&pattern, none()), routes.re_path(&pattern, none())].into_iter().flatten() {
            let _found = routes.resolve(&path);
        }
    }
}
