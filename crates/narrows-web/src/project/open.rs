use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};

use axum::Router;
use narrows::serve::health;
use narrows::serve::settings::Loaded;
use narrows::{Channels, ChannelsBuilder, Worker};
use narrows_django::password::{Hasher, Hashing};
use narrows_django::{AccountSettings, Accounts, AccountsBuilder, Database, DatabaseError, SecretKeys};

use super::data::new_key;
use super::home::is_in_memory;
use super::loading::{beside_manifest, is_development};
use super::migrations::Migrator;
use super::{DataFolder, MakeTask, Project, ProjectError};
use crate::assets::Sources;
use crate::reload::{self, Reload};
use crate::routes::Names;
use crate::site::Inner;
use crate::templates::Templates;
use crate::{Routes, Site, error_pages, static_files};

/// A database that nothing is kept of.
const IN_MEMORY: &str = "sqlite::memory:";

/// A site that is open: its database answers, its migrations are applied and its router is made.
#[must_use = "`.serve()` answers its clients"]
pub struct Opened {
    pub(super) name: &'static str,
    pub(super) site: Site,
    pub(super) router: Router,
    pub(super) workers: Vec<Worker>,
    pub(super) tasks: Vec<MakeTask>,
}

/// For whom a site is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kit {
    /// Its clients.
    Program,
    /// Nobody: its workers alone.
    Worker,
    /// `check`, in place of its clients: nothing is changed.
    Check,
    /// A test: on its own thread, with passwords that cost nothing.
    Test,
}

impl Opened {
    /// The site.
    pub fn site(&self) -> &Site {
        &self.site
    }

    /// Its router, whole.
    pub fn router(&self) -> Router {
        self.router.clone()
    }

    /// Its workers, taken out: [`serve`](Self::serve) does not run them then.
    pub fn take_workers(&mut self) -> Vec<Worker> {
        std::mem::take(&mut self.workers)
    }
}

