//! A site: its apps in order, and what its program does.

mod data;
mod error;
mod headers;
mod home;
mod loading;
mod migrations;
mod open;
mod serve;

use std::fmt;
use std::pin::Pin;

use axum::Router;
use narrows::Worker;
use narrows::serve::settings::Setting;
use narrows_django::ways::WayIn;
use narrows_django::{Accounts, AccountsBuilder, CsrfLayer};

pub use self::data::{DataFolder, DataFolderError};
pub(crate) use self::error::Chain;
pub use self::error::ProjectError;
pub(crate) use self::headers::SecurityHeaders;
use self::home::Home;
pub(crate) use self::loading::Said;
pub(crate) use self::migrations::Migrator;
pub(crate) use self::open::Kit;
pub use self::open::Opened;
use crate::{App, Assets, Site};

type ChangeAccounts = Box<dyn FnOnce(AccountsBuilder) -> AccountsBuilder + Send>;
type ChangeCsrf = Box<dyn FnOnce(CsrfLayer) -> CsrfLayer + Send>;
type AddLayer = Box<dyn FnOnce(Router, &Site) -> Router + Send>;
type AddWay = Box<dyn FnOnce(Router, &Accounts) -> Router + Send>;
type Prepare = Box<dyn FnOnce(Site) -> Boxed<Result<(), BoxError>> + Send>;
type MakeWorker = Box<dyn FnOnce(&Site) -> Option<Worker> + Send>;
type MakeTask = Box<dyn FnOnce(Site) -> Boxed<()> + Send>;
type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;
pub(crate) type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A site: its apps in order, and what its program does.
///
/// ```no_run
/// use axum::routing::get;
/// use narrows_web::{App, Project, Routes};
///
/// fn project() -> Project {
///     let hello = App::new("hello").routes(|_| Routes::new().route("home", "/", get(|| async { "hello" })));
///     Project::new("mysite", env!("CARGO_PKG_VERSION")).about("A site").app(hello)
/// }
///
/// fn main() -> std::process::ExitCode {
///     project().run()
/// }
/// ```
///
/// [`run`](Self::run) is the whole program, with its commands and settings; [`test`](Self::test) is the same site in a
/// test; [`open`](Self::open) is for a program with a `main` of its own.
pub struct Project {
    pub(crate) name: &'static str,
    pub(crate) version: &'static str,
    pub(crate) about: &'static str,
    pub(crate) assets: Vec<Assets>,
    pub(crate) apps: Vec<App>,
    settings: Vec<Setting>,
    accounts: Vec<ChangeAccounts>,
    csrf: Vec<ChangeCsrf>,
    layers: Vec<AddLayer>,
    ways: Vec<AddWay>,
    prepare: Vec<Prepare>,
    workers: Vec<MakeWorker>,
    tasks: Vec<MakeTask>,
    headers: SecurityHeaders,
    home: Home,
    templates: Vec<crate::templates::Change>,
}

impl Project {
    /// A project of this name and version, without an app yet.
    pub fn new(name: &'static str, version: &'static str) -> Self {
        Self {
            name,
            version,
            about: "",
            assets: Vec::new(),
            apps: Vec::new(),
            settings: Vec::new(),
            accounts: Vec::new(),
            csrf: Vec::new(),
            layers: Vec::new(),
            ways: Vec::new(),
            prepare: Vec::new(),
            workers: Vec::new(),
            tasks: Vec::new(),
            headers: SecurityHeaders::default(),
            home: Home::default(),
            templates: Vec::new(),
        }
    }

    /// Says in a sentence what the site is, for the program's help.
    #[must_use]
    pub fn about(mut self, about: &'static str) -> Self {
        self.about = about;
        self
    }

    /// Its templates and static files: [`assets!`](crate::assets).
    #[must_use]
    pub fn assets(mut self, assets: Assets) -> Self {
        self.assets.push(assets);
        self
    }

    /// Adds an app.
    #[must_use]
    pub fn app(mut self, app: App) -> Self {
        self.apps.push(app);
        self
    }

