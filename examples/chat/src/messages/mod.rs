//! What was said in the rooms, in the site's database.

mod expiry;
mod marks;
mod pages;
mod search;
mod store;
mod tables;
mod text;
mod turns;

use std::sync::Arc;

use narrows::Group;
use narrows_django::{Database, DatabaseError};
use serde::Serialize;
use tokio::sync::Semaphore;

pub(crate) use self::pages::Page;
pub(crate) use self::search::Found;
pub(crate) use self::store::{Draft, SayError};
use self::turns::Turns;
use crate::protocol::ServerMsg;

/// The messages of all rooms, and how far accounts have read them. Clones are cheap.
///
/// The messages of a room are numbered from 1 in the order in which the database took them, without a hole: a page that
/// has two neighbours has all, whichever nodes they came through. The numbers are of an *epoch*, a random number of the
/// room's: in another database they begin anew.
#[derive(Clone)]
pub struct Messages(Arc<Inner>);

struct Inner {
    database: Database,
    turns: Turns,
    searches: Arc<Semaphore>,
}

impl Messages {
    /// The messages in this database, whose tables are made where they are missing. Any number of processes may do so
    /// at the same time.
    ///
    /// # Errors
    /// When the database does not.
    pub async fn open(database: &Database) -> Result<Self, DatabaseError> {
        tables::create(database).await?;
        let (turns, searches) = (Turns::default(), Arc::new(Semaphore::new(search::SEARCHES)));
        Ok(Self(Arc::new(Inner { database: database.clone(), turns, searches })))
    }

    /// Messages that are gone with the process.
    ///
    /// # Errors
    /// When there is no room for them.
    pub async fn in_memory() -> Result<Self, DatabaseError> {
        Self::open(&Database::connect("sqlite::memory:").await?).await
    }
}

/// A room as the database knows it: by the name of its group, so by 99 characters at the most, of any script.
#[derive(Debug, Clone)]
pub(crate) struct RoomKey {
    group: String,
    /// The room's own name.
    pub(crate) title: String,
}

impl RoomKey {
    pub(crate) fn new(group: &Group<ServerMsg>, title: &str) -> Self {
        Self { group: group.name().to_owned(), title: title.to_owned() }
    }
}

/// A message that was said in a room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Kept {
    /// Its number in the room.
    pub(crate) id: u64,
    pub(crate) message: String,
    pub(crate) from: String,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) account: bool,
    pub(crate) time: u64,
}

/// Where a room's numbers stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Top {
    /// 0 for a room in which nothing was said yet.
    pub(crate) epoch: u64,
    /// The number of the newest message.
    pub(crate) last: u64,
}
