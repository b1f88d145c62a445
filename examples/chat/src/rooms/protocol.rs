//! What the browsers in a chat room and the server say to each other, as JSON.

use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::announcement::Announcement;

/// Longest text, in characters.
pub(crate) const MAX_TEXT: usize = 2000;

/// Longest display name of a guest, and of an account that is registered here, in characters.
pub(crate) const MAX_NAME: usize = 40;

/// Longest name of an account, in characters: what Django allows.
const MAX_USERNAME: usize = 150;

/// What a browser sends.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "ClientFrame")]
pub(crate) enum ClientMsg {
    /// `{"message": "hello"}`: to everyone in the room. With a `"once"` of its own it may be sent again, and counts once.
    Message { message: String, once: Option<String> },
    /// `{"type": "direct", "to": "Ada", "message": "hello"}`: to all devices of one person; with `"account": true` to
    /// an account of that name or to nobody.
    Direct { to: String, account: bool, message: String, once: Option<String> },
    /// `{"type": "announce", "message": "hello"}`: to everyone on the site.
    Announce { message: String, once: Option<String> },
    /// `{"type": "typing"}`: tells the others in the room that somebody is writing.
    Typing,
    /// `{"type": "history"}`: asks for the newest messages of the room, those before a number or those after one.
    History { before: Option<u64>, after: Option<u64> },
    /// `{"type": "search", "message": "hello"}`: asks for the messages of the room that have these words, before a number.
    Search { words: String, before: Option<u64> },
    /// `{"type": "read", "id": 17}`: an account has read the room up to this message.
    Read { id: u64 },
}

/// What a browser is sent. Times are in milliseconds since 1970; `account` stands where a name is that of an account, and
/// so of nobody else.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub(crate) enum ServerMsg {
    /// The first message on each socket: the name that the server settled on, and where we are.
    Welcome {
        name: String,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        account: bool,
        room: String,
        time: u64,
        /// The name of the group of those who are in the room, and under which key this person is there.
        present: String,
        key: String,
    },
    /// Its number in the room's history, and the epoch of these numbers: see [`Messages`](crate::rooms::Messages).
    Message {
        message: String,
        from: String,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        account: bool,
        time: u64,
        id: u64,
        epoch: u64,
        /// What the sender's client called it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        once: Option<String>,
    },
    Direct {
        message: String,
        from: String,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        account: bool,
        to: String,
        time: u64,
    },
    Announcement {
        message: String,
        from: String,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        account: bool,
        time: u64,
    },
    Notification {
        message: String,
        from: String,
        time: u64,
    },
    /// Somebody is writing; it is over with a message, or after some seconds.
    Typing {
        name: String,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        account: bool,
        key: String,
    },
    /// Messages were lost on their way here: `history` has them.
    Missed {
        time: u64,
    },
    /// On another device the account has read a room up to this number.
    Read {
        room: String,
        id: u64,
    },
}

/// A member of the announcements' group is sent them as this type.
impl From<Announcement> for ServerMsg {
    fn from(Announcement { message, from, account, time }: Announcement) -> Self {
        Self::Announcement { message, from, account, time }
    }
}

/// A `ClientMsg` as it stands in a frame. Serde's tagged enums need their tag, but `{"message": "hello"}`
/// has none: it is what the Django Channels tutorial sends.
#[derive(Deserialize)]
#[serde(expecting = "an object with a message")]
struct ClientFrame {
    #[serde(rename = "type", default)]
    kind: Kind,
    to: Option<String>,
    #[serde(default)]
    account: bool,
    message: Option<String>,
    once: Option<String>,
    before: Option<u64>,
    after: Option<u64>,
    id: Option<u64>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "lowercase")]
enum Kind {
    #[default]
    Message,
    Direct,
    Announce,
    Typing,
    History,
    Search,
    Read,
}

impl TryFrom<ClientFrame> for ClientMsg {
    type Error = &'static str;

    fn try_from(frame: ClientFrame) -> Result<Self, Self::Error> {
        let ClientFrame { kind, to, account, message, once, before, after, id } = frame;
        let message = message.ok_or("missing field `message`");
        if !once.as_deref().is_none_or(is_once) {
            return Err("`once` has 1 to 64 of the characters A-Z, a-z, 0-9, - and _");
        }
        Ok(match kind {
            Kind::Message => Self::Message { message: message?, once },
            Kind::Direct => {
                Self::Direct { message: message?, to: to.ok_or("missing field `to`")?, account, once }
            }
            Kind::Announce => Self::Announce { message: message?, once },
            Kind::Typing => Self::Typing,
            Kind::History => Self::History { before, after },
            Kind::Search => Self::Search { words: message?, before },
            Kind::Read => Self::Read { id: id.ok_or("missing field `id`")? },
        })
    }
}