    /// Adds a setting of the project's own, which is read with [`Site::settings`].
    ///
    /// ```
    /// # use narrows_web::Project;
    /// use narrows_web::narrows::serve::settings::Setting;
    ///
    /// let project = Project::new("mysite", "1.0.0").setting(Setting::text("title", "My site", "What the pages are called"));
    /// ```
    #[must_use]
    pub fn setting(mut self, setting: Setting) -> Self {
        self.settings.push(setting);
        self
    }

    /// Adds a worker, which runs beside the server and ends after it, or by itself with the command `worker`. `None` is no
    /// worker, for one that a setting switches off.
    #[must_use]
    pub fn worker<W: Into<Option<Worker>>>(mut self, make: impl FnOnce(&Site) -> W + Send + 'static) -> Self {
        self.workers.push(Box::new(|site| make(site).into()));
        self
    }

    /// Adds a task that runs beside the server, on a thread that serves nobody, and is dropped when the server has ended.
    #[must_use]
    pub fn task<F>(mut self, make: impl FnOnce(Site) -> F + Send + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.tasks.push(Box::new(|site| Box::pin(make(site))));
        self
    }

    /// Adds work that is done before the site serves or its workers begin, after the migrations; in tests too. An error
    /// ends the program.
    #[must_use]
    pub fn prepare<F, E>(mut self, make: impl FnOnce(Site) -> F + Send + 'static) -> Self
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<BoxError>,
    {
        self.prepare.push(Box::new(|site| {
            let work = make(site);
            Box::pin(async move { work.await.map_err(Into::into) })
        }));
        self
    }

    /// Changes the router of all apps' routes, inside of the sessions: tower layers, routes of no app.
    #[must_use]
    pub fn layer(mut self, change: impl FnOnce(Router, &Site) -> Router + Send + 'static) -> Self {
        self.layers.push(Box::new(change));
        self
    }

    /// Changes the templates' environment: filters, tests, functions and names of the project's own. The syntax stays as it is.
    ///
    /// ```
    /// # use narrows_web::Project;
    /// let project = Project::new("mysite", "1.0.0").templates(|environment| {
    ///     environment.add_filter("shout", |text: String| text.to_uppercase());
    ///     environment.add_global("title", "My site");
    /// });
    /// ```
    #[must_use]
    pub fn templates(
        mut self,
        change: impl FnOnce(&mut minijinja::Environment<'static>) + Send + 'static,
    ) -> Self {
        self.templates.push(Box::new(change));
        self
    }

    /// Changes how accounts are made: password rules, throttling, hashing.
    #[must_use]
    pub fn accounts(
        mut self,
        change: impl FnOnce(AccountsBuilder) -> AccountsBuilder + Send + 'static,
    ) -> Self {
        self.accounts.push(Box::new(change));
        self
    }

    /// Changes the check of requests that other sites make a browser send: routes without it, and sites that may.
    ///
    /// ```
    /// let project = narrows_web::Project::new("mysite", "1.0.0").csrf(|csrf| csrf.exempt("/hooks/payment/"));
    /// ```
    #[must_use]
    pub fn csrf(mut self, change: impl FnOnce(CsrfLayer) -> CsrfLayer + Send + 'static) -> Self {
        self.csrf.push(Box::new(change));
        self
    }

    /// Lets users in by another way too, such as [`TokenWay`](narrows_django::ways::TokenWay). The table of tokens is made by
    /// [`create_token_table`](Accounts::create_token_table), in [`prepare`](Self::prepare).
    #[must_use]
    pub fn way(mut self, way: impl WayIn) -> Self {
        self.ways.push(Box::new(|router, accounts| router.layer(accounts.way_in(way))));
        self
    }

    /// What pages may load, and from where: the header `content-security-policy` of every answer that has none. Without a
    /// `frame-ancestors` in it, no other site may put the pages into a frame, which is the default.
    ///
    /// # Panics
    /// When the text cannot stand in a header.
    #[must_use]
    pub fn content_security_policy(mut self, policy: &str) -> Self {
        self.headers.set_policy(policy);
        self
    }
}

impl fmt::Debug for Project {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut d = f.debug_struct("Project");
        d.field("name", &self.name).field("version", &self.version).field("apps", &self.apps);
        d.finish_non_exhaustive()
    }
}
