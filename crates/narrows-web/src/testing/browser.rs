use std::collections::BTreeMap;
use std::fmt;
use std::panic::Location;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::Body;
use http::header::{ACCEPT, CONTENT_TYPE, COOKIE, LOCATION, ORIGIN, SET_COOKIE};
use http::{HeaderMap, HeaderValue, Method, Request};
use narrows::testing::{ConnectRequest, TestClient, TestResponse, TestServer};
use narrows_django::{Accounts, User};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

/// How often one answer may send on to the next.
const MAX_REDIRECTS: usize = 10;
/// What browsers ask for when somebody opens an address.
const PAGES: &str = "text/html,application/xhtml+xml,*/*;q=0.8";

/// Somebody's browser in a test: it keeps cookies, and sends what browsers send. Clones are the same browser.
///
/// ```
/// use axum::routing::post;
/// use narrows_web::{App, Project, Routes};
/// use narrows_web::narrows_django::User;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let me = post(|user: User| async move { user.username });
/// let site = Project::new("mysite", "1.0.0").app(App::new("me").routes(|_| Routes::new().route("me", "/me/", me)));
/// let site = site.test().await;
///
/// let ada = site.user("ada").await;
/// site.log_in(&ada).await;
/// assert_eq!(site.post_form("/me/", &[("colour", "green")]).await.text(), "ada");
/// assert_eq!(site.another_browser().post_form("/me/", &[]).await.status().as_u16(), 401);
/// # }
/// ```
///
/// Redirects are not followed, unless [`follow`](Self::follow) is asked to.
#[derive(Clone)]
pub struct Browser {
    server: TestServer,
    accounts: Accounts,
    cookies: Arc<Mutex<BTreeMap<String, String>>>,
}

impl Browser {
    pub(super) fn new(server: TestServer, accounts: &Accounts) -> Self {
        Self { server, accounts: accounts.clone(), cookies: Arc::default() }
    }

    pub(super) fn fresh(&self) -> Self {
        Self::new(self.server.clone(), &self.accounts)
    }

