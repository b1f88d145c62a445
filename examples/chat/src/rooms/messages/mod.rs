//! What was said in the rooms, in the site's database.

mod expiry;
mod marks;
mod pages;
mod search;
mod store;
pub(super) mod text;
mod turns;

use std::sync::Arc;

use narrows::Group;
use narrows_web::Site;
use narrows_web::narrows_django::Database;
use serde::Serialize;
use tokio::sync::Semaphore;

pub(crate) use self::expiry::delete_old;
pub(crate) use self::pages::Page;
pub(crate) use self::search::Found;
pub(crate) use self::store::{Draft, SayError};
use self::turns::Turns;
use crate::rooms::protocol::ServerMsg;

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
    /// Those of a site.
    pub fn of(site: &Site) -> Self {
        site.shared(|site| Self::new(site.database()))
    }

    fn new(database: &Database) -> Self {
        let (turns, searches) = (Turns::default(), Arc::new(Semaphore::new(search::SEARCHES)));
        Self(Arc::new(Inner { database: database.clone(), turns, searches }))
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
