//! The pages of accounts: to log in and out, to register, and to change a password.

mod log_in;
mod next;
mod password;
mod register;
mod trouble;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::get;
use http::Uri;
use narrows::serve::settings::Setting;
use narrows_django::log_in_url;
use tower::{Layer, ServiceExt};

use crate::{App, Routes, Site, redirect};

/// The pages of accounts, as an app.
///
/// ```
/// use narrows_web::{Project, accounts};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let site = Project::new("mysite", "1.0.0").app(accounts::app()).test().await;
/// assert!(site.get("/login/").await.contains("<h1>Log in</h1>"));
/// # }
/// ```
///
/// | route | address | template |
/// |---|---|---|
/// | `accounts:login` | `/login/` | `accounts/login.html` |
/// | `accounts:logout` | `/logout/` | `accounts/logout.html` |
/// | `accounts:register` | `/register/` | `accounts/register.html` |
/// | `accounts:password` | `/account/password/` | `accounts/password.html` |
///
/// The templates extend `base.html`, and fill its blocks `title` and `content`; a project puts others of the same names in
/// their place. All have `form` and `next`, which is where to go on to: only ever a path of the site.
///
/// Logging out is a POST; a GET asks first. Guessing is throttled, by name and by address.
///
/// # Settings
/// * `registration`: `open`, or `closed` for a site whose staff make the users; the page is not found then.
/// * `login_redirect` and `logout_redirect`: where to go without a `next`, also another site. Default `/`.
pub fn app() -> App {
    App::new("accounts")
        .setting(Setting::choice(
            "registration",
            &["open", "closed"],
            "open",
            "Whether everybody may make an account",
        ))
        .setting(Setting::text("login_redirect", "/", "Where to go after logging in"))
        .setting(Setting::text("logout_redirect", "/", "Where to go after logging out"))
        .routes(routes)
}

fn routes(site: &Site) -> Routes {
    let routes = Routes::new()
        .route("login", "/login/", get(log_in::page).post(log_in::submit))
        .route("logout", "/logout/", get(log_in::log_out_page).post(log_in::log_out))
        .route("password", "/account/password/", get(password::page).post(password::submit));
    if site.settings().text("registration") == "open" {
        routes.route("register", "/register/", get(register::page).post(register::submit))
    } else {
        routes
    }
}

/// Lets only users through to these routes: everybody else goes to `accounts:login`, and comes back. A socket is refused with
/// a 401.
///
/// ```
/// use axum::routing::get;
/// use narrows_web::{App, Project, Routes, accounts};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let app = App::new("diary").routes(|site| {
///     let today = get(|| async { "for users" });
///     Routes::new().route("today", "/today/", today).with(|router| accounts::login_required(router, site))
/// });
/// let site = Project::new("mysite", "1.0.0").app(app).app(accounts::app()).test().await;
/// assert_eq!(site.get("/today/").await.header("location"), Some("/login/?next=/today/"));
/// # }
/// ```
///
/// It goes around the routes that are there already. Where the project is without [`app`], the page is taken to be at
/// `/login/`.
pub fn login_required(router: Router<Site>, site: &Site) -> Router<Site> {
    router.layer(from_fn_with_state(site.clone(), only_users))
}

async fn only_users(State(site): State<Site>, request: Request, next: Next) -> Response {
    let Ok(response) = narrows_django::login_required(&log_in_page(&site)).layer(next).oneshot(request).await;
    response
}

/// To the page to log in, and back here afterwards.
fn to_log_in(site: &Site, here: &Uri) -> Response {
    let here = here.path_and_query().map_or("/", |here| here.as_str());
    redirect(&log_in_url(&log_in_page(site), here))
}

/// Known when all routes are.
fn log_in_page(site: &Site) -> String {
    site.url_for::<&str, &str>("accounts:login", &[]).unwrap_or_else(|_| "/login/".to_owned())
}