    /// Opens an address.
    ///
    /// # Panics
    /// When it is no path.
    #[track_caller]
    pub fn get(&self, path: &str) -> impl Future<Output = TestResponse> + Send + use<'_> {
        self.request(request(Method::GET, path, Body::empty(), Location::caller()))
    }

    /// Sends a form, as a page of the site does; a name may come more than once.
    ///
    /// # Panics
    /// When the address is no path.
    #[track_caller]
    pub fn post_form(
        &self,
        path: &str,
        fields: &[(&str, &str)],
    ) -> impl Future<Output = TestResponse> + Send + use<'_> {
        let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let pairs = fields.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value)));
        let body = pairs.collect::<Vec<_>>().join("&");
        let mut request = request(Method::POST, path, body.into(), Location::caller());
        let form = HeaderValue::from_static("application/x-www-form-urlencoded");
        request.headers_mut().insert(CONTENT_TYPE, form);
        self.request(request)
    }

    /// Sends JSON, as a script of the site does.
    ///
    /// # Panics
    /// When the address is no path.
    #[track_caller]
    pub fn post_json(
        &self,
        path: &str,
        value: &serde_json::Value,
    ) -> impl Future<Output = TestResponse> + Send + use<'_> {
        let mut request = request(Method::POST, path, value.to_string().into(), Location::caller());
        let headers = request.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        self.request(request)
    }

    /// Makes any request, with the cookies; those of the answer are kept. What the request does not say, a browser's page of
    /// the site says.
    pub async fn request(&self, mut request: Request<Body>) -> TestResponse {
        let headers = request.headers_mut();
        headers.entry(ACCEPT).or_insert(HeaderValue::from_static(PAGES));
        headers.entry("sec-fetch-site").or_insert(HeaderValue::from_static("same-origin"));
        if let Some(cookies) = self.cookie_header() {
            headers.insert(COOKIE, cookies);
        }
        if request.method() != Method::GET {
            let origin = HeaderValue::from_static("http://testserver");
            request.headers_mut().entry(ORIGIN).or_insert(origin);
        }
        let response = self.server.request(request).await;
        self.keep(response.headers());
        response
    }

    /// Goes where an answer sends, up to ten times; the last answer.
    ///
    /// # Panics
    /// When there is no end to it, or it leads to another site.
    #[track_caller]
    pub fn follow(&self, first: TestResponse) -> impl Future<Output = TestResponse> + Send + use<'_> {
        let at = Location::caller();
        async move {
            let mut response = first;
            for _ in 0..MAX_REDIRECTS {
                if !response.status().is_redirection() {
                    return response;
                }
                let Some(next) = response.header(LOCATION.as_str()).map(str::to_owned) else {
                    return response;
                };
                let next = next.strip_prefix("http://testserver").unwrap_or(&next);
                // To a browser these are another site, too.
                let leaves = next.get(1..).is_some_and(|rest| rest.starts_with(['/', '\\']));
                assert!(!leaves, "{next:?} leads to another site\n  at {at}");
                response = self.request(request(Method::GET, next, Body::empty(), at)).await;
            }
            panic!("the site sends from one address to the next without an end\n  at {at}");
        }
    }

    /// Logs somebody in, without the page for it.
    ///
    /// # Panics
    /// When the session cannot be saved.
    pub async fn log_in(&self, user: &User) {
        let key = self.cookies().get(self.accounts.cookie_name()).cloned();
        let session = self.accounts.session(key.as_deref()).await.expect("the database of a test answers");
        self.accounts.log_in(&session, user).await.expect("the database of a test takes a session");
        let key = session.key().expect("a session that is saved has a key");
        self.cookies().insert(self.accounts.cookie_name().to_owned(), key);
    }

    /// Forgets all cookies: nobody is logged in.
    pub fn forget(&self) {
        self.cookies().clear();
    }

    /// The value of a cookie.
    pub fn cookie(&self, name: &str) -> Option<String> {
        self.cookies().get(name).cloned()
    }

    /// Sets a cookie.
    pub fn set_cookie(&self, name: &str, value: &str) {
        self.cookies().insert(name.to_owned(), value.to_owned());
    }

    /// Opens a WebSocket as a page of the site does, with the cookies.
    ///
    /// # Panics
    /// When it is refused, with the answer.
    #[track_caller]
    pub fn socket(&self, path: &str) -> impl Future<Output = TestClient> + Send + use<> {
        self.socket_request(path).connect()
    }

    /// A handshake with the cookies, to add headers or subprotocols to; its `try_connect` gives a refusal to look at.
    #[track_caller]
    pub fn socket_request(&self, path: &str) -> ConnectRequest {
        let request = self.server.connect_request(path);
        match self.cookie_header().as_ref().and_then(|cookies| cookies.to_str().ok()) {
            Some(cookies) => request.header("cookie", cookies),
            None => request,
        }
    }

    fn cookie_header(&self) -> Option<HeaderValue> {
        let pairs: Vec<String> =
            self.cookies().iter().map(|(name, value)| format!("{name}={value}")).collect();
        if pairs.is_empty() { None } else { HeaderValue::from_str(&pairs.join("; ")).ok() }
    }

    /// Takes over what an answer says of cookies; one that is over is deleted.
    fn keep(&self, headers: &HeaderMap) {
        let mut cookies = self.cookies();
        for line in headers.get_all(SET_COOKIE).iter().filter_map(|line| line.to_str().ok()) {
            let (pair, attributes) = line.split_once(';').unwrap_or((line, ""));
            let Some((name, value)) = pair.split_once('=') else { continue };
            let is_over = attributes.to_ascii_lowercase().split(';').any(|part| part.trim() == "max-age=0");
            if is_over {
                cookies.remove(name.trim());
            } else {
                cookies.insert(name.trim().to_owned(), value.trim().to_owned());
            }
        }
    }

    fn cookies(&self) -> MutexGuard<'_, BTreeMap<String, String>> {
        // The map is whole after each of its operations.
        self.cookies.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn request(method: Method, path: &str, body: Body, at: &Location<'_>) -> Request<Body> {
    assert!(path.starts_with('/'), "{path:?} is no path of the site\n  at {at}");
    match Request::builder().method(method).uri(path).body(body) {
        Ok(request) => request,
        Err(error) => panic!("{path:?} cannot be asked for: {error}\n  at {at}"),
    }
}

impl fmt::Debug for Browser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<String> = self.cookies().keys().cloned().collect();
        f.debug_struct("Browser").field("cookies", &names).finish_non_exhaustive()
    }
}
