//! Pages that load themselves again while a site is developed.
//!
//! `narrows run` writes lines to the program's standard input: `reload` has all open pages load again, and its end ends the
//! program in the orderly way. A page that finds another process than the one that made it, or was not there when it was to load again,
//! loads itself again, too.

mod script;
mod stdin;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures_util::stream;
use http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderValue, StatusCode};
use http_body::Body as _;
use tokio::sync::watch;

use crate::Site;

/// A page of more bytes is left as it is.
const MAX_PAGE_BYTES: u64 = 8 * 1024 * 1024;
/// How long pages wait before they ask again.
const COME_BACK: Duration = Duration::from_millis(300);
/// How soon an open event stream notices that the program drains.
const LOOK: Duration = Duration::from_millis(200);

/// What the pages of a process are told.
#[derive(Debug)]
pub(crate) struct Reload {
    /// Another one in each process.
    process: String,
    /// How often pages were to load again.
    count: watch::Sender<u64>,
    ended: watch::Sender<bool>,
}

impl Reload {
    /// Where `narrows run` started this program, which it says by `NARROWS_RELOAD=1`: reads standard input from here on.
    pub(crate) fn start() -> Option<Arc<Self>> {
        std::env::var_os("NARROWS_RELOAD").filter(|said| said == "1")?;
        let reload = Arc::new(Self {
            process: format!("{:016x}", rand::random::<u64>()),
            count: watch::Sender::new(0),
            ended: watch::Sender::new(false),
        });
        stdin::read(reload.clone());
        Some(reload)
    }

    /// What a page is of, that is made now: the process, and how often pages were to load again.
    fn state(&self, count: u64) -> String {
        format!("{}-{count}", self.process)
    }

    fn reload(&self) {
        self.count.send_modify(|count| *count += 1);
    }

    fn end(&self) {
        self.ended.send_replace(true);
    }

    /// Ready when the program is to end.
    pub(crate) async fn ended(&self) {
        let mut ended = self.ended.subscribe();
        // The sender is in `self`.
        let _ = ended.wait_for(|ended| *ended).await;
    }
}

/// Puts the script into the pages of this router, and what it listens to beside it.
pub(crate) fn around(router: Router, site: &Site) -> Router {
    let Some(reload) = site.0.reload.clone() else { return router };
    let own = Router::new()
        .route("/__narrows__/reload.js", get(script::answer))
        .route("/__narrows__/reload", get(events))
        .with_state((reload.clone(), site.clone()));
    own.fallback_service(router.layer(from_fn_with_state(reload, insert)))
}

/// The event `process` with what a page of now would be of, then `reload` whenever it is time.
async fn events(State((reload, site)): State<(Arc<Reload>, Site)>) -> impl IntoResponse {
    let mut count = reload.count.subscribe();
    let state = reload.state(*count.borrow_and_update());
    // Browsers would wait for seconds before they come back to the next process.
    let first = Event::default().event("process").data(state).retry(COME_BACK);
    let rest = stream::unfold((reload, site, count), async |(reload, site, mut count)| {
        loop {
            tokio::select! {
                // An open answer would hold the drain up.
                () = tokio::time::sleep(LOOK) => if site.channels().is_draining() { return None },
                () = reload.ended() => return None,
                changed = count.changed() => {
                    changed.ok()?;
                    // Browsers leave out an event without data.
                    let state = reload.state(*count.borrow_and_update());
                    return Some((Event::default().event("reload").data(state), (reload, site, count)));
                }
            }
        }
    });
    let events = stream::StreamExt::chain(stream::once(async { first }), rest);
    let events = stream::StreamExt::map(events, Ok::<_, Infallible>);
    ([(CACHE_CONTROL, "no-store")], Sse::new(events))
}

/// Puts the script before the end of a page.
async fn insert(State(reload): State<Arc<Reload>>, request: Request, next: Next) -> Response {
    let is_part = request.headers().contains_key("hx-request");
    // Before the page is made: what changes meanwhile may not be in it.
    let state = reload.state(*reload.count.borrow());
    let response = next.run(request).await;
    if is_part || !is_page(&response) {
        return response;
    }
    let (mut head, body) = response.into_parts();
    // It is as long as it says.
    let Ok(bytes) = to_bytes(body, MAX_PAGE_BYTES as usize).await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let page = script::insert(&bytes, &state);
    head.headers.remove(CONTENT_LENGTH);
    Response::from_parts(head, page.map_or_else(|| Body::from(bytes), Body::from))
}

fn is_page(response: &Response) -> bool {
    let headers = response.headers();
    let is_html = |kind: &HeaderValue| kind.as_bytes().starts_with(b"text/html");
    headers.get(CONTENT_TYPE).is_some_and(is_html)
        && !headers.contains_key(CONTENT_ENCODING)
        && response.body().size_hint().exact().is_some_and(|length| length <= MAX_PAGE_BYTES)
}
