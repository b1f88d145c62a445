use std::time::Duration;

use narrows::{Group, History};
use serde::{Deserialize, Serialize};

use crate::rooms::protocol::{ServerMsg, now};

/// How long a connection may be away without missing something that is not in the database.
pub(crate) const CUT: Duration = Duration::from_secs(180);

/// What reaches one person on each device, whichever page is open there.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub(crate) enum Inbox {
    /// Somebody in a chat room wrote to this person alone.
    Direct {
        message: String,
        from: String,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        account: bool,
        to: String,
        time: u64,
    },
    /// Something happened; `{"type": "notification", "message": "…"}` is enough, also from a Django view.
    Notification {
        message: String,
        #[serde(default)]
        from: String,
        #[serde(default = "now")]
        time: u64,
    },
    /// The account has read a room up to this number, on one of its devices.
    Read { room: String, id: u64 },
}

impl Inbox {
    /// Of an account: by its id, which nobody else can take as a name.
    ///
    /// What comes while a device is cut off is at hand when it comes back within some minutes; nothing is kept for longer.
    pub(crate) fn of(user: &str) -> Group<Self> {
        Self::not_kept(user).with_history(History::new(100, CUT))
    }

    /// The same for what nobody misses who was away.
    pub(crate) fn not_kept(user: &str) -> Group<Self> {
        Group::inbox(user)
    }

    /// Of all guests who use this name. As anybody may use it, nothing is at hand there: the history is as small as one
    /// can be, and there for what a sender sends again to count once.
    pub(crate) fn of_guests(name: &str) -> Group<Self> {
        let group = Group::keyed("guest", name).expect("`guest` is a legal prefix");
        group.with_history(History::new(1, Duration::from_secs(1)))
    }
}

/// How a chat room shows it.
impl From<Inbox> for ServerMsg {
    fn from(message: Inbox) -> Self {
        match message {
            Inbox::Direct { message, from, account, to, time } => {
                Self::Direct { message, from, account, to, time }
            }
            Inbox::Notification { message, from, time } => Self::Notification { message, from, time },
            Inbox::Read { room, id } => Self::Read { room, id },
        }
    }
}
