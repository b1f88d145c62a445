//! The commands of a program: `migrate`, `showmigrations` and `makemigrations`.

mod app;
pub mod make;
mod migrate;
mod show;

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;

use sea_orm::DatabaseConnection;

pub use self::app::AppModels;
use self::make::MakeError;
use crate::migrate::{MigrateError, Migrator, chain};
use crate::{Migrations, Models};

const KNOWN: &str = "`migrate`, `showmigrations` or `makemigrations`";

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
    apps: Vec<AppModels>,
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
    /// No migrations were made.
    #[error("no migrations were made")]
    Make(#[source] Box<MakeError>),
    /// There is no connection to the database.
    #[error("the database cannot be reached")]
    Connect(#[source] Box<dyn Error + Send + Sync>),
    /// The migrations were not applied or taken back.
    #[error(transparent)]
    Migrate(#[from] MigrateError),
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
    /// * `migrate [APP] [--to NAME|zero] [--plan] [--sql] [--check] [--fake] [--fake-initial]`
    /// * `showmigrations [APP]…`
    /// * `makemigrations …`, which is [`make::run`] and asks no database
    ///
    /// What it did is printed to the standard output, errors are returned. The exit code is a failure where `--check`
    /// found something that is not made, or not applied.
    ///
    /// # Errors
    /// When the words are wrong, or as [`Migrator::migrate`] and [`make::run`] say.
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

    /// [`run`](Self::run), with a connection that is made where the command needs one.
    ///
    /// # Errors
    /// As there, and when it cannot be made.
    ///
    /// # Cancel safety
    /// As there.
    pub async fn run_lazily<F, E>(
        &self,
        connect: impl FnOnce() -> F,
        args: &[String],
    ) -> Result<ExitCode, CommandError>
    where
        F: Future<Output = Result<DatabaseConnection, E>>,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        if let Some(done) = self.without_database(args, &mut io::stdout()) {
            return done;
        }
        let connection = connect().await.map_err(|error| CommandError::Connect(error.into()))?;
        self.run(&connection, args).await
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
        if let Some(done) = self.without_database(args, output) {
            return done;
        }
        match args {
            [command, words @ ..] if command == "migrate" => {
                migrate::run(self, connection, words, output).await
            }
            _ => show::run(self, connection, args.get(1..).unwrap_or_default(), output).await,
        }
    }

    /// What is done, or refused, before a database is asked; `None` where one is needed.
    fn without_database(
        &self,
        args: &[String],
        output: &mut dyn Write,
    ) -> Option<Result<ExitCode, CommandError>> {
        let Some((command, words)) = args.split_first() else {
            return Some(Err(CommandError::Usage(format!("a command is missing: {KNOWN}"))));
        };
        let checked = match command.as_str() {
            "makemigrations" => return Some(self.make(words, output)),
            "migrate" => migrate::check(words),
            "showmigrations" => show::check(words),
            other => Err(CommandError::Usage(format!("there is no command `{other}` here, but {KNOWN}"))),
        };
        if words.iter().any(|word| word == "--help" || word == "-h") {
            let usage = if command == "migrate" { migrate::USAGE } else { show::USAGE };
            let written = writeln!(output, "{usage}").map(|()| ExitCode::SUCCESS);
            return Some(written.map_err(CommandError::from));
        }
        checked.err().map(Err)
    }

    fn make(&self, words: &[String], output: &mut dyn Write) -> Result<ExitCode, CommandError> {
        let outcome = make::run(&self.apps, words).map_err(|error| CommandError::Make(Box::new(error)))?;
        output.write_all(outcome.report.as_bytes())?;
        Ok(ExitCode::from(outcome.code))
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
