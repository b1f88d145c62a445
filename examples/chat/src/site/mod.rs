//! Pages and static files: everything that is not a socket.

mod file;

use axum::Router;
use axum::extract::OriginalUri;
use axum::http::{HeaderValue, StatusCode, Uri, header};
use axum::middleware::map_response;
use axum::response::{Redirect, Response};
use axum::routing::get;
use percent_encoding::{CONTROLS, utf8_percent_encode};

use file::File;

/// A file of the repository, in the binary.
macro_rules! file {
    // A macro, as `include_bytes!` takes only a literal.
    ($content_type:expr, $path:literal) => {
        File::new($content_type, include_bytes!(concat!("../../", $path)))
    };
}

const HTML: &str = "text/html; charset=utf-8";
const JAVASCRIPT: &str = "text/javascript; charset=utf-8";

/// Everything is from here, scripts and sockets too, and no page may be put in another site's frame.
const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; connect-src 'self'; object-src 'none'; \
     base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// The pages, what they load, and the site's own 404.
pub(crate) fn router() -> Router {
    let lost = file!(HTML, "templates/404.html");
    Router::new()
        .route("/", file!(HTML, "templates/index.html").route())
        .route("/chatone", file!(HTML, "templates/chatone.html").route())
        .route("/chatone/", get(without_slash))
        .route("/chatgroup", file!(HTML, "templates/chatgroup.html").route())
        .route("/chatgroup/", get(without_slash))
        .route("/chat/", file!(HTML, "templates/rooms.html").route())
        .route("/chat", get(with_slash))
        // A room without a name: axum's parameters may be empty in the middle of a path.
        .route("/chat//", get(|| async { Redirect::temporary("/chat/") }))
        .route("/chat/{room}/", file!(HTML, "templates/room.html").route())
        .route("/chat/{room}", get(with_slash))
        .nest("/static", files())
        .fallback(async move || lost.response(StatusCode::NOT_FOUND))
        .layer(map_response(secured))
}

fn files() -> Router {
    Router::new()
        .route("/app.css", file!("text/css; charset=utf-8", "static/app.css").route())
        .route("/favicon.svg", file!("image/svg+xml", "static/favicon.svg").route())
        .route("/js/composer.js", file!(JAVASCRIPT, "static/js/composer.js").route())
        .route("/js/group.js", file!(JAVASCRIPT, "static/js/group.js").route())
        .route("/js/i18n.js", file!(JAVASCRIPT, "static/js/i18n.js").route())
        .route("/js/index.js", file!(JAVASCRIPT, "static/js/index.js").route())
        .route("/js/log.js", file!(JAVASCRIPT, "static/js/log.js").route())
        .route("/js/name.js", file!(JAVASCRIPT, "static/js/name.js").route())
        .route("/js/one.js", file!(JAVASCRIPT, "static/js/one.js").route())
        .route("/js/plain.js", file!(JAVASCRIPT, "static/js/plain.js").route())
        .route("/js/room.js", file!(JAVASCRIPT, "static/js/room.js").route())
        .route("/js/rooms.js", file!(JAVASCRIPT, "static/js/rooms.js").route())
        .route("/js/socket.js", file!(JAVASCRIPT, "static/js/socket.js").route())
        .route("/js/status.js", file!(JAVASCRIPT, "static/js/status.js").route())
}

async fn with_slash(OriginalUri(uri): OriginalUri) -> Redirect {
    redirect(&uri, &format!("{}/", uri.path()))
}

async fn without_slash(OriginalUri(uri): OriginalUri) -> Redirect {
    redirect(&uri, uri.path().trim_end_matches('/'))
}

/// Not a permanent redirect: browsers remember those, and port 8000 will serve something else tomorrow.
fn redirect(uri: &Uri, path: &str) -> Redirect {
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    // A room's name may stand in the address as it is typed; in a header it may not.
    Redirect::temporary(&utf8_percent_encode(&format!("{path}{query}"), CONTROLS).to_string())
}

async fn secured(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(CONTENT_SECURITY_POLICY));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
