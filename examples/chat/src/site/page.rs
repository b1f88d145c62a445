use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, Uri, header};
use axum::response::{Html, IntoResponse, Response};
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{Environment, Value, context};

use super::Site;
use crate::accounts::{LogIn, Visitor, log_in_address};

/// The templates of the site, in the binary.
#[derive(Clone)]
pub(super) struct Templates(Arc<Environment<'static>>);

/// A template of the repository, by its name.
macro_rules! templates {
    // A macro, as `include_str!` takes only a literal.
    ($($name:literal),* $(,)?) => { [$(($name, include_str!(concat!("../../templates/", $name)))),*] };
}

impl Templates {
    pub(super) fn new() -> Self {
        let mut environment = Environment::new();
        environment.set_syntax(
            SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build().expect("usual"),
        );
        let all = templates![
            "404.html",
            "account.html",
            "base.html",
            "card.html",
            "chatgroup.html",
            "chatone.html",
            "index.html",
            "login.html",
            "logout.html",
            "notifications.html",
            "pieces.html",
            "register.html",
            "room.html",
            "rooms.html",
            "top.html",
        ];
        for (name, text) in all {
            environment.add_template(name, text).expect("the site's templates are right");
        }
        Self(Arc::new(environment))
    }
}

/// What every page shows of its reader: the name, or the way to the log-in.
pub(crate) struct Reader {
    site: Site,
    user: Option<String>,
    uri: Uri,
}

/// A page: its template, its script and the modules that the script loads.
#[derive(Clone, Copy)]
pub(crate) struct Page {
    pub(crate) template: &'static str,
    pub(crate) script: &'static str,
    pub(crate) modules: &'static [&'static str],
    /// The entry of the navigation that stands for it.
    pub(crate) current: &'static str,
}

impl Page {
    /// A page that needs no script but for its language.
    pub(crate) const fn plain(template: &'static str) -> Self {
        Self { template, script: "i18n", modules: &[], current: "" }
    }
}

impl Reader {
    pub(crate) fn show(&self, page: Page) -> Response {
        self.answer(StatusCode::OK, page, Value::UNDEFINED)
    }

    /// With what the template names besides.
    pub(crate) fn answer(&self, status: StatusCode, page: Page, more: Value) -> Response {
        let Page { template, script, modules, current } = page;
        let all = context! {
            user => self.user.clone(),
            login => self.site.log_in.accounts().map(|_| log_in_address(&self.uri)),
            required => matches!(self.site.log_in, LogIn::Required(_)),
            client => narrows::client::module_path(),
            modules => Value::from(Serde(modules)), script, current, ..more
        };
        let rendered = self.site.templates.0.get_template(template).and_then(|template| template.render(all));
        match rendered {
            Ok(html) => {
                // It names its reader: another one, or the same after the log-out, is to see another.
                let caching = [
                    (header::CACHE_CONTROL, HeaderValue::from_static("private, no-store")),
                    (header::VARY, HeaderValue::from_static("cookie")),
                ];
                (status, caching, Html(html)).into_response()
            }
            Err(error) => {
                tracing::error!(%error, template, "a page cannot be shown");
                (StatusCode::INTERNAL_SERVER_ERROR, "this page cannot be shown\n").into_response()
            }
        }
    }
}

impl FromRequestParts<Site> for Reader {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, site: &Site) -> Result<Self, Infallible> {
        // While the accounts are away the page is that of a guest; what needs them says so itself.
        let user = Visitor::from_request_parts(parts, site).await.ok().and_then(|Visitor(user)| user);
        let user = user.map(|user| user.username);
        Ok(Self { site: site.clone(), user, uri: parts.uri.clone() })
    }
}