fn is_once(once: &str) -> bool {
    (1..=64).contains(&once.len())
        && once.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

/// Why a message that decodes is not passed on. The browser is told, and stays connected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Problem {
    #[error("there is nothing in this message")]
    Empty,
    #[error("a message has at most {MAX_TEXT} characters, this one has {length}")]
    TooLong { length: usize },
    #[error("a name has 1 to {MAX_NAME} characters, and no control characters")]
    BadName,
    #[error("this is the name of an account; log in to use it")]
    NameTaken,
    #[error("your name could not be checked just now; you are a guest with a number")]
    NameUnchecked,
    #[error("there is no account of this name")]
    NoSuchUser,
    #[error("announcements are switched off on this site")]
    Forbidden,
    #[error("the bot has too much to do; ask it again later")]
    BotBusy,
    #[error("the message could not be sent just now; try again in a moment")]
    NotSent,
    #[error("there is nobody of this name here, and direct messages are not kept")]
    NotThere,
    #[error("the history cannot be read just now; try again in a moment")]
    NotRead,
}

impl Problem {
    /// What a page translates.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::TooLong { .. } => "too_long",
            Self::BadName => "bad_name",
            Self::NameTaken => "name_taken",
            Self::NameUnchecked => "name_unchecked",
            Self::NoSuchUser => "no_such_user",
            Self::Forbidden => "forbidden",
            Self::BotBusy => "bot_busy",
            Self::NotSent => "not_sent",
            Self::NotThere => "not_there",
            Self::NotRead => "not_read",
        }
    }
}

impl ClientMsg {
    /// Checks what serde cannot, and trims the name in it.
    pub(crate) fn check(mut self) -> Result<Self, Problem> {
        match &self {
            Self::Message { message, .. } | Self::Direct { message, .. } | Self::Announce { message, .. } => {
                check_text(message)?;
            }
            Self::Search { words, .. } => check_text(words)?,
            Self::Typing | Self::History { .. } | Self::Read { .. } => {}
        }
        if let Self::Direct { to, .. } = &mut self {
            *to = check_addressee(to)?;
        }
        Ok(self)
    }
}

pub(crate) fn check_text(text: &str) -> Result<(), Problem> {
    if text.trim().is_empty() {
        return Err(Problem::Empty);
    }
    match text.chars().count() {
        length if length > MAX_TEXT => Err(Problem::TooLong { length }),
        _ => Ok(()),
    }
}

/// The name of a guest without the space around it, if it can be one.
pub(crate) fn check_name(name: &str) -> Result<String, Problem> {
    check_length(name, MAX_NAME)
}

/// The name of a guest or of an account, in the same way.
pub(crate) fn check_addressee(name: &str) -> Result<String, Problem> {
    check_length(name, MAX_USERNAME)
}

fn check_length(name: &str, most: usize) -> Result<String, Problem> {
    let name = name.trim();
    let fits = (1..=most).contains(&name.chars().count());
    if fits && !name.contains(char::is_control) { Ok(name.to_owned()) } else { Err(Problem::BadName) }
}

/// Milliseconds since 1970, as JavaScript counts them.
pub(crate) fn now() -> u64 {
    // A clock before 1970 is wrong anyway; the chat goes on.
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_1_to_40_characters_of_any_script() {
        assert_eq!(check_name(" Ada \n"), Ok("Ada".to_owned()));
        assert_eq!(check_name(&"明".repeat(40)), Ok("明".repeat(40)));
        for bad in ["", "  ", "a\tb", "a\u{7}", &"x".repeat(41)] {
            assert_eq!(check_name(bad), Err(Problem::BadName), "{bad:?}");
        }
    }

    #[test]
    fn a_text_has_1_to_2000_characters_of_any_script() {
        assert_eq!(check_text(&"聊".repeat(2000)), Ok(()));
        assert_eq!(check_text(&"a".repeat(2001)), Err(Problem::TooLong { length: 2001 }));
        assert_eq!(check_text(" \n"), Err(Problem::Empty));
    }
}
