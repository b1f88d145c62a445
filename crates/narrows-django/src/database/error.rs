use std::error::Error;
use std::io;
use std::path::PathBuf;

use sea_orm::DbErr;

/// Why what keeps the accounts did not do what it was asked for. No text of it has a password.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DatabaseError {
    /// The URL cannot be read.
    #[error("the URL of the database cannot be read: {0}")]
    Url(String),
    /// The URL is of no database that is known here.
    #[error("`{0}` is no database known here: a URL begins with `sqlite:`, `postgres://` or `mysql://`")]
    Scheme(String),
    /// The crate was built without this database.
    #[error("the feature `{0}` of narrows-django is off, and this database needs it")]
    Feature(&'static str),
    /// There is no such file, and the URL does not say that it may be made.
    #[error("there is no database at {0}: with `?mode=rwc` at its end the URL makes it")]
    NoFile(PathBuf),
    /// It cannot be reached, at least not in time.
    #[error("the database cannot be reached")]
    Connect(#[source] Box<dyn Error + Send + Sync>),
    /// It was reached, and refused.
    #[error("the database did not answer as it should")]
    Query(#[source] Box<dyn Error + Send + Sync>),
    /// The folder that sessions are in cannot be used.
    #[error("the folder of the sessions cannot be used")]
    Files(#[source] io::Error),
    /// The thread that asks the database cannot be started.
    #[error("the thread of the database cannot be started")]
    Thread(#[source] io::Error),
    /// It took too long.
    #[error("the database did not answer in time")]
    Slow,
}

impl From<DbErr> for DatabaseError {
    fn from(error: DbErr) -> Self {
        match error {
            DbErr::Conn(_) | DbErr::ConnectionAcquire(_) => Self::Connect(Box::new(error)),
            _ => Self::Query(Box::new(error)),
        }
    }
}

#[cfg(feature = "superuser")]
impl DatabaseError {
    /// Whether a table is missing, as each of the databases says it.
    pub(crate) fn is_missing_table(&self) -> bool {
        let Self::Query(error) = self else { return false };
        let text = error.to_string();
        let says = |words: [&str; 2]| words.iter().all(|words| text.contains(words));
        // Databases, roles and columns can be missing too.
        says(["no such table", ""])
            || says(["relation \"", "does not exist"])
            || says(["Table '", "doesn't exist"])
    }
}
