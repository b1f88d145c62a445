use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::routing::{get, post};
use http::StatusCode;

use super::kit::{Site, send};

async fn app() -> Router {
    let site = Site::new().await;
    let csrf = site.accounts.csrf().exempt("/hooks/{name}").trusted_origin("https://shop.example").unwrap();
    let nested = Router::new().route("/in", post(|| async {}));
    Router::new()
        .route("/change", get(|| async {}).post(|| async {}).put(|| async {}).delete(|| async {}))
        .route("/hooks/{name}", post(|| async {}))
        .nest("/hooks/{name}/nested", nested)
        .layer(csrf)
        .layer(site.accounts.layer())
}

async fn status(app: &Router, method: &str, path: &str, headers: &[(&str, &str)]) -> StatusCode {
    let mut request = Request::builder().method(method).uri(path).header("host", "site.example");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    send(app, request.body(Body::empty()).unwrap()).await.status
}

const CROSS: (&str, &str) = ("sec-fetch-site", "cross-site");
const EVIL: (&str, &str) = ("origin", "https://evil.example");
const SESSION: (&str, &str) = ("cookie", "theme=dark; sessionid=abcdefghijklmnop");

#[tokio::test]
async fn what_another_site_sends_is_refused() {
    let app = app().await;
    for method in ["POST", "PUT", "DELETE"] {
        for headers in [
            &[CROSS, SESSION][..],
            &[("sec-fetch-site", "same-site")],
            &[EVIL, SESSION],
            &[("origin", "null")],
        ] {
            assert_eq!(status(&app, method, "/change", headers).await, StatusCode::FORBIDDEN, "{headers:?}");
        }
    }
}

#[tokio::test]
async fn what_the_site_itself_and_what_no_browser_sends_passes() {
    let app = app().await;
    let own = ("origin", "https://site.example");
    for headers in [
        &[][..],
        &[SESSION],
        &[("sec-fetch-site", "same-origin"), SESSION],
        &[("sec-fetch-site", "none")],
        &[own],
    ] {
        assert_eq!(status(&app, "POST", "/change", headers).await, StatusCode::OK, "{headers:?}");
    }
}

#[tokio::test]
async fn who_only_looks_passes() {
    assert_eq!(status(&app().await, "GET", "/change", &[CROSS, EVIL, SESSION]).await, StatusCode::OK);
}

#[tokio::test]
async fn a_trusted_origin_passes_and_none_that_looks_like_it() {
    let app = app().await;
    let from = async |origin| status(&app, "POST", "/change", &[CROSS, ("origin", origin), SESSION]).await;
    assert_eq!(from("https://shop.example").await, StatusCode::OK);
    for origin in [
        "http://shop.example",
        "https://shop.example:444",
        "https://shop.example.evil.example",
        "https://SHOP.example",
    ] {
        assert_eq!(from(origin).await, StatusCode::FORBIDDEN, "{origin}");
    }
}

#[tokio::test]
async fn an_exempt_route_passes_and_no_other() {
    let app = app().await;
    assert_eq!(status(&app, "POST", "/hooks/bank", &[CROSS, EVIL]).await, StatusCode::OK);
    assert_eq!(status(&app, "POST", "/hooks/bank/nested/in", &[CROSS, EVIL]).await, StatusCode::FORBIDDEN);
    assert_eq!(status(&app, "POST", "/change", &[CROSS, EVIL]).await, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_token_passes_unless_a_session_comes_with_it_or_the_browser_keeps_it() {
    let app = app().await;
    let with = async |authorization, more: &[(&str, &str)]| {
        let headers = [&[CROSS, EVIL, ("authorization", authorization)], more].concat();
        status(&app, "POST", "/change", &headers).await
    };
    assert_eq!(with("Token x", &[]).await, StatusCode::OK);
    assert_eq!(with("Bearer x", &[("cookie", "theme=dark; mysessionid=1")]).await, StatusCode::OK);
    assert_eq!(with("Token x", &[SESSION]).await, StatusCode::FORBIDDEN);
    assert_eq!(with("Token x", &[("cookie", "a=b"), ("cookie", "sessionid")]).await, StatusCode::FORBIDDEN);
    for kept in ["Basic x", "basic x", "Digest x", "Negotiate x", "NTLM x", "", " "] {
        assert_eq!(with(kept, &[]).await, StatusCode::FORBIDDEN, "{kept}");
    }
    assert_eq!(with("Token x", &[("authorization", "Basic x")]).await, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn what_is_no_origin_cannot_be_trusted() {
    let site = Site::new().await;
    for origin in
        ["shop.example", "https://shop.example/path", "https://*.shop example", "ftp://shop.example", ""]
    {
        assert!(site.accounts.csrf().trusted_origin(origin).is_err(), "{origin}");
    }
}
