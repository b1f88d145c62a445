//! The commands of a program: `migrate`, `showmigrations` and `makemigrations`.

mod app;
pub mod make;
mod migrate;
mod show;

use std::fmt;
use std::future::Future;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;

pub use app::AppModels;
use sea_orm::DatabaseConnection;

use make::{MakeError, Outcome};

use crate::migrate::{MigrateError, Migrator, chain};
use crate::migration::Migrations;
use crate::models::Models;

/// The commands, over the apps of a program.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// use narrows_models::{Commands, Migrations, Models, sea_orm};
///
/// let commands = Commands::new().app("notes", Models::new(), Migrations::default());
/// let connection = sea_orm::Database::connect("sqlite::memory:").await?;
/// let args = ["migrate".to_owned()];
/// commands.run(&connection, &args).await?;
/// # Ok::<(), Box<dyn std::error::Error>>(()) })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default)]
pub struct Commands {
    pub(crate) apps: Vec<AppModels>,
    before: Vec<Adds>,
}

type Adds = Arc<dyn Fn(Migrator) -> Migrator + Send + Sync>;

/// Why a command was not done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CommandError {
    /// The command, or a word after it, is not known.
    #[error("{0}")]
    Usage(String),
    /// The migrations were not applied or taken back.
    #[error(transparent)]
    Migrate(#[from] MigrateError),
    /// No migrations were made.
    #[error(transparent)]
    Make(#[from] Box<MakeError>),
    /// What was done could not be printed.
    #[error("what was done could not be printed")]
    Print(#[from] io::Error),
}

impl Commands {
    /// Without an app.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an app: its models, and the migrations that make their tables.
    #[must_use]
    pub fn app(mut self, name: &str, models: Models, migrations: Migrations) -> Self {
        self.apps.push(AppModels::new(name, models, migrations));
        self
    }

    /// Adds what the program makes by itself, as [`Migrator::made`] does; it is listed before the apps.
    #[must_use]
    pub fn made<F, E>(
        mut self,
        app: &str,
        name: &str,
        make: impl Fn() -> F + Clone + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<Box<dyn std::error::Error + Send + Sync>> + 'static,
    {
        let (app, name) = (app.to_owned(), name.to_owned());
        self.before.push(Arc::new(move |migrator| migrator.made(&app, &name, make.clone())));
        self
    }

    /// Runs a command: its name, and the words after it.
    ///
    /// * `migrate [APP] [--to NAME|zero] [--plan] [--sql] [--fake] [--fake-initial]`
    /// * `showmigrations [APP]`
    /// * `makemigrations [APP…] [OPTIONS]`, which needs no database: see [`make`](Self::make)
    ///
    /// What it did is printed to the standard output, errors are returned.
    ///
    /// # Errors
    /// When the words are wrong, or as [`Migrator::migrate`] says.
    ///
    /// # Cancel safety
    /// As [`Migrator::migrate`].
    pub async fn run(
        &self,
        connection: &DatabaseConnection,
        args: &[String],
    ) -> Result<ExitCode, CommandError> {
        self.run_to(connection, args, &mut io::stdout()).await
    }

    /// [`run`](Self::run), printed elsewhere.
    ///
    /// # Errors
    /// As there.
    ///
    /// # Cancel safety
    /// As there.
    pub async fn run_to(
        &self,
        connection: &DatabaseConnection,
        args: &[String],
        output: &mut (dyn Write + Send),
    ) -> Result<ExitCode, CommandError> {
        let (command, words) =
            args.split_first().map_or(("", args), |(command, words)| (command.as_str(), words));
        match command {
            "migrate" => migrate::run(self, connection, words, output).await,
            "showmigrations" => show::run(self, connection, words, output).await,
            "makemigrations" => {
                let outcome = self.make(words).map_err(Box::new)?;
                output.write_all(outcome.report.as_bytes())?;
                Ok(ExitCode::from(outcome.code))
            }
            "" => Err(CommandError::Usage(
                "a command is missing: `migrate`, `showmigrations` or `makemigrations`".to_owned(),
            )),
            other => Err(CommandError::Usage(format!("there is no command `{other}` here"))),
        }
    }

    /// `makemigrations` with these words after it, as [`make::run`] does it: without a database.
    ///
    /// # Errors
    /// As there.
    pub fn make(&self, args: &[String]) -> Result<Outcome, MakeError> {
        make::run(&self.apps, args)
    }

    /// What applies the migrations of these apps, for a program that does so when it starts.
    pub fn migrator(&self, connection: &DatabaseConnection) -> Migrator {
        let before = self.before.iter().fold(Migrator::new(connection), |migrator, add| add(migrator));
        self.apps.iter().fold(before, |migrator, app| migrator.app(&app.name, app.migrations.clone()))
    }
}

impl CommandError {
    /// The error with all that it came of, in a line, to be printed.
    pub fn line(&self) -> String {
        chain(self)
    }
}

impl fmt::Debug for Commands {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Commands").field("apps", &self.apps).finish_non_exhaustive()
    }
}
