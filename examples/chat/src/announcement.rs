use narrows::{Group, History, Text};
use serde::{Deserialize, Serialize};

use crate::inbox::CUT;

/// Who may send announcements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Announce {
    /// Everyone in a chat room.
    #[default]
    Everyone,
    /// Nobody; for a site on the open internet.
    Nobody,
}

/// A text to every connected client of the site, whichever chat it is in.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename = "announcement")]
pub(crate) struct Announcement {
    pub(crate) message: String,
    pub(crate) from: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) account: bool,
    pub(crate) time: u64,
}

/// The group that every consumer of the site joins.
pub(crate) fn everyone() -> Group<Announcement> {
    Group::everyone().with_history(History::new(50, CUT))
}

/// How the plain-text chats show it; the rooms have a message type of their own for it.
impl From<Announcement> for Text {
    fn from(Announcement { message, from, .. }: Announcement) -> Self {
        Self(format!("announcement from {from}: {message}"))
    }
}
