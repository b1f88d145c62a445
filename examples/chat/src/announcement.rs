//! What all sockets of the site show, whichever app they are of.

use std::error::Error;

use narrows::{Channels, Group, History, Text};
use narrows_admin::Target;
use narrows_web::Site;
use serde::{Deserialize, Serialize};

use crate::notifications::CUT;
use crate::rooms::protocol::{ServerMsg, now};

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

/// Sends what staff write in the admin, as the server: to everyone, or to a room by the name of its group.
pub(crate) async fn by_staff(
    channels: Channels,
    message: String,
    to: Target,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    let announcement = Announcement { message, from: "server".to_owned(), account: false, time: now() };
    match to {
        Target::Everyone => channels.broadcast(&everyone(), &announcement).await?,
        Target::Group(name) => channels.broadcast(&Group::new(name)?, &ServerMsg::from(announcement)).await?,
    }
    Ok(())
}

/// How the plain-text chats show it; the rooms have a message type of their own for it.
impl From<Announcement> for Text {
    fn from(Announcement { message, from, .. }: Announcement) -> Self {
        Self(format!("announcement from {from}: {message}"))
    }
}
