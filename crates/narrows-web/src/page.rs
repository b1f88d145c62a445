use axum::extract::FromRequestParts;
use axum::response::{Html, IntoResponse, Redirect};
use http::request::Parts;
use http::{HeaderValue, StatusCode, Uri, header};
use minijinja::{Value, context};
use narrows_django::{MaybeUser, Refused, Session, User};

use crate::{Result, Site};

/// The answer to the request at hand: renders templates, with the user and the site's addresses in them.
#[derive(Debug, Clone)]
pub struct Page {
    site: Site,
    uri: Uri,
    session: Session,
    user: Option<User>,
    status: StatusCode,
}

impl Page {
    /// The site.
    pub fn site(&self) -> &Site {
        &self.site
    }

    /// Who asks, where they are logged in.
    pub fn user(&self) -> Option<&User> {
        self.user.as_ref()
    }

    /// The session.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// The address that was asked for.
    pub fn uri(&self) -> &Uri {
        &self.uri
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
    /// When there is no such template, or it is wrong.
    pub fn render(&self, template: &str, more: Value) -> Result {
        let site = self.site.clone();
        let url_for = minijinja::value::Value::from_function(
            move |name: &str, values: minijinja::value::Kwargs| -> Result<String, minijinja::Error> {
                let values: Vec<(String, String)> = values
                    .args()
                    .map(|key| Ok((key.to_owned(), values.get::<Value>(key)?.to_string())))
                    .collect::<Result<_, minijinja::Error>>()?;
                site.url_for(name, &values).map_err(|error| {
                    minijinja::Error::new(minijinja::ErrorKind::InvalidOperation, error.to_string())
                })
            },
        );
        let user = self.user.as_ref().map(|user| {
            context! { username => user.username.clone(), is_staff => user.is_staff, is_superuser => user.is_superuser }
        });
        let all = context! {
            user,
            request => context! { path => self.uri.path(), query => self.uri.query() },
            url_for,
            messages => Value::from_function(|| Vec::<Value>::new()),
            static => Value::from_function(|path: &str| format!("/static/{path}")),
            ..more
        };
        let html = self.site.environment()?.get_template(template)?.render(all)?;
        // It names its reader: another one, or the same after the log-out, is to see another.
        let caching = [
            (header::CACHE_CONTROL, HeaderValue::from_static("private, no-store")),
            (header::VARY, HeaderValue::from_static("cookie")),
        ];
        Ok((self.status, caching, Html(html)).into_response())
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
        Ok(Redirect::to(&self.site.url_for(name, values)?).into_response())
    }

    /// Says something on the next page that is shown, once.
    pub fn success(&self, text: impl Into<String>) {
        let _ = text.into();
    }
}

impl FromRequestParts<Site> for Page {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, site: &Site) -> Result<Self, Refused> {
        let session = Session::from_request_parts(parts, site).await?;
        let MaybeUser(user) = MaybeUser::from_request_parts(parts, site).await?;
        let (site, uri) = (site.clone(), parts.uri.clone());
        Ok(Self { site, uri, session, user, status: StatusCode::OK })
    }
}
