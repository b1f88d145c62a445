//! The database of the accounts, by SeaORM.

mod error;
mod tables;
mod target;
mod thread;
mod time;
mod transaction;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sea_orm::{DatabaseConnection, DbBackend};

pub use self::error::DatabaseError;
use self::target::Target;
use self::thread::Thread;
pub(crate) use self::time::{time_of, time_value};
pub use self::transaction::begin_writing;

/// How long one piece of work may take, such as the read of a session.
const WORK_TIMEOUT: Duration = Duration::from_secs(10);

/// The database that sessions and users are in. Clones are cheap and share a pool.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// use narrows_django::Database;
///
/// let database = Database::connect("sqlite::memory:").await?;
/// database.create_tables().await?;
/// # Ok::<(), narrows_django::DatabaseError>(()) })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Its connections live on a thread of its own, which ends with the last clone: what is held up elsewhere does not hold
/// up its answers.
#[derive(Clone)]
pub struct Database(Arc<Inner>);

struct Inner {
    connection: DatabaseConnection,
    thread: Mutex<Option<Arc<Thread>>>,
}

impl Database {
    /// Opens the database at this URL, and sees that it answers.
    ///
    /// * `sqlite://relative/path`, `sqlite:///absolute/path`, `sqlite:path` – a file, which must be there; with
    ///   `?mode=rwc` it is made where it is not, with its folders. Write-ahead logging is turned on, foreign keys are
    ///   enforced, and a writer waits five seconds for another one.
    /// * `sqlite::memory:` – gone with the last clone.
    /// * `postgres://user:password@host:5432/name` or `postgresql://…`, with the feature `postgres`.
    /// * `mysql://user:password@host:3306/name` or `mariadb://…`, with the feature `mysql`.
    ///
    /// # Errors
    /// When the URL is wrong or the database cannot be reached.
    ///
    /// # Cancel safety
    /// Cancel safe.
    pub async fn connect(url: &str) -> Result<Self, DatabaseError> {
        let target = Target::parse(url)?;
        target.prepare()?;
        let thread = Thread::start().map_err(DatabaseError::Thread)?;
        let connection = thread
            .run(async move {
                target.probe().await?;
                Ok(target.pool())
            })
            .await?;
        Ok(Self::new(connection, Some(thread)))
    }

    /// Opens the database at this URL when it is first asked something: a site can start while it is away, and answers
    /// 503 until it is there.
    ///
    /// # Errors
    /// When the URL is wrong.
    pub fn connect_lazy(url: &str) -> Result<Self, DatabaseError> {
        let target = Target::parse(url)?;
        if let Err(error) = target.prepare() {
            tracing::warn!(error = &error as &dyn std::error::Error, "the database is not there yet");
        }
        let thread = Thread::start().map_err(DatabaseError::Thread)?;
        let connection = {
            let _within = thread.handle().enter();
            target.pool()
        };
        Ok(Self::new(connection, Some(thread)))
    }

    fn new(connection: DatabaseConnection, thread: Option<Thread>) -> Self {
        Self(Arc::new(Inner { connection, thread: Mutex::new(thread.map(Arc::new)) }))
    }

    /// The pool. For queries of a site's own [`run`](Self::run) is better, unless they are many and long.
    pub fn connection(&self) -> &DatabaseConnection {
        &self.0.connection
    }

    /// Which of the three it is.
    pub fn backend(&self) -> DbBackend {
        self.0.connection.get_database_backend()
    }

    /// Makes the tables of Django's `contenttypes`, `auth` and `sessions` applications where they are missing, as the
    /// migrations of Django 5.2 make them, and records these as applied: `manage.py migrate` goes on from there.
    ///
    /// An application of which a migration is recorded already is left to Django. Several processes may do this at the
    /// same time.
    ///
    /// # Errors
    /// When the database does not, which leaves nothing behind, or in MySQL some of the tables.
    ///
    /// # Cancel safety
    /// Cancel safe: it is done to its end.
    pub async fn create_tables(&self) -> Result<(), DatabaseError> {
        let connection = self.0.connection.clone();
        self.thread()?.run(async move { tables::create(&connection).await }).await
    }

    /// Runs statements that make a site's own tables, in one transaction. Of several processes that begin at once one at a
    /// time does, so `CREATE TABLE IF NOT EXISTS` is safe here: by itself it is not on PostgreSQL.
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
    /// # let database = narrows_django::Database::connect("sqlite::memory:").await?;
    /// database.make_tables(["CREATE TABLE IF NOT EXISTS note (id bigint NOT NULL PRIMARY KEY)"]).await?;
    /// # Ok::<(), narrows_django::DatabaseError>(()) })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As for [`create_tables`](Self::create_tables).
    ///
    /// # Cancel safety
    /// Cancel safe: it is done to its end.
    pub async fn make_tables<S: Into<String>>(
        &self,
        statements: impl IntoIterator<Item = S>,
    ) -> Result<(), DatabaseError> {
        let statements: Vec<String> = statements.into_iter().map(Into::into).collect();
        let connection = self.0.connection.clone();
        self.thread()?.run(async move { tables::run(&connection, &statements).await }).await
    }

    /// Does a piece of work on the database's own thread, within ten seconds.
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
    /// # use narrows_django::Database;
    /// # let database = Database::connect("sqlite::memory:").await?;
    /// use narrows_django::sea_orm::ConnectionTrait;
    ///
    /// database.run(async |pool| pool.execute_unprepared("CREATE TABLE news (title text)").await).await?;
    /// # Ok::<(), narrows_django::DatabaseError>(()) })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Those of the work, and when it takes too long.
    ///
    /// # Cancel safety
    /// Cancel safe: it is done to its end.
    pub async fn run<T, E, F>(&self, work: impl FnOnce(DatabaseConnection) -> F) -> Result<T, DatabaseError>
    where
        T: Send + 'static,
        E: Into<DatabaseError>,
        F: Future<Output = Result<T, E>> + Send + 'static,
    {
        let work = work(self.0.connection.clone());
        let timed = async {
            match tokio::time::timeout(WORK_TIMEOUT, work).await {
                Ok(done) => done.map_err(Into::into),
                Err(_) => Err(DatabaseError::Slow),
            }
        };
        self.thread()?.run(timed).await
    }

    /// [`run`](Self::run) without the ten seconds: for migrations and the like, where nobody waits for an answer.
    ///
    /// # Errors
    /// Those of the work.
    ///
    /// # Cancel safety
    /// Cancel safe: it is done to its end.
    pub async fn run_long<T, E, F>(
        &self,
        work: impl FnOnce(DatabaseConnection) -> F,
    ) -> Result<T, DatabaseError>
    where
        T: Send + 'static,
        E: Into<DatabaseError>,
        F: Future<Output = Result<T, E>> + Send + 'static,
    {
        let work = work(self.0.connection.clone());
        self.thread()?.run(async { work.await.map_err(Into::into) }).await
    }

    /// That of a site's own pool is started when it is first needed.
    fn thread(&self) -> Result<Arc<Thread>, DatabaseError> {
        let mut thread = self.0.thread.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(thread) = &*thread {
            return Ok(thread.clone());
        }
        let started = Arc::new(Thread::start().map_err(DatabaseError::Thread)?);
        *thread = Some(started.clone());
        Ok(started)
    }
}

impl From<DatabaseConnection> for Database {
    /// For a site that has a pool of its own. Its settings are the site's: where it waits long for a connection, so do
    /// the requests while the database is away.
    fn from(connection: DatabaseConnection) -> Self {
        Self::new(connection, None)
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Database").field(&self.backend()).finish()
    }
}
