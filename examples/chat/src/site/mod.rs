//! Pages and static files: everything that is not a socket.

mod file;
mod page;

use axum::Router;
use axum::extract::OriginalUri;
use axum::http::{HeaderValue, StatusCode, Uri, header};
use axum::middleware::map_response;
use axum::response::{Redirect, Response};
use axum::routing::{MethodRouter, get};
use minijinja::Value;
use narrows::client;
use percent_encoding::{CONTROLS, utf8_percent_encode};

use self::file::File;
use self::page::Templates;
pub(crate) use self::page::{Page, Reader};
use crate::accounts::LogIn;
use crate::announcement::Announce;
use crate::bot::BotChannel;
use crate::messages::Messages;

/// What all pages and sockets of the site have in common.
#[derive(Clone)]
pub struct Site {
    pub(crate) announce: Announce,
    pub(crate) bot: BotChannel,
    pub(crate) log_in: LogIn,
    pub(crate) messages: Messages,
    templates: Templates,
}

impl Site {
    /// A site where these may announce, with this bot, these accounts and what was said so far.
    pub fn new(announce: Announce, bot: &BotChannel, log_in: LogIn, messages: &Messages) -> Self {
        let (bot, messages) = (bot.clone(), messages.clone());
        Self { announce, bot, log_in, messages, templates: Templates::new() }
    }
}

/// A file of the repository, in the binary.
macro_rules! file {
    // A macro, as `include_bytes!` takes only a literal.
    ($content_type:expr, $path:literal) => {
        File::new($content_type, include_bytes!(concat!("../../", $path)))
    };
}

const JAVASCRIPT: &str = "text/javascript; charset=utf-8";

/// Everything is from here, scripts and sockets too, and no page may be put in another site's frame.
const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; connect-src 'self'; object-src 'none'; \
     base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// The first page, what the pages load, and the site's own 404.
pub(crate) fn router() -> Router<Site> {
    let home = Page { template: "index.html", script: "index", modules: &["i18n", "name"], current: "" };
    Router::new().route("/", page(home)).nest("/static", files()).merge(client::routes()).fallback(lost)
}

/// The pages of the chats.
pub(crate) fn chats() -> Router<Site> {
    const PLAIN: &[&str] = &["i18n", "name", "socket", "log", "composer", "session", "status", "plain"];
    const ROOM: &[&str] = &[
        "i18n", "name", "socket", "link", "history", "timeline", "outbox", "marks", "typing", "here",
        "search", "composer", "commands", "lines", "session", "status",
    ];
    let one = Page { template: "chatone.html", script: "one", modules: PLAIN, current: "/chatone" };
    let group = Page { template: "chatgroup.html", script: "group", modules: PLAIN, current: "/chatgroup" };
    let rooms = Page {
        template: "rooms.html",
        script: "rooms",
        modules: &["i18n", "name", "marks"],
        current: "/chat/",
    };
    let room = Page { template: "room.html", script: "room", modules: ROOM, current: "" };
    Router::new()
        .route("/chatone", page(one))
        .route("/chatone/", get(without_slash))
        .route("/chatgroup", page(group))
        .route("/chatgroup/", get(without_slash))
        .route("/chat/", page(rooms))
        .route("/chat", get(with_slash))
        // A room without a name: axum's parameters may be empty in the middle of a path.
        .route("/chat//", get(|| async { Redirect::temporary("/chat/") }))
        .route("/chat/{room}/", page(room))
        .route("/chat/{room}", get(with_slash))
}

fn page(page: Page) -> MethodRouter<Site> {
    get(async move |reader: Reader| reader.show(page))
}

async fn lost(reader: Reader) -> Response {
    reader.answer(StatusCode::NOT_FOUND, Page::plain("404.html"), Value::UNDEFINED)
}

fn files() -> Router<Site> {
    Router::new()
        .route("/app.css", file!("text/css; charset=utf-8", "static/app.css").route())
        .route("/favicon.svg", file!("image/svg+xml", "static/favicon.svg").route())
        .route("/js/commands.js", file!(JAVASCRIPT, "static/js/commands.js").route())
        .route("/js/composer.js", file!(JAVASCRIPT, "static/js/composer.js").route())
        .route("/js/group.js", file!(JAVASCRIPT, "static/js/group.js").route())
        .route("/js/here.js", file!(JAVASCRIPT, "static/js/here.js").route())
        .route("/js/history.js", file!(JAVASCRIPT, "static/js/history.js").route())
        .route("/js/i18n.js", file!(JAVASCRIPT, "static/js/i18n.js").route())
        .route("/js/index.js", file!(JAVASCRIPT, "static/js/index.js").route())
        .route("/js/lines.js", file!(JAVASCRIPT, "static/js/lines.js").route())
        .route("/js/link.js", file!(JAVASCRIPT, "static/js/link.js").route())
        .route("/js/log.js", file!(JAVASCRIPT, "static/js/log.js").route())
        .route("/js/marks.js", file!(JAVASCRIPT, "static/js/marks.js").route())
        .route("/js/name.js", file!(JAVASCRIPT, "static/js/name.js").route())
        .route("/js/notifications.js", file!(JAVASCRIPT, "static/js/notifications.js").route())
        .route("/js/one.js", file!(JAVASCRIPT, "static/js/one.js").route())
        .route("/js/outbox.js", file!(JAVASCRIPT, "static/js/outbox.js").route())
        .route("/js/plain.js", file!(JAVASCRIPT, "static/js/plain.js").route())
        .route("/js/room.js", file!(JAVASCRIPT, "static/js/room.js").route())
        .route("/js/rooms.js", file!(JAVASCRIPT, "static/js/rooms.js").route())
        .route("/js/search.js", file!(JAVASCRIPT, "static/js/search.js").route())
        .route("/js/session.js", file!(JAVASCRIPT, "static/js/session.js").route())
        .route("/js/socket.js", file!(JAVASCRIPT, "static/js/socket.js").route())
        .route("/js/status.js", file!(JAVASCRIPT, "static/js/status.js").route())
        .route("/js/tail.js", file!(JAVASCRIPT, "static/js/tail.js").route())
        .route("/js/timeline.js", file!(JAVASCRIPT, "static/js/timeline.js").route())
        .route("/js/typing.js", file!(JAVASCRIPT, "static/js/typing.js").route())
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

/// Puts the site's security headers on every answer.
pub(crate) fn secured(app: Router) -> Router {
    app.layer(map_response(async |mut response: Response| {
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(CONTENT_SECURITY_POLICY));
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        response
    }))
}
