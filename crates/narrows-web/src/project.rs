use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};

use axum::Router;
use narrows::Channels;
use narrows::serve::settings::{Loaded, Program, Settings};
use narrows::serve::{ListenError, Server, health};
use narrows_django::{AccountSettings, AccountSettingsError, Database, DatabaseError, SecretKeys};

use crate::site::Inner;
use crate::{App, Assets, Routes, Site};

/// A site: its apps in order, and what its program does.
#[derive(Debug)]
pub struct Project {
    name: &'static str,
    version: &'static str,
    assets: Vec<Assets>,
    apps: Vec<App>,
}

impl Project {
    /// A project of this name and version, without an app yet.
    pub fn new(name: &'static str, version: &'static str) -> Self {
        Self { name, version, assets: Vec::new(), apps: Vec::new() }
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

    /// Does what the command line asks for: to serve, unless it says otherwise.
    pub fn run(self) -> ExitCode {
        let program = AccountSettings::add_to(Program::new(self.name, self.version).layer_settings());
        let loaded = Settings::from_process(&program);
        tracing_subscriber::fmt().with_writer(std::io::stderr).init();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime can be made");
        match runtime.block_on(self.serve(loaded)) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("{error}");
                ExitCode::FAILURE
            }
        }
    }

    async fn serve(self, loaded: Loaded) -> Result<(), ProjectError> {
        let settings = loaded.settings.clone();
        let (site, app) = self.open(loaded).await?;
        let server = Server::new(app, site.channels(), &settings).listen().await?;
        for address in server.addresses() {
            println!("listening at {address}");
        }
        server.run().await;
        Ok(())
    }

    /// Opens the site: its database, its accounts and its router.
    async fn open(mut self, loaded: Loaded) -> Result<(Site, Router), ProjectError> {
        let accounts = AccountSettings::read(&loaded)?;
        let url =
            accounts.database_url.clone().unwrap_or_else(|| "sqlite:data/db.sqlite3?mode=rwc".to_owned());
        let database = Database::connect(&url).await?;
        database.create_tables().await?;
        let keys = accounts.keys.clone().unwrap_or_else(|| SecretKeys::new("development"));
        let channels = Channels::builder().settings(&loaded.settings).expect("they were checked").build();
        let accounts = accounts.accounts(keys, database.clone()).channels(&channels).build();
        let mut assets = std::mem::take(&mut self.assets);
        assets.extend(self.apps.iter().filter_map(|app| app.assets.clone()));
        let site = Site(Arc::new(Inner {
            channels,
            accounts,
            database,
            settings: loaded,
            assets,
            names: OnceLock::new(),
        }));
        let mut names = BTreeMap::new();
        let mut router = Router::new();
        for app in self.apps {
            let Routes { router: routes, names: routes_names } =
                app.routes.map_or_else(Routes::new, |make| make(&site));
            for (name, path) in routes_names {
                names.insert(format!("{}:{name}", app.name), format!("{}{path}", app.prefix));
            }
            router =
                if app.prefix.is_empty() { router.merge(routes) } else { router.nest(&app.prefix, routes) };
        }
        site.0.names.set(names).expect("they are set here alone");
        let router = router.with_state(site.clone());
        let router = router.layer(site.accounts().layer()).layer(site.accounts().csrf());
        let router = router.merge(health(site.channels()));
        Ok((site, router))
    }
}

/// Why a project does not run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProjectError {
    /// A setting of the accounts is wrong.
    #[error(transparent)]
    Settings(#[from] AccountSettingsError),
    /// The database is away.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// The address cannot be listened at.
    #[error(transparent)]
    Listen(#[from] ListenError),
}