impl Project {
    /// Opens the site, for a program with a `main` of its own.
    ///
    /// ```no_run
    /// # fn project() -> narrows_web::Project { narrows_web::Project::new("mysite", "1.0.0") }
    /// use narrows_web::narrows::serve::settings::Settings;
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), narrows_web::ProjectError> {
    /// let project = project();
    /// let loaded = Settings::from_process(&project.program());
    /// project.open(loaded).await?.serve().await
    /// # }
    /// ```
    ///
    /// # Errors
    /// When a setting is wrong, the database is away, a migration fails, or the work before the start does.
    pub async fn open(self, loaded: Loaded) -> Result<Opened, ProjectError> {
        self.open_for(Kit::Program, loaded).await
    }

    /// Opens the site for its workers alone, as the command `worker` does: [`Site::is_worker`] says so.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub async fn open_worker(self, loaded: Loaded) -> Result<Opened, ProjectError> {
        self.open_for(Kit::Worker, loaded).await
    }

    pub(crate) async fn open_for(mut self, kit: Kit, loaded: Loaded) -> Result<Opened, ProjectError> {
        let development = is_development(&loaded);
        let said = AccountSettings::read(&loaded)?;
        let keys = self.keys(&loaded, &said, kit == Kit::Check)?;
        let database = match kit {
            Kit::Check => self.database_as_it_is(&loaded, &said).await?,
            _ => Database::connect(&self.database_url(&loaded, &said)?).await?,
        };
        let builder = Channels::builder().settings(&loaded.settings)?.secret_keys(keys.0, keys.1);
        let builder = if kit == Kit::Test { builder.on_this_thread() } else { builder };
        let builder = match self.home.layer.take() {
            Some(own) => own(builder),
            None if kit == Kit::Test => builder,
            None => layered(builder, &loaded)?,
        };
        let mut assets = std::mem::take(&mut self.assets);
        assets.extend(self.apps.iter().filter_map(|app| app.assets.clone()));
        let (sources, names) = (Arc::new(Sources::new(&assets, development)), Arc::new(OnceLock::new()));
        // A test finds the same mistakes in templates as development does.
        let strict = development || kit == Kit::Test;
        let changes = std::mem::take(&mut self.templates);
        let templates = Templates::new(&sources, &names, development, strict, changes);
        templates.check(&sources, development)?;
        // After all that can be wrong: a program that does not start changes nothing for the one that serves.
        if kit == Kit::Test || (kit != Kit::Check && loaded.switch("migrate_at_start")) {
            Migrator::new(&self.apps).adopting(self.home.adopts_tables).apply(&database).await?;
        }
        let channels = builder.build();
        let accounts = self.make_accounts(kit, &said, keys.2, &database, &channels);
        let site = Site(Arc::new(Inner {
            name: self.name,
            channels,
            accounts,
            database,
            settings: loaded,
            models: self.apps.iter().map(|app| (app.name, app.models.clone())).collect(),
            development,
            is_worker: kit == Kit::Worker,
            shared: Mutex::default(),
            sources,
            templates,
            names,
            reload: if kit == Kit::Program && development { Reload::start() } else { None },
        }));
        for prepare in self.prepare.drain(..).filter(|_| kit != Kit::Check) {
            prepare(site.clone()).await.map_err(ProjectError::Prepare)?;
        }
        let workers = self.workers.drain(..).filter_map(|make| make(&site)).collect();
        let (name, tasks) = (self.name, std::mem::take(&mut self.tasks));
        let router = self.router(&site);
        Ok(Opened { name, site, router, workers, tasks })
    }

    /// The database that is named, otherwise one in the data folder.
    pub(crate) fn database_url(
        &self,
        loaded: &Loaded,
        said: &AccountSettings,
    ) -> Result<String, ProjectError> {
        match &said.database_url {
            Some(url) => Ok(url.clone()),
            None => Ok(DataFolder::open(data_path(loaded))?.url_of(self.home.database_file)?),
        }
    }

    /// The database for `check`, which makes nothing: one that is not there is empty.
    async fn database_as_it_is(
        &self,
        loaded: &Loaded,
        said: &AccountSettings,
    ) -> Result<Database, ProjectError> {
        let url = match &said.database_url {
            Some(url) if url.starts_with("sqlite:") => url.replace("mode=rwc", "mode=rw"),
            Some(url) => url.clone(),
            None if !data_path(loaded).join(self.home.database_file).exists() => IN_MEMORY.to_owned(),
            None => self.database_url(loaded, said)?,
        };
        match Database::connect(&url).await {
            Err(DatabaseError::NoFile(_)) => Ok(Database::connect(IN_MEMORY).await?),
            connected => Ok(connected?),
        }
    }

    /// The keys that are set, otherwise some that are made and kept, where that may be. Those of a `check` sign nothing.
    fn keys(&self, loaded: &Loaded, said: &AccountSettings, is_check: bool) -> Result<Keys, ProjectError> {
        if let Some(keys) = &said.keys {
            let fallbacks = loaded.settings.secret_key_fallbacks.to_vec();
            return Ok((loaded.settings.secret_key.to_string(), fallbacks, keys.clone()));
        }
        if !is_check && !is_development(loaded) && !self.home.keeps_secret_key {
            return Err(ProjectError::NoSecretKey);
        }
        let key = match is_check || is_in_memory(said) {
            true => new_key(),
            false => DataFolder::open(data_path(loaded))?.secret_key()?,
        };
        Ok((key.clone(), Vec::new(), SecretKeys::new(&key)))
    }

    /// Accounts as the project wants them.
    pub(crate) fn changed(&mut self, accounts: AccountsBuilder) -> AccountsBuilder {
        self.accounts.drain(..).fold(accounts, |accounts, change| change(accounts))
    }

    /// The project's accounts by themselves, for a command.
    pub(crate) async fn open_accounts(mut self, loaded: &Loaded) -> Result<Accounts, ProjectError> {
        let said = AccountSettings::read(loaded)?;
        let keys = self.keys(loaded, &said, false)?.2;
        let database = Database::connect(&self.database_url(loaded, &said)?).await?;
        Ok(self.changed(said.accounts(keys, database)).build())
    }

    fn make_accounts(
        &mut self,
        kit: Kit,
        said: &AccountSettings,
        keys: SecretKeys,
        database: &Database,
        channels: &Channels,
    ) -> Accounts {
        let mut builder = self.changed(said.accounts(keys, database.clone()).channels(channels));
        if kit == Kit::Test {
            let cheap = Hasher::pbkdf2_sha256(1).expect("one round is enough for nobody but a test");
            builder = builder.hashing(Hashing::new(cheap));
        }
        builder.build()
    }

    /// From inside out: the apps, the project's layers, other ways in, the check of other sites' requests, the pages of errors,
    /// sessions, beside all that the static files, the pages of errors again, the health routes, and the security headers.
    fn router(self, site: &Site) -> Router {
        let mut names = Names::default();
        let mut router = Router::new();
        for app in self.apps {
            let routes = app.routes.map_or_else(Routes::new, |make| make(site));
            router = names.mount(router, app.name, &app.prefix, routes);
        }
        // Otherwise it is what the layers of an app make of it, and that app's guard would stand before what is nowhere.
        let router = router.fallback(async || http::StatusCode::NOT_FOUND);
        assert!(site.0.names.set(names).is_ok(), "they are set here alone");
        let mut router = router.with_state(site.clone());
        for change in self.layers {
            router = change(router, site);
        }
        for way in self.ways {
            router = way(router, site.accounts());
        }
        let csrf = self.csrf.into_iter().fold(site.accounts().csrf(), |csrf, change| change(csrf));
        let router = error_pages::with_slashes(router.layer(csrf), site);
        // Twice, as the pages of errors show who is logged in, and what is around them fails too.
        let router = error_pages::around(router, site).layer(site.accounts().layer());
        // Outside of the sessions: what everybody may keep sets nobody's cookie.
        let files = static_files::routes(site.0.sources.clone()).merge(narrows::client::routes());
        let router = error_pages::around(files.fallback_service(router), site);
        let router = reload::around(router, site);
        // Around it all, as what two routers are merged to loses the layers around its 404.
        self.headers.around(Router::new().merge(health(site.channels())).fallback_service(router))
    }
}

/// The secret, those before it, and both for the accounts.
type Keys = (String, Vec<String>, SecretKeys);

/// Where the data folder is.
fn data_path(loaded: &Loaded) -> PathBuf {
    let said = Path::new(loaded.text("data_dir"));
    if is_development(loaded) { beside_manifest().join(said) } else { said.to_owned() }
}

/// On the channel layer that the settings name.
#[cfg(feature = "redis")]
fn layered(builder: ChannelsBuilder, loaded: &Loaded) -> Result<ChannelsBuilder, ProjectError> {
    use narrows_redis::LayerSettings;

    let layer = LayerSettings::read(|name| loaded.text(name), loaded.list("layer_key")).build();
    match layer.map_err(|error| ProjectError::Layer(Box::new(error)))? {
        Some(layer) => Ok(builder.layer(layer)),
        None => Ok(builder),
    }
}

#[cfg(not(feature = "redis"))]
fn layered(builder: ChannelsBuilder, loaded: &Loaded) -> Result<ChannelsBuilder, ProjectError> {
    match loaded.text("layer") {
        "memory" => Ok(builder),
        _ => Err(ProjectError::Layer("layer: the feature `redis` of narrows-web is off".into())),
    }
}
