//! Migrations applied and taken back.

mod error;
mod graph;
mod initial;
mod record;
mod run;
mod session;
mod sqlite;
mod work;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sea_orm::DatabaseConnection;

pub use self::error::MigrateError;
pub(crate) use self::error::chain;
use self::graph::{Graph, Names, NodePart};
use self::record::Progress;
use self::run::Place;
use self::session::Session;
use crate::dialect::{Dialect, Statement};
use crate::migration::{Migrations, Operation, Run, Sql};

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

/// Where to go.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Target {
    /// All migrations of all apps.
    #[default]
    Latest,
    /// All migrations of an app, with those of others that they come after.
    App(String),
    /// An app up to this migration and no further, by its name or a beginning of it.
    To {
        /// The app.
        app: String,
        /// The migration.
        name: String,
    },
    /// None of an app.
    Zero {
        /// The app.
        app: String,
    },
}

/// What was done.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Report {
    /// The migrations, in order.
    pub done: Vec<Done>,
    /// Migrations `(app, name)` of this database that this program does not have.
    pub gone: Vec<(String, String)>,
}

/// A migration that was applied or taken back.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Done {
    /// The app.
    pub app: String,
    /// Its name.
    pub name: String,
    /// Whether it was applied; it was taken back otherwise.
    pub forwards: bool,
    /// Whether only the record of it was changed.
    pub faked: bool,
    /// How long it took.
    pub took: Duration,
}

/// What would be done for a migration.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Planned {
    /// The app.
    pub app: String,
    /// Its name.
    pub name: String,
    /// Whether it would be applied; it would be taken back otherwise.
    pub forwards: bool,
    /// Its operations, in order.
    pub operations: Vec<PlannedOperation>,
}

/// What would be done for an operation.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct PlannedOperation {
    /// What it does, in words.
    pub what: String,
    /// Its statements for this database; comments where something else is done.
    pub sql: Vec<String>,
}

/// A migration, and whether it is applied.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Status {
    /// The app.
    pub app: String,
    /// Its name.
    pub name: String,
    /// Whether it is applied.
    pub applied: bool,
    /// How many of its operations are in effect, where it stopped half-way.
    pub half: Option<usize>,
    /// Whether this program has it; otherwise only the database does.
    pub known: bool,
}

