//! Where sessions are.

mod files;
mod listing;
mod rows;

use std::sync::Arc;

use chrono::{DateTime, Utc};

use self::files::Files;
pub(super) use self::listing::Row;
pub(crate) use self::rows::Rows;
use super::{SaveError, SessionCookie, SessionEngine};
use crate::database::{Database, DatabaseError};

/// Told the key of each session that was saved or deleted.
pub(crate) type Changed = Arc<dyn Fn(&str) + Send + Sync>;

/// What keeps sessions, by their keys.
#[derive(Clone)]
pub(crate) enum Store {
    Rows(Rows),
    Files(Files),
    /// Each in its own cookie.
    Cookies,
}

/// A session as it is kept.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) text: String,
    pub(super) expires: Expires,
}

/// When it ends.
#[derive(Debug)]
pub(super) enum Expires {
    /// Then.
    At(DateTime<Utc>),
    /// As what is in it says, counted from this time.
    SavedAt(DateTime<Utc>),
}

/// What a save does, in this order.
#[derive(Debug, Default)]
pub(super) struct Change {
    /// Deletes these.
    pub(super) delete: Vec<String>,
    pub(super) put: Option<Put>,
}

#[derive(Debug)]
pub(super) struct Put {
    /// The session that is there; without, a new one is made.
    pub(super) key: Option<String>,
    pub(super) text: String,
    pub(super) expires: DateTime<Utc>,
    /// Deletes this, once the new one is there.
    pub(super) replaces: Option<String>,
}

/// How often a new key is tried. Two of 165 random bits are never the same; a third is a sign of something else.
const NEW_KEYS: usize = 3;

impl Store {
    pub(crate) fn new(engine: &SessionEngine, database: &Database, cookie: &SessionCookie) -> Self {
        match engine {
            SessionEngine::Database | SessionEngine::CachedDatabase => {
                Self::Rows(Rows::new(database.clone()))
            }
            SessionEngine::SignedCookies => Self::Cookies,
            SessionEngine::Files(folder) => Self::Files(Files::new(folder, &cookie.name)),
        }
    }

    pub(super) async fn read(&self, key: &str) -> Result<Option<Kept>, DatabaseError> {
        match self {
            Self::Rows(rows) => rows.read(key).await,
            Self::Files(files) => files.read(key).await,
            Self::Cookies => Ok(None),
        }
    }

    /// The key of what was put.
    pub(super) async fn apply(&self, change: Change) -> Result<Option<String>, SaveError> {
        match self {
            Self::Rows(rows) => rows.apply(change).await,
            Self::Files(files) => files.apply(change).await,
            Self::Cookies => Ok(None),
        }
    }
}
