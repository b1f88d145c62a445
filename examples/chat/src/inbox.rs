use narrows::Group;
use narrows_django::UserId;
use serde::{Deserialize, Serialize};

use crate::protocol::{ServerMsg, now};

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
}

impl Inbox {
    /// Of an account: by its id, which nobody else can take as a name.
    pub(crate) fn of(user: &UserId) -> Group<Self> {
        Group::inbox(user.as_str())
    }

    /// Of all guests who use this name.
    pub(crate) fn of_guests(name: &str) -> Group<Self> {
        Group::keyed("guest", name).expect("`guest` is a legal prefix")
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
        }
    }
}