/// What goes on, for [`Migrator::on_notice`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Notice {
    /// Another process migrates; who, where the database says so.
    Waiting {
        /// A process or connection.
        holder: Option<String>,
    },
    /// A migration begins.
    Begins {
        /// The app.
        app: String,
        /// Its name.
        name: String,
        /// Whether it is applied; it is taken back otherwise.
        forwards: bool,
        /// The operation at which it goes on, where it stopped half-way; the first is 1.
        resumes_at: Option<usize>,
    },
    /// It is done.
    Ended(Done),
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

    /// Is told what goes on.
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

    async fn go(self) -> Result<Report, MigrateError> {
        let graph = Graph::new(&self.apps)?;
        let known = self.known().await?;
        self.check(&graph, &graph.applied(&known.names))?;
        let pending = graph.steps(&self.target, &graph.applied(&known.names), &known.begun(&graph))?;
        self.refuse_gone(&graph, &known.names, &pending)?;
        // Before a connection is held, as it may be the only one.
        let made = if self.fake { Vec::new() } else { self.make(&graph, &pending).await? };
        let mut report = Report { done: Vec::new(), gone: graph.gone(&known.names) };
        let mut session = Session::open(&self.connection).await?;
        let gone = self.go_on(&mut session, &graph, &made, &mut report).await;
        let closed = session.close().await;
        gone?;
        closed?;
        Ok(report)
    }

    /// One migration after another. What is applied is looked up before each: on SQLite another process may have been
    /// faster.
    async fn go_on(
        &self,
        session: &mut Session,
        graph: &Graph<'_>,
        made: &[(usize, Duration)],
        report: &mut Report,
    ) -> Result<(), MigrateError> {
        session.lock(self.lock_wait, &self.tell).await?;
        session.begin(self.lock_wait, &self.tell).await?;
        let prepared = record::prepare(session).await;
        self.end(session, prepared.map_err(MigrateError::from)).await?;
        for _ in 0..=2 * graph.nodes.len() {
            let known = Known::read(session).await?;
            let applied = graph.applied(&known.names);
            self.check(graph, &applied)?;
            let steps = graph.steps(&self.target, &applied, &known.begun(graph))?;
            self.refuse_gone(graph, &known.names, &steps)?;
            let Some((at, forwards)) = steps.first().copied() else { break };
            let took = made.iter().find(|(made, _)| *made == at).map(|(_, took)| *took);
            let done = self.one(session, graph, &known, at, forwards, took).await?;
            report.done.extend(done);
        }
        Ok(())
    }

    /// One migration, in a transaction where the database can. `None` where another process was faster.
    async fn one(
        &self,
        session: &mut Session,
        graph: &Graph<'_>,
        known: &Known,
        at: usize,
        forwards: bool,
        made: Option<Duration>,
    ) -> Result<Option<Done>, MigrateError> {
        let node = &graph.nodes[at];
        let is_made = matches!(node.part, NodePart::Made(_));
        if is_made && !forwards && !self.fake {
            return Err(MigrateError::Stays { migration: node.label() });
        }
        let applied = graph.applied(&known.names);
        let from = known.progress.get(&(node.app.to_owned(), node.name.to_owned())).cloned();
        let mut faked = self.fake;
        let mut tasks = Vec::new();
        if !self.fake && !is_made {
            let mut without = applied.clone();
            without[at] = false;
            let before = graph.schema(&without)?;
            if forwards && self.fake_initial && from.is_none() {
                faked = initial::is_there(session, graph, at).await?;
            }
            if !faked {
                tasks = work::tasks(graph, at, forwards, session.dialect, &before)?;
                check_torn(session.dialect, graph, at, forwards, &before)?;
            }
        }
        let looks_away = session.dialect == Dialect::Sqlite && work::drops_tables(&tasks);
        let enforced = looks_away && session.enforced_foreign_keys().await?;
        if looks_away {
            session.enforce_foreign_keys(false).await?;
        }
        let begun = Instant::now();
        let place = Place { app: node.app, name: node.name, forwards, operations: node.operations() };
        let resumes_at = from.as_ref().map(|from| from.done + usize::from(from.forwards));
        let done = self.within(session, &place, &tasks, known, from, resumes_at, looks_away).await;
        if enforced {
            session.enforce_foreign_keys(true).await?;
        }
        if !done? {
            return Ok(None);
        }
        let done = Done {
            app: node.app.to_owned(),
            name: node.name.to_owned(),
            forwards,
            faked,
            took: begun.elapsed() + made.unwrap_or_default(),
        };
        (self.tell)(Notice::Ended(done.clone()));
        Ok(Some(done))
    }

    #[expect(clippy::too_many_arguments, reason = "all that was found out about one migration")]
    async fn within(
        &self,
        session: &Session,
        place: &Place<'_>,
        tasks: &[work::Task<'_>],
        known: &Known,
        from: Option<Progress>,
        resumes_at: Option<usize>,
        looks_away: bool,
    ) -> Result<bool, MigrateError> {
        let begins = Notice::Begins {
            app: place.app.to_owned(),
            name: place.name.to_owned(),
            forwards: place.forwards,
            resumes_at,
        };
        if !session.dialect.has_transactions() {
            (self.tell)(begins);
            if !tasks.is_empty() {
                if !place.forwards && from.is_none() {
                    self.unrecord(session, place).await?;
                }
                run::one_by_one(session, place, tasks, from).await?;
            }
            session.begin(self.lock_wait, &self.tell).await?;
            let recorded = record_it(session, place).await;
            self.end(session, recorded).await?;
            return Ok(true);
        }
        session.begin(self.lock_wait, &self.tell).await?;
        let done = async {
            // On SQLite the lock is taken only now.
            if record::applied(session).await? != known.names {
                return Ok(false);
            }
            (self.tell)(begins);
            let before = if looks_away { sqlite::violations(session).await? } else { Vec::new() };
            run::at_once(session, place, tasks).await?;
            if looks_away {
                self.check_foreign_keys(session, place, &before).await?;
            }
            record_it(session, place).await?;
            Ok(true)
        };
        let done = done.await;
        self.end(session, done).await
    }

    /// From now on it is one that stopped half-way, with all of it in effect.
    async fn unrecord(&self, session: &Session, place: &Place<'_>) -> Result<(), MigrateError> {
        let whole = place.progress(place.operations.len());
        session.begin(self.lock_wait, &self.tell).await?;
        let unrecorded = async {
            record::save_progress(session, place.app, place.name, &whole).await?;
            Ok(record::remove(session, place.app, place.name).await?)
        };
        let unrecorded = unrecorded.await;
        self.end(session, unrecorded).await
    }

    async fn check_foreign_keys(
        &self,
        session: &Session,
        place: &Place<'_>,
        before: &[String],
    ) -> Result<(), MigrateError> {
        let now = sqlite::violations(session).await?;
        if now.len() <= before.len() {
            return Ok(());
        }
        let first = now.iter().find(|row| !before.contains(row)).or(now.first()).cloned().unwrap_or_default();
        Err(MigrateError::Failed {
            migration: format!("{}.{}", place.app, place.name),
            place: "the check of foreign keys at its end".to_owned(),
            left: "nothing of it is left".to_owned(),
            source: first.into(),
        })
    }

    /// Commits what went well, and nothing else.
    async fn end<T>(&self, session: &Session, done: Result<T, MigrateError>) -> Result<T, MigrateError> {
        match done {
            Ok(done) => {
                if let Err(error) = session.commit().await {
                    // What it said counts; there may be nothing to roll back.
                    drop(session.rollback().await);
                    return Err(error.into());
                }
                Ok(done)
            }
            Err(error) => {
                if let Err(rollback) = session.rollback().await {
                    tracing::warn!(
                        error = &rollback as &dyn std::error::Error,
                        "a migration could not be rolled back"
                    );
                }
                Err(error)
            }
        }
    }

    async fn make(
        &self,
        graph: &Graph<'_>,
        pending: &[(usize, bool)],
    ) -> Result<Vec<(usize, Duration)>, MigrateError> {
        let mut made = Vec::new();
        for (at, forwards) in pending {
            let node = &graph.nodes[*at];
            if let (NodePart::Made(make), true) = (&node.part, forwards) {
                let begun = Instant::now();
                make().await.map_err(|source| MigrateError::Made { migration: node.label(), source })?;
                made.push((*at, begun.elapsed()));
            }
        }
        Ok(made)
    }

    /// What the database knows, read over a connection that goes back at once.
    async fn known(&self) -> Result<Known, MigrateError> {
        let session = Session::open(&self.connection).await?;
        let known = Known::read(&session).await;
        session.close().await?;
        known
    }

    /// A record that is missing can be put there.
    fn check(&self, graph: &Graph<'_>, applied: &[bool]) -> Result<(), MigrateError> {
        if self.fake { Ok(()) } else { graph.check(applied) }
    }

    fn refuse_gone(
        &self,
        graph: &Graph<'_>,
        names: &Names,
        steps: &[(usize, bool)],
    ) -> Result<(), MigrateError> {
        for (app, name) in graph.gone(names) {
            if let Some((at, _)) = steps.iter().find(|(at, _)| graph.nodes[*at].app == app) {
                return Err(MigrateError::Gone {
                    gone: format!("{app}.{name}"),
                    pending: graph.nodes[*at].label(),
                });
            }
        }
        Ok(())
    }

    async fn look_ahead(self) -> Result<Vec<Planned>, MigrateError> {
        let graph = Graph::new(&self.apps)?;
        let session = Session::open(&self.connection).await?;
        let dialect = session.dialect;
        let known = Known::read(&session).await;
        session.close().await?;
        let known = known?;
        let mut applied = graph.applied(&known.names);
        self.check(&graph, &applied)?;
        let steps = graph.steps(&self.target, &applied, &known.begun(&graph))?;
        self.refuse_gone(&graph, &known.names, &steps)?;
        let mut planned = Vec::new();
        for (at, forwards) in steps {
            let node = &graph.nodes[at];
            applied[at] = false;
            let before = graph.schema(&applied)?;
            let tasks = work::tasks(&graph, at, forwards, dialect, &before)?;
            applied[at] = forwards;
            let mut operations: Vec<_> = tasks.iter().map(planned_operation).collect();
            if matches!(node.part, NodePart::Made(_)) {
                let what = "made by the program".to_owned();
                operations.push(PlannedOperation { what, sql: Vec::new() });
            }
            planned.push(Planned {
                app: node.app.to_owned(),
                name: node.name.to_owned(),
                forwards,
                operations,
            });
        }
        Ok(planned)
    }

    async fn look(self) -> Result<Vec<Status>, MigrateError> {
        let graph = Graph::new(&self.apps)?;
        let known = self.known().await?;
        let applied = graph.applied(&known.names);
        let gone = graph.gone(&known.names);
        let mut all = Vec::new();
        for app in &self.apps {
            for at in graph.of_app(&app.name)? {
                let node = &graph.nodes[at];
                let half = known.progress.get(&(node.app.to_owned(), node.name.to_owned()));
                all.push(Status {
                    app: app.name.clone(),
                    name: node.name.to_owned(),
                    applied: applied[at],
                    half: half.map(|half| half.done),
                    known: true,
                });
            }
            all.extend(gone.iter().filter(|(of, _)| *of == app.name).map(|(app, name)| Status {
                app: app.clone(),
                name: name.clone(),
                applied: true,
                half: None,
                known: false,
            }));
        }
        Ok(all)
    }
}

