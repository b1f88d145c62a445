use axum::Router;
use axum::body::Body;
use http::{Method, Request, StatusCode};
use narrows::client;
use narrows::testing::{TestResponse, TestServer};

const PATHS: [fn() -> &'static str; 2] = [client::script_path, client::module_path];

async fn ask(method: Method, path: &str, known: Option<&str>) -> TestResponse {
    let mut request = Request::builder().method(method).uri(path);
    if let Some(tag) = known {
        request = request.header("if-none-match", tag);
    }
    let server = TestServer::new(Router::new().merge(client::routes()));
    server.request(request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn both_files_may_be_kept_for_a_year_and_have_a_hash_in_their_names() {
    for path in PATHS.map(|path| path()) {
        let response = ask(Method::GET, path, None).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.header("content-type"), Some("text/javascript; charset=utf-8"));
        assert_eq!(response.header("cache-control"), Some("public, max-age=31536000, immutable"));
        assert_eq!(response.header("x-content-type-options"), Some("nosniff"));
        let hash = path.split('.').nth(1).unwrap();
        assert!(hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()), "{path}");
        assert!(response.text().contains("narrows.welcome"));
    }
}

#[tokio::test]
async fn head_gives_the_headers_alone_and_a_known_file_is_not_sent_again() {
    for path in PATHS.map(|path| path()) {
        let get = ask(Method::GET, path, None).await;
        let head = ask(Method::HEAD, path, None).await;
        assert_eq!((head.status(), head.body().len()), (StatusCode::OK, 0));
        assert_eq!(head.header("content-length"), Some(&*get.body().len().to_string()));
        let known = ask(Method::GET, path, get.header("etag")).await;
        assert_eq!((known.status(), known.body().len()), (StatusCode::NOT_MODIFIED, 0));
        assert_eq!(ask(Method::POST, path, None).await.status(), StatusCode::METHOD_NOT_ALLOWED);
    }
    assert_eq!(ask(Method::GET, "/narrows/narrows.js", None).await.status(), StatusCode::NOT_FOUND);
}
