use std::fmt;

use narrows::serve::settings::Setting;
use narrows_models::{Migrations, Models};

use crate::{Assets, Routes, Site};

type MakeRoutes = Box<dyn FnOnce(&Site) -> Routes + Send>;

/// A part of a project: its addresses, its models and what they need.
pub struct App {
    pub(crate) name: &'static str,
    pub(crate) prefix: String,
    pub(crate) models: Models,
    pub(crate) migrations: Migrations,
    /// Whether it said anything of models or migrations.
    pub(crate) has_tables: bool,
    pub(crate) assets: Option<Assets>,
    pub(crate) routes: Option<MakeRoutes>,
    pub(crate) settings: Vec<Setting>,
}

impl App {
    /// An app of this name, which is that of its folder, and the first part of the names of its addresses.
    pub fn new(name: &'static str) -> Self {
        Self {
            name,
            prefix: String::new(),
            models: Models::new(),
            migrations: Migrations::default(),
            has_tables: false,
            assets: None,
            routes: None,
            settings: Vec::new(),
        }
    }

    /// Its models.
    #[must_use]
    pub fn models(mut self, models: Models) -> Self {
        self.models = models;
        self.has_tables = true;
        self
    }

    /// Its migrations.
    #[must_use]
    pub fn migrations(mut self, migrations: Migrations) -> Self {
        self.migrations = migrations;
        self.has_tables = true;
        self
    }

    /// Its addresses, made once at the start.
    #[must_use]
    pub fn routes(mut self, routes: impl FnOnce(&Site) -> Routes + Send + 'static) -> Self {
        self.routes = Some(Box::new(routes));
        self
    }

    /// Puts this before all its addresses, such as `/blog`. Default nothing. The site panics at its start where it does not begin
    /// with a slash.
    #[must_use]
    pub fn at(mut self, prefix: &str) -> Self {
        self.prefix = prefix.trim_end_matches('/').to_owned();
        self
    }

    /// Adds a setting to the project's program, which the app reads with [`Site::settings`].
    #[must_use]
    pub fn setting(mut self, setting: Setting) -> Self {
        self.settings.push(setting);
        self
    }

    /// Templates and static files of its own, for an app in a crate of its own. Those of the project come first.
    #[must_use]
    pub fn assets(mut self, assets: Assets) -> Self {
        self.assets = Some(assets);
        self
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App").field("name", &self.name).field("prefix", &self.prefix).finish_non_exhaustive()
    }
}