impl fmt::Debug for Migrator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let apps: Vec<_> = self.apps.iter().map(|app| &app.name).collect();
        f.debug_struct("Migrator").field("apps", &apps).field("target", &self.target).finish_non_exhaustive()
    }
}

/// What the database knows of migrations.
struct Known {
    names: Names,
    progress: std::collections::HashMap<(String, String), Progress>,
}

impl Known {
    async fn read(session: &Session) -> Result<Self, MigrateError> {
        Ok(Self { names: record::applied(session).await?, progress: record::progress(session).await? })
    }

    fn begun(&self, graph: &Graph<'_>) -> Vec<bool> {
        let is_begun = |node: &graph::Node<'_>| {
            let progress = self.progress.get(&(node.app.to_owned(), node.name.to_owned()));
            progress.is_some_and(|progress| progress.done > 0 || progress.statements > 0 || progress.unsure)
        };
        graph.nodes.iter().map(is_begun).collect()
    }
}

async fn record_it(session: &Session, place: &Place<'_>) -> Result<(), MigrateError> {
    if place.forwards {
        record::add(session, place.app, place.name).await?;
    } else {
        record::remove(session, place.app, place.name).await?;
    }
    Ok(record::clear_progress(session, place.app, place.name).await?)
}

/// MySQL has no foreign key between columns of different types: both sides have to change in one migration.
fn check_torn(
    dialect: Dialect,
    graph: &Graph<'_>,
    at: usize,
    forwards: bool,
    before: &crate::schema::Schema,
) -> Result<(), MigrateError> {
    if dialect.has_transactions() {
        return Ok(());
    }
    let mut end = before.clone();
    let operations = graph.nodes[at].operations();
    if forwards {
        for (number, operation) in operations.iter().enumerate() {
            crate::state::apply(&mut end, operation)
                .map_err(|source| graph.does_not_fit(at, number, operation, source))?;
        }
    }
    match (crate::dialect::torn(&end), operations.last()) {
        (Some((table, key)), Some(last)) => {
            let why = format!(
                "at its end the foreign key `{}` of `{table}` would have sides of different types: change both in one migration",
                key.name
            );
            Err(graph.does_not_fit(at, operations.len() - 1, last, why))
        }
        _ => Ok(()),
    }
}

