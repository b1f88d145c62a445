use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use http::{Extensions, HeaderValue};
use minijinja::Value;
use narrows::Channels;
use narrows::serve::settings::Loaded;
use narrows_django::{Accounts, Database};
use narrows_models::Models;

use crate::assets::Sources;
use crate::reload::Reload;
use crate::routes::Names;
use crate::templates::{TemplateErrors, Templates, content_type, static_path};
use crate::{Db, UrlError};

/// What all views, consumers and commands of a site share: the state of its router. Clones are cheap.
#[derive(Clone)]
pub struct Site(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) name: &'static str,
    pub(crate) channels: Channels,
    pub(crate) accounts: Accounts,
    pub(crate) database: Database,
    pub(crate) settings: Loaded,
    pub(crate) models: Vec<(&'static str, Models)>,
    pub(crate) development: bool,
    pub(crate) is_worker: bool,
    pub(crate) shared: Mutex<Extensions>,
    pub(crate) sources: Arc<Sources>,
    pub(crate) templates: Templates,
    pub(crate) names: Arc<OnceLock<Names>>,
    /// Where `narrows run` has pages loaded again.
    pub(crate) reload: Option<Arc<Reload>>,
}

impl Site {
    /// The project's name.
    pub fn name(&self) -> &'static str {
        self.0.name
    }

    /// The node: what broadcasts to sockets.
    pub fn channels(&self) -> &Channels {
        &self.0.channels
    }

    /// Users and sessions.
    pub fn accounts(&self) -> &Accounts {
        &self.0.accounts
    }

    /// The database, for transactions and long work.
    pub fn database(&self) -> &Database {
        &self.0.database
    }

    /// The database, for SeaORM.
    pub fn db(&self) -> Db {
        Db(self.0.database.clone())
    }

    /// The settings, the project's own among them.
    pub fn settings(&self) -> &Loaded {
        &self.0.settings
    }

    /// The models of each app, by the app's name.
    pub fn models(&self) -> impl Iterator<Item = (&'static str, &Models)> {
        self.0.models.iter().map(|(app, models)| (*app, models))
    }

    /// Whether this site is being developed: templates are read anew, and error pages say what happened.
    pub fn is_development(&self) -> bool {
        self.0.development
    }

    /// Whether this process is the command `worker`, which serves nobody.
    pub fn is_worker(&self) -> bool {
        self.0.is_worker
    }

    /// What the whole site has one of: made when it is asked for first, and the same ever after. One for each type.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use std::sync::atomic::{AtomicU64, Ordering};
    ///
    /// use axum::extract::State;
    /// use narrows_web::Site;
    ///
    /// #[derive(Clone, Default)]
    /// struct Visits(Arc<AtomicU64>);
    ///
    /// async fn count(State(site): State<Site>) -> String {
    ///     let visits = site.shared(|_| Visits::default());
    ///     visits.0.fetch_add(1, Ordering::Relaxed).to_string()
    /// }
    /// ```
    ///
    /// Of two that are made at once one is kept.
    pub fn shared<T: Clone + Send + Sync + 'static>(&self, make: impl FnOnce(&Self) -> T) -> T {
        let all = || self.0.shared.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(there) = all().get::<T>() {
            return there.clone();
        }
        // Not under the lock: it may ask for others.
        let made = make(self);
        all().get_or_insert_with(|| made).clone()
    }

    /// The address of a route, such as `chat:room`, with these values in the place of its parameters.
    ///
    /// # Errors
    /// When there is no such route, a value is missing, or there is one too many.
    pub fn url_for<K: AsRef<str>, V: AsRef<str>>(
        &self,
        name: &str,
        values: &[(K, V)],
    ) -> Result<String, UrlError> {
        let names = self.names().ok_or_else(|| UrlError::NoRoute(name.to_owned()))?;
        names.url_for(name, values)
    }

    /// Whether there is a route of this name.
    pub fn has_route(&self, name: &str) -> bool {
        self.names().is_some_and(|names| names.contains(name))
    }

    /// The address of a static file, such as `chat/room.js`, where there is one: what `static('chat/room.js')` is in a template.
    pub fn static_url(&self, name: &str) -> Option<String> {
        static_path(&self.0.sources, name)
    }

    /// Renders a template for everybody alike: without the user and the messages, and so without a query. A cache may keep it.
    ///
    /// # Errors
    /// When there is no such template, or it is wrong.
    pub fn render(&self, template: &str, more: Value) -> crate::Result {
        self.render_first(&[template], more)
    }

    pub(crate) fn render_first(&self, templates: &[&str], more: Value) -> crate::Result {
        let template = self.templates().first(templates)?;
        Ok(rendered(template.name(), template.render(more)?))
    }

    /// Renders a template as a text: of a mail, or for a socket.
    ///
    /// # Errors
    /// As [`render`](Self::render).
    pub fn render_text(&self, template: &str, more: Value) -> crate::Result<String> {
        Ok(self.templates().get(template)?.render(more)?)
    }

    pub(crate) fn templates(&self) -> &Templates {
        &self.0.templates
    }

    /// Parses all templates, as for production.
    pub(crate) fn check_templates(&self) -> Result<(), TemplateErrors> {
        self.templates().check(&self.0.sources, false)
    }

    /// The names of the routes: none until the site is open.
    pub(crate) fn names(&self) -> Option<&Names> {
        self.0.names.get()
    }
}

/// An answer whose type is that of the template's name.
pub(crate) fn rendered(template: &str, text: String) -> Response {
    ([(CONTENT_TYPE, HeaderValue::from_static(content_type(template)))], text).into_response()
}

impl fmt::Debug for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Site").finish_non_exhaustive()
    }
}
