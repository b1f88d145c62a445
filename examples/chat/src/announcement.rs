//! What all sockets of the site show, whichever app they are of.

use narrows::{Group, History, Text};
use narrows_web::Site;
use serde::{Deserialize, Serialize};

use crate::notifications::CUT;

/// Whether everyone in a chat room may announce; nobody does on a site on the open internet, but staff in the admin.
pub(crate) fn is_open(site: &Site) -> bool {
    site.settings().text("announce") == "everyone"
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