fn planned_operation(task: &work::Task<'_>) -> PlannedOperation {
    let mut sql = Vec::new();
    for step in &task.steps {
        match step {
            work::Step::Statement(Statement::Sql(text)) | work::Step::Script(text) => sql.push(text.clone()),
            work::Step::Statement(Statement::If { sql: text, .. }) => {
                sql.push(format!("-- where it is needed: {text}"))
            }
            work::Step::Statement(Statement::Refuse { why, .. }) => {
                sql.push(format!("-- refused where {why}"))
            }
            work::Step::Statement(Statement::Rebuild(rebuild)) => {
                let all = crate::dialect::rebuild::statements(rebuild, &[], &[]);
                sql.extend(all.unwrap_or_default());
            }
            work::Step::Run(_) => sql.push("-- code of the site".to_owned()),
        }
    }
    PlannedOperation { what: task.what.clone(), sql }
}

/// What an operation does, in words.
pub(crate) fn describe(operation: &Operation) -> String {
    match operation {
        Operation::CreateTable { name, .. } => format!("create the table `{name}`"),
        Operation::DropTable { name } => format!("drop the table `{name}`"),
        Operation::RenameTable { from, to } => format!("rename the table `{from}` to `{to}`"),
        Operation::AddColumn { table, column, .. } => {
            format!("add the column `{}` to `{table}`", column.name)
        }
        Operation::DropColumn { table, name, .. } => format!("drop the column `{name}` of `{table}`"),
        Operation::RenameColumn { table, from, to } => {
            format!("rename the column `{from}` of `{table}` to `{to}`")
        }
        Operation::AlterColumn { table, column, .. } => {
            format!("change the column `{}` of `{table}`", column.name)
        }
        Operation::AddIndex { table, index } if index.unique => {
            format!("add the unique index `{}` to `{table}`", index.name)
        }
        Operation::AddIndex { table, index } => format!("add the index `{}` to `{table}`", index.name),
        Operation::DropIndex { table, name } => format!("drop the index `{name}` of `{table}`"),
        Operation::AddForeignKey { table, key } => format!("add the foreign key `{}` to `{table}`", key.name),
        Operation::DropForeignKey { table, name } => format!("drop the foreign key `{name}` of `{table}`"),
        Operation::Sql(Sql { .. }) => "run SQL".to_owned(),
        Operation::Run(Run { .. }) => "run code".to_owned(),
    }
}
