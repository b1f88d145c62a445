use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use minijinja::Environment;
use narrows::Channels;
use narrows::serve::settings::Loaded;
use narrows_django::{Accounts, Database};

use crate::{Assets, Db, UrlError};

/// What all views, consumers and commands of a site share: the state of its router. Clones are cheap.
#[derive(Clone)]
pub struct Site(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) name: &'static str,
    pub(crate) channels: Channels,
    pub(crate) accounts: Accounts,
    pub(crate) database: Database,
    pub(crate) settings: Loaded,
    pub(crate) development: bool,
    pub(crate) assets: Vec<Assets>,
    pub(crate) names: std::sync::OnceLock<BTreeMap<String, String>>,
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

    /// Whether this site is being developed: templates are read anew, and error pages say what happened.
    pub fn is_development(&self) -> bool {
        self.0.development
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
        let names = self.0.names.get().ok_or_else(|| UrlError::NoRoute(name.to_owned()))?;
        let mut path = names.get(name).cloned().ok_or_else(|| UrlError::NoRoute(name.to_owned()))?;
        for (key, value) in values {
            path = path.replace(&format!("{{{}}}", key.as_ref()), value.as_ref());
        }
        Ok(path)
    }

    pub(crate) fn environment(&self) -> Result<Environment<'static>, minijinja::Error> {
        let mut environment = Environment::new();
        let assets = self.0.assets.clone();
        environment.set_loader(move |name| Ok(assets.iter().find_map(|assets| assets.template(name))));
        Ok(environment)
    }
}

impl fmt::Debug for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Site").finish_non_exhaustive()
    }
}
