use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::extract::{FromRequestParts, OriginalUri};
use axum::response::{IntoResponse, Redirect, Response};
use http::request::Parts;
use http::{HeaderValue, StatusCode, Uri, header};
use minijinja::value::{Object, Serde};
use minijinja::{Value, context};
use narrows_django::{Refused, Session, User};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use crate::flash::{Flash, Level};
use crate::reader::Reader;
use crate::site::rendered;
use crate::{Result, Site};

/// The answer to the request at hand: renders templates, with the user, the messages and the site's addresses in them.
///
/// ```
/// use narrows_web::{Page, Result, context};
///
/// async fn home(page: Page) -> Result {
///     page.render("home.html", context! { rooms => ["lobby", "kitchen"] })
/// }
/// ```
///
/// Every template has, besides what the view names: `user` (false for nobody; `id`, `username`, `email`, `first_name`, `last_name`,
/// `is_authenticated`, `is_staff`, `is_superuser`), `request` (`path`, `query`), and `messages()`, which takes them from the session.
/// What the view names itself counts more.
///
/// A page that used one of these or the session – a template does by naming it – may be kept by nobody: `cache-control: private,
/// no-store` and `vary: cookie`; so may every page of somebody who is logged in. The session is loaded where the request has its cookie.
/// A page that is the same for everybody is rendered by [`Site::render`], without a query.
///
/// While the accounts are away the page is that of a guest, and the log says so.
#[derive(Debug, Clone)]
pub struct Page {
    site: Site,
    uri: Uri,
    is_htmx: bool,
    session: Session,
    user: Option<User>,
    status: StatusCode,
    used: Arc<Used>,
}

/// What the answer depends on besides its address.
#[derive(Debug, Default)]
struct Used {
    reader: AtomicBool,
    htmx: AtomicBool,
}

impl Page {
    /// The site.
    pub fn site(&self) -> &Site {
        &self.site
    }

    /// Who asks, where they are logged in.
    pub fn user(&self) -> Option<&User> {
        self.used.reader.store(true, Ordering::Relaxed);
        self.user.as_ref()
    }

    /// The session.
    pub fn session(&self) -> &Session {
        self.used.reader.store(true, Ordering::Relaxed);
        &self.session
    }

    /// The address that was asked for, whole, also below the prefix of an app.
    pub fn uri(&self) -> &Uri {
        &self.uri
    }

    /// Whether htmx asks, for a part of a page (`HX-Request`), and not for a page of its history or a boosted one, which are whole.
    pub fn is_htmx(&self) -> bool {
        self.used.htmx.store(true, Ordering::Relaxed);
        self.is_htmx
    }

    /// Answers with this status instead of 200.
    #[must_use]
    pub fn status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// Renders a template with what it names.
    ///
    /// # Errors
    /// When there is no such template, or it is wrong: with the template's name, the line and what it is.
    pub fn render(&self, template: &str, more: Value) -> Result {
        self.render_first(&[template], more)
    }

    /// Renders the first of these templates that is there.
    ///
    /// # Errors
    /// As [`render`](Self::render).
    pub fn render_first(&self, templates: &[&str], more: Value) -> Result {
        let template = self.site.templates().first(templates)?;
        let html = template.render(Value::from_object(Context { page: self.clone(), more }))?;
        Ok(self.respond(template.name(), html))
    }

    /// Renders a template again with what is wrong with its form: 422.
    ///
    /// # Errors
    /// As [`render`](Self::render).
    pub fn invalid(self, template: &str, more: Value) -> Result {
        self.status(StatusCode::UNPROCESSABLE_ENTITY).render(template, more)
    }

    /// Sends the browser on to a route by its name, by GET (303).
    ///
    /// # Errors
    /// When there is no such route, or a value is missing.
    pub fn redirect(&self, name: &str, values: &[(&str, &str)]) -> Result {
        Ok(redirect(&self.site.url_for(name, values)?))
    }

    /// Says on the next page that something was done.
    pub fn success(&self, text: impl AsRef<str>) {
        self.say(Level::Success, text.as_ref());
    }

    /// Says something on the next page.
    pub fn info(&self, text: impl AsRef<str>) {
        self.say(Level::Info, text.as_ref());
    }

    /// Says on the next page that something needs a look.
    pub fn warning(&self, text: impl AsRef<str>) {
        self.say(Level::Warning, text.as_ref());
    }

    /// Says on the next page that something was not done.
    pub fn error(&self, text: impl AsRef<str>) {
        self.say(Level::Error, text.as_ref());
    }

    fn say(&self, level: Level, text: &str) {
        Flash::add(self.session(), level, text);
    }

    fn respond(&self, template: &str, text: String) -> Response {
        let mut response = (self.status, rendered(template, text)).into_response();
        let headers = response.headers_mut();
        // It names its reader: another one, or the same after the log-out, is to see another.
        if self.user.is_some() || self.used.reader.load(Ordering::Relaxed) {
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
            headers.append(header::VARY, HeaderValue::from_static("cookie"));
        }
        if self.used.htmx.load(Ordering::Relaxed) {
            headers.append(
                header::VARY,
                HeaderValue::from_static("hx-request, hx-boosted, hx-history-restore-request"),
            );
        }
        response
    }
}

/// Sends the browser on to a path of this site, by GET (303).
///
/// ```
/// use narrows_web::redirect;
///
/// assert_eq!(redirect("/chat/caf\u{e9}/").headers()["location"], "/chat/caf%C3%A9/");
/// ```
pub fn redirect(path: &str) -> Response {
    // What cannot stand in a header is percent-encoded, which UTF-8 outside of ASCII is anyway.
    const UNSAFE: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>').add(b'\\');
    Redirect::to(&utf8_percent_encode(path, UNSAFE).to_string()).into_response()
}

/// What a template looks its names up in: the reader's are made when they are asked for.
#[derive(Debug)]
struct Context {
    page: Page,
    more: Value,
}

impl Object for Context {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let named = self.more.get_item(key).ok().filter(|value| !value.is_undefined());
        named.or_else(|| self.usual(key.as_str()?))
    }
}

impl Context {
    fn usual(self: &Arc<Self>, key: &str) -> Option<Value> {
        let page = &self.page;
        match key {
            "user" => Some(Reader::value(page.user())),
            "request" => Some(context! { path => page.uri.path(), query => page.uri.query() }),
            "messages" => {
                let page = page.clone();
                Some(Value::from_function(move || Value::from(Serde(Flash::take(page.session())))))
            }
            _ => None,
        }
    }
}

impl FromRequestParts<Site> for Page {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, site: &Site) -> Result<Self, Infallible> {
        let (session, user) = match Session::of_reader(parts, site).await {
            Ok(reader) => reader,
            // Outside of the sessions: the page of an error of theirs.
            Err(Refused::NoLayer) => (nobody(site).await, None),
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "a page is shown as to a guest");
                (nobody(site).await, None)
            }
        };
        let uri = parts.extensions.get::<OriginalUri>().map_or(&parts.uri, |uri| &uri.0).clone();
        let says = |name: &str| parts.headers.get(name).is_some_and(|value| value.as_bytes() == b"true");
        let is_htmx = says("hx-request") && !says("hx-boosted") && !says("hx-history-restore-request");
        let (site, status, used) = (site.clone(), StatusCode::OK, Arc::default());
        Ok(Self { site, uri, is_htmx, session, user, status, used })
    }
}

/// A session that is of no request, and saved by none.
async fn nobody(site: &Site) -> Session {
    site.accounts().session(None).await.expect("a session without a key is looked for nowhere")
}
