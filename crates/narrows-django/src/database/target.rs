#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
use std::error::Error;
#[cfg(feature = "sqlite")]
use std::path::PathBuf;
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
use std::time::Duration;

use sea_orm::DatabaseConnection;
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
use sea_orm::sqlx::{self, Connection, Database, pool::PoolOptions};
#[cfg(feature = "mysql")]
use sqlx::mysql::{MySql, MySqlConnectOptions, MySqlConnection};
#[cfg(feature = "postgres")]
use sqlx::postgres::{PgConnectOptions, PgConnection, Postgres};
#[cfg(feature = "sqlite")]
use sqlx::sqlite::{Sqlite, SqliteConnectOptions, SqliteConnection, SqliteJournalMode};

use super::DatabaseError;

/// How long a query waits for a connection: a request is answered 503 after it.
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(3);
/// How long a writer waits for another process that writes to the same SQLite file. Django waits for five seconds.
#[cfg(feature = "sqlite")]
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Connections to a server. The thread that asks is one, so more would not make it faster.
#[cfg(any(feature = "postgres", feature = "mysql"))]
const SERVER_CONNECTIONS: u32 = 10;
/// Connections to a file: one writes, the others read meanwhile.
#[cfg(feature = "sqlite")]
const FILE_CONNECTIONS: u32 = 4;

/// Where a URL points.
#[derive(Debug)]
pub(super) enum Target {
    #[cfg(feature = "sqlite")]
    File { options: SqliteConnectOptions, path: PathBuf, create: bool },
    #[cfg(feature = "sqlite")]
    Memory(SqliteConnectOptions),
    #[cfg(feature = "postgres")]
    Postgres(PgConnectOptions),
    #[cfg(feature = "mysql")]
    MySql(MySqlConnectOptions),
}

impl Target {
    pub(super) fn parse(url: &str) -> Result<Self, DatabaseError> {
        let Some((scheme, rest)) = url.split_once(':') else {
            return Err(DatabaseError::Url("it has no `:`".to_owned()));
        };
        match scheme {
            "sqlite" => sqlite(rest),
            "postgres" | "postgresql" => postgres(rest),
            "mysql" | "mariadb" => mysql(rest),
            _ => Err(DatabaseError::Scheme(scheme.to_owned())),
        }
    }

    /// Makes the folder of a file that may be made, and sees that one that may not is there.
    pub(super) fn prepare(&self) -> Result<(), DatabaseError> {
        match *self {
            #[cfg(feature = "sqlite")]
            Self::File { ref path, create: true, .. } => {
                let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
                folder
                    .map_or(Ok(()), std::fs::create_dir_all)
                    .map_err(|e| DatabaseError::Connect(Box::new(e)))
            }
            #[cfg(feature = "sqlite")]
            Self::File { ref path, create: false, .. } => {
                if path.exists() {
                    Ok(())
                } else {
                    Err(DatabaseError::NoFile(path.clone()))
                }
            }
            #[cfg(feature = "sqlite")]
            Self::Memory(_) => Ok(()),
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => Ok(()),
            #[cfg(feature = "mysql")]
            Self::MySql(_) => Ok(()),
        }
    }

    /// Connects once, for the reason why it does not: a pool tries again and again, and says that time is over.
    pub(super) async fn probe(&self) -> Result<(), DatabaseError> {
        match *self {
            #[cfg(feature = "sqlite")]
            Self::File { ref options, .. } => probe::<SqliteConnection>(options).await,
            #[cfg(feature = "sqlite")]
            Self::Memory(_) => Ok(()),
            #[cfg(feature = "postgres")]
            Self::Postgres(ref options) => probe::<PgConnection>(options).await,
            #[cfg(feature = "mysql")]
            Self::MySql(ref options) => probe::<MySqlConnection>(options).await,
        }
    }

    /// A pool without a connection yet. Within the runtime that is to look after it.
    pub(super) fn pool(self) -> DatabaseConnection {
        match self {
            #[cfg(feature = "sqlite")]
            Self::File { options, .. } => pool::<Sqlite>(FILE_CONNECTIONS).connect_lazy_with(options).into(),
            #[cfg(feature = "sqlite")]
            Self::Memory(options) => {
                // It is gone with its last connection.
                let pool = pool::<Sqlite>(1).min_connections(1).idle_timeout(None).max_lifetime(None);
                pool.connect_lazy_with(options).into()
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(options) => pool::<Postgres>(SERVER_CONNECTIONS).connect_lazy_with(options).into(),
            #[cfg(feature = "mysql")]
            Self::MySql(options) => pool::<MySql>(SERVER_CONNECTIONS).connect_lazy_with(options).into(),
        }
    }
}

#[cfg(feature = "sqlite")]
fn sqlite(rest: &str) -> Result<Target, DatabaseError> {
    let options: SqliteConnectOptions =
        format!("sqlite:{rest}").parse().map_err(|e: sqlx::Error| url_error(&e))?;
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let modes: Vec<&str> = query.split('&').filter_map(|pair| pair.strip_prefix("mode=")).collect();
    let options = options.busy_timeout(BUSY_TIMEOUT).foreign_keys(true);
    if path.trim_start_matches('/') == ":memory:" || modes.contains(&"memory") {
        return Ok(Target::Memory(options));
    }
    let path = options.get_filename().to_owned();
    if path.as_os_str().is_empty() {
        return Err(DatabaseError::Url("it names no file".to_owned()));
    }
    let read_only = modes.contains(&"ro") || query.contains("immutable=true");
    // Readers and a writer do not wait for each other. The file remembers it, and Django has nothing against it.
    let options = if read_only { options } else { options.journal_mode(SqliteJournalMode::Wal) };
    Ok(Target::File { options, path, create: modes.contains(&"rwc") })
}

#[cfg(not(feature = "sqlite"))]
fn sqlite(_: &str) -> Result<Target, DatabaseError> {
    Err(DatabaseError::Feature("sqlite"))
}

#[cfg(feature = "postgres")]
fn postgres(rest: &str) -> Result<Target, DatabaseError> {
    format!("postgres:{rest}").parse().map(Target::Postgres).map_err(|e: sqlx::Error| url_error(&e))
}

#[cfg(not(feature = "postgres"))]
fn postgres(_: &str) -> Result<Target, DatabaseError> {
    Err(DatabaseError::Feature("postgres"))
}

#[cfg(feature = "mysql")]
fn mysql(rest: &str) -> Result<Target, DatabaseError> {
    format!("mysql:{rest}").parse().map(Target::MySql).map_err(|e: sqlx::Error| url_error(&e))
}

#[cfg(not(feature = "mysql"))]
fn mysql(_: &str) -> Result<Target, DatabaseError> {
    Err(DatabaseError::Feature("mysql"))
}

/// Only the innermost reason, which names no part of the URL but the one that is wrong.
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
fn url_error(error: &sqlx::Error) -> DatabaseError {
    DatabaseError::Url(error.source().map_or_else(|| error.to_string(), ToString::to_string))
}

#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
async fn probe<C: Connection>(options: &C::Options) -> Result<(), DatabaseError> {
    let connecting = tokio::time::timeout(2 * ACQUIRE_TIMEOUT, C::connect_with(options));
    let connection = connecting.await.map_err(|_| DatabaseError::Slow)?;
    let closed = async { connection?.close().await }.await;
    closed.map_err(|e: sqlx::Error| DatabaseError::Connect(Box::new(e)))
}

#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
fn pool<DB: Database>(connections: u32) -> PoolOptions<DB> {
    PoolOptions::new().max_connections(connections).acquire_timeout(ACQUIRE_TIMEOUT)
}
