//! Migrations applied and taken back.

mod ahead;
mod describe;
mod error;
mod go;
mod graph;
mod initial;
mod record;
mod report;
mod run;
mod session;
mod sqlite;
mod violations;
mod work;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use sea_orm::DatabaseConnection;

pub(crate) use self::describe::describe;
pub use self::error::MigrateError;
pub(crate) use self::error::chain;
pub use self::report::{Done, Notice, Planned, PlannedOperation, Report, Status, Target};
use crate::migration::Migrations;

/// How long to wait for another process that migrates.
const LOCK_WAIT: Duration = Duration::from_secs(60);

/// Applies migrations to a database, and takes them back.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// use narrows_models::migration::{Migration, Migrations, Operation, Sql, SqlText};
/// use narrows_models::{Migrator, sea_orm};
///
/// let make = Sql { forwards: Some(SqlText::Any("CREATE TABLE note (body text)".into())), backwards: None };
/// let first = Migration::new("0001_initial").operation(Operation::Sql(make));
/// let migrations = Migrations::new("", "", vec![first]);
///
/// let connection = sea_orm::Database::connect("sqlite::memory:").await?;
/// let report = Migrator::new(&connection).app("notes", migrations).migrate().await?;
/// assert_eq!(report.done[0].name, "0001_initial");
/// # Ok::<(), Box<dyn std::error::Error>>(()) })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// What is applied is in the table `narrows_migration`. Of several processes that begin at once one migrates, while the
/// others wait. On SQLite and PostgreSQL a migration is applied whole or not at all; MySQL ends a transaction with each
/// change of a table, so there one that failed goes on, the next time, at the statement that failed.
#[derive(Clone)]
pub struct Migrator {
    connection: DatabaseConnection,
    apps: Vec<App>,
    target: Target,
    fake: bool,
    fake_initial: bool,
    lock_wait: Duration,
    tell: Tell,
}

/// How a part of the program makes its own tables.
pub(crate) type Make =
    Arc<dyn Fn() -> Pin<Box<dyn Future<Output = Result<(), BoxError>> + Send>> + Send + Sync>;
type BoxError = Box<dyn std::error::Error + Send + Sync>;
pub(crate) type Tell = Arc<dyn Fn(Notice) + Send + Sync>;

#[derive(Clone)]
pub(crate) struct App {
    pub(crate) name: String,
    pub(crate) part: Part,
}

#[derive(Clone)]
pub(crate) enum Part {
    Migrations(Migrations),
    Made(Vec<(String, Make)>),
}

impl Migrator {
    /// For this database, with no migrations yet.
    pub fn new(connection: &DatabaseConnection) -> Self {
        Self {
            connection: connection.clone(),
            apps: Vec::new(),
            target: Target::Latest,
            fake: false,
            fake_initial: false,
            lock_wait: LOCK_WAIT,
            tell: Arc::new(|_| ()),
        }
    }

    /// Adds the migrations of an app.
    #[must_use]
    pub fn app(mut self, name: &str, migrations: Migrations) -> Self {
        self.apps.push(App { name: name.to_owned(), part: Part::Migrations(migrations) });
        self
    }

    /// Adds what the program makes by itself, under the name of an app and of a migration that others can come after: it
    /// is called once, before the migrations, and recorded like one.
    ///
    /// Two processes that begin at once may both call it, and a record may be lost: it has to leave alone what is there.
    /// It is not taken back.
    #[must_use]
    pub fn made<F, E>(mut self, app: &str, name: &str, make: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let make: Make = Arc::new(move || {
            let making = make();
            Box::pin(async move { making.await.map_err(Into::into) })
        });
        self.push_made(app, name, make);
        self
    }

    pub(crate) fn push_made(&mut self, app: &str, name: &str, make: Make) {
        let made = (name.to_owned(), make);
        match self.apps.iter_mut().find(|known| known.name == app) {
            Some(App { part: Part::Made(all), .. }) => all.push(made),
            _ => self.apps.push(App { name: app.to_owned(), part: Part::Made(vec![made]) }),
        }
    }

    pub(crate) fn app_names(&self) -> Vec<String> {
        self.apps.iter().map(|app| app.name.clone()).collect()
    }

    /// Where to go. All migrations of all apps unless it is said.
    #[must_use]
    pub fn target(mut self, target: Target) -> Self {
        self.target = target;
        self
    }

    /// Records migrations as applied, or as not applied, and does nothing else.
    #[must_use]
    pub fn fake(mut self, fake: bool) -> Self {
        self.fake = fake;
        self
    }

    /// Only records the first migration of an app where its tables are there already, with the right columns.
    #[must_use]
    pub fn fake_initial(mut self, fake: bool) -> Self {
        self.fake_initial = fake;
        self
    }

    /// How long to wait for another process that migrates: 60 seconds, as most migrations take less.
    #[must_use]
    pub fn lock_wait(mut self, wait: Duration) -> Self {
        self.lock_wait = wait;
        self
    }

    /// Is told what goes on, in the middle of it: it should not wait for anything.
    #[must_use]
    pub fn on_notice(mut self, tell: impl Fn(Notice) + Send + Sync + 'static) -> Self {
        self.tell = Arc::new(tell);
        self
    }

    /// Goes there.
    ///
    /// # Errors
    /// When the migrations do not fit each other or the database, when a statement fails, or when another process
    /// migrates for too long. The migrations before the one that failed stay applied.
    ///
    /// # Cancel safety
    /// Cancel safe: it is done to its end, by a task of its own.
    pub async fn migrate(self) -> Result<Report, MigrateError> {
        match tokio::spawn(async move { self.go().await }).await {
            Ok(done) => done,
            Err(error) => Err(MigrateError::BrokenOff(error.to_string())),
        }
    }

    /// What [`migrate`](Self::migrate) would do. Changes nothing.
    ///
    /// # Errors
    /// When the migrations do not fit each other or the database.
    ///
    /// # Cancel safety
    /// Cancel safe: it is done to its end, by a task of its own.
    pub async fn plan(self) -> Result<Vec<Planned>, MigrateError> {
        match tokio::spawn(async move { self.look_ahead().await }).await {
            Ok(planned) => planned,
            Err(error) => Err(MigrateError::BrokenOff(error.to_string())),
        }
    }

    /// All migrations, by app, in order, with those that only the database has. Changes nothing.
    ///
    /// # Errors
    /// When the migrations do not fit each other, or the database does not answer.
    ///
    /// # Cancel safety
    /// Cancel safe: it is done to its end, by a task of its own.
    pub async fn status(self) -> Result<Vec<Status>, MigrateError> {
        match tokio::spawn(async move { self.look().await }).await {
            Ok(status) => status,
            Err(error) => Err(MigrateError::BrokenOff(error.to_string())),
        }
    }
}

impl fmt::Debug for Migrator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let apps: Vec<_> = self.apps.iter().map(|app| &app.name).collect();
        f.debug_struct("Migrator").field("apps", &apps).field("target", &self.target).finish_non_exhaustive()
    }
}
