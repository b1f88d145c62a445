use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};

use crate::history::History;
use crate::presence::Presence;
use crate::topic::Topic;

/// Longest name of a group or channel, in characters. The rule of Django Channels, whose processes may
/// share a channel layer with ours.
pub(crate) const MAX_NAME: usize = 99;

/// A named set of connections that all receive messages of type `M`.
///
/// ```
/// use narrows_core::Group;
///
/// #[derive(serde::Serialize, serde::Deserialize)]
/// #[serde(tag = "type")]
/// enum ServerMsg { Said { text: String } }
///
/// let lobby = Group::<ServerMsg>::new("room.lobby")?;
/// assert_eq!(lobby.name(), "room.lobby");
/// assert!(Group::<ServerMsg>::new("room of my own").is_err());
/// # Ok::<(), narrows_core::NameError>(())
/// ```
///
/// A group exists as soon as it is named: nobody creates or deletes it. Clones are cheap.
pub struct Group<M> {
    name: Arc<str>,
    history: Option<History>,
    message: PhantomData<fn() -> M>,
}

impl<M> Group<M> {
    /// Names a group: 1 to 99 of the characters `A–Z a–z 0–9 - _ .`, the rule of Django Channels.
    ///
    /// # Errors
    /// [`NameError`] says which rule the name breaks. For text that people typed use [`Group::keyed`].
    pub fn new(name: impl AsRef<str>) -> Result<Self, NameError> {
        let name = name.as_ref();
        check(name)?;
        Ok(Self::named(name.into()))
    }

    /// Names a group after any text at all, such as a room name that a person typed.
    ///
    /// ```
    /// # use narrows_core::Group;
    /// let room = Group::<()>::keyed("room", "聊天 & friends")?;
    /// assert_eq!(room.name(), "room._6IGK5aSpICYgZnJpZW5kcw");
    /// assert_eq!(Group::<()>::keyed("room", "lobby")?.name(), "room.lobby");
    /// # Ok::<(), narrows_core::NameError>(())
    /// ```
    ///
    /// A key of legal characters stays readable (`{prefix}.{key}`); any other is written as `_` and
    /// base64url, and one too long for that as `__` and the base64url of its SHA-256. Different keys give
    /// different names, on every node alike.
    ///
    /// # Errors
    /// When the prefix itself breaks the rule of [`Group::new`] or has more than 50 characters.
    pub fn keyed(prefix: &str, key: impl AsRef<str>) -> Result<Self, NameError> {
        check(prefix)?;
        if prefix.len() > 50 {
            return Err(NameError::TooLong { length: prefix.len() });
        }
        let (key, room) = (key.as_ref(), MAX_NAME - prefix.len() - 1);
        let plain = !key.is_empty() && key.len() <= room && !key.starts_with('_') && key.bytes().all(legal);
        let name = if plain {
            format!("{prefix}.{key}")
        } else if key.len().div_ceil(3) * 4 < room {
            format!("{prefix}._{}", URL_SAFE_NO_PAD.encode(key))
        } else {
            format!("{prefix}.__{}", URL_SAFE_NO_PAD.encode(Sha256::digest(key)))
        };
        Ok(Self::named(name.into()))
    }

    /// The inbox of one user: what is sent there reaches each of that user's devices that joined it.
    ///
    /// The same as [`Group::keyed`] with the prefix `user`, so any user name will do.
    pub fn inbox(user: impl AsRef<str>) -> Self {
        Self::keyed("user", user).expect("`user` is a legal prefix")
    }

    /// The group that a site's announcements go to. A consumer that wants them joins it.
    pub fn everyone() -> Self {
        Self::named("everyone".into())
    }

    /// The same group, of which the newest messages are kept: see [`History`].
    #[must_use]
    pub fn with_history(self, history: History) -> Self {
        Self { history: Some(history), ..self }
    }

    /// The same group, for what need not be kept: messages for those who are there now.
    #[must_use]
    pub fn without_history(self) -> Self {
        Self { history: None, ..self }
    }

    /// What is kept of its messages, if anything.
    pub fn history(&self) -> Option<History> {
        self.history
    }

    /// Who is here: connections say so by `Connection::track`, with a `T` about themselves.
    pub fn presence<T>(&self) -> Presence<T> {
        Presence::of(self.name.clone())
    }

    pub(crate) fn named(name: Arc<str>) -> Self {
        Self { name, history: None, message: PhantomData }
    }

    /// The name as it stands on the wire.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What a channel layer sees of this group.
    pub fn topic(&self) -> Topic {
        Topic::group(self.name.clone())
    }
}

/// The address of one connection, or of a background worker, that takes messages of type `M`.
///
/// ```
/// use narrows_core::Channel;
///
/// let thumbnails = Channel::<serde_json::Value>::new("thumbnails-generate")?;
/// assert_eq!(thumbnails.name(), "thumbnails-generate");
/// # Ok::<(), narrows_core::NameError>(())
/// ```
///
/// It can be sent as part of a message (it serialises as its name), so that a receiver can answer.
pub struct Channel<M> {
    name: Arc<str>,
    message: PhantomData<fn() -> M>,
}

impl<M> Channel<M> {
    /// Names a channel: like a group, and at most one `!` that separates a process from its own part.
    ///
    /// # Errors
    /// [`NameError`] says which rule the name breaks.
    pub fn new(name: impl AsRef<str>) -> Result<Self, NameError> {
        let name = name.as_ref();
        match name.split_once('!') {
            Some((process, local)) if !process.is_empty() => {
                check_length(name)?;
                check_characters(process)?;
                check_characters(local)?;
            }
            _ => check(name)?,
        }
        Ok(Self { name: name.into(), message: PhantomData })
    }

    /// The name as it stands on the wire.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What a channel layer sees of this channel.
    pub fn topic(&self) -> Topic {
        Topic::channel(self.name.clone())
    }
}

/// Why a text cannot name a group or channel.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// The text is empty.
    #[error("a name needs at least one character")]
    Empty,
    /// More than 99 characters.
    #[error("a name has at most {MAX_NAME} characters, this one has {length}")]
    TooLong {
        /// How many characters it has.
        length: usize,
    },
    /// A character outside the allowed ones.
    #[error("{character:?} cannot stand in a name; letters a-z and A-Z, digits, '-', '_' and '.' can")]
    Character {
        /// The first one that cannot stand there.
        character: char,
    },
}

fn legal(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.')
}

fn check(name: &str) -> Result<(), NameError> {
    check_length(name)?;
    check_characters(name)
}

fn check_length(name: &str) -> Result<(), NameError> {
    match name.chars().count() {
        0 => Err(NameError::Empty),
        length if length > MAX_NAME => Err(NameError::TooLong { length }),
        _ => Ok(()),
    }
}

fn check_characters(name: &str) -> Result<(), NameError> {
    match name.chars().find(|c| !c.is_ascii() || !legal(*c as u8)) {
        Some(character) => Err(NameError::Character { character }),
        None => Ok(()),
    }
}

macro_rules! name_traits {
    ($name:ident) => {
        // A macro, because derives would ask the same of `M`, which is only a marker.
        impl<M> PartialEq for $name<M> {
            fn eq(&self, other: &Self) -> bool {
                self.name == other.name
            }
        }
        impl<M> Eq for $name<M> {}
        impl<M> std::hash::Hash for $name<M> {
            fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
                self.name.hash(state);
            }
        }
        impl<M> fmt::Debug for $name<M> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({:?})"), self.name)
            }
        }
        impl<M> fmt::Display for $name<M> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.name)
            }
        }
        impl<M> Serialize for $name<M> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.name)
            }
        }
        impl<'de, M> Deserialize<'de> for $name<M> {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let name = String::deserialize(deserializer)?;
                Self::new(name).map_err(serde::de::Error::custom)
            }
        }
    };
}

impl<M> Clone for Group<M> {
    fn clone(&self) -> Self {
        Self { name: self.name.clone(), history: self.history, message: PhantomData }
    }
}

impl<M> Clone for Channel<M> {
    fn clone(&self) -> Self {
        Self { name: self.name.clone(), message: PhantomData }
    }
}

name_traits!(Group);
name_traits!(Channel);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_group_name_follows_the_rule_of_channels() {
        for good in ["a", "room-1", "A.b_c", &"x".repeat(99)] {
            assert!(Group::<()>::new(good).is_ok(), "{good}");
        }
        let character = |c| Err(NameError::Character { character: c });
        assert_eq!(Group::<()>::new("").map(|_| ()), Err(NameError::Empty));
        assert_eq!(Group::<()>::new("x".repeat(100)).map(|_| ()), Err(NameError::TooLong { length: 100 }));
        for (bad, c) in [("a b", ' '), ("a!b", '!'), ("a\n", '\n'), ("٣", '٣'), ("é", 'é')] {
            assert_eq!(Group::<()>::new(bad).map(|_| ()), character(c), "{bad}");
        }
    }

    #[test]
    fn a_channel_name_may_hold_one_exclamation_mark_after_its_process() {
        for good in ["worker", "specific.0f!abc", "specific.0f!"] {
            assert!(Channel::<()>::new(good).is_ok(), "{good}");
        }
        for bad in ["!", "!a", "a!b!c", "a b!c", ""] {
            assert!(Channel::<()>::new(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn a_keyed_name_is_legal_and_differs_when_the_key_does(a in ".{0,200}", b in ".{0,200}") {
            let name = |key: &str| Group::<()>::keyed("room", key).unwrap().name().to_owned();
            prop_assert!(Group::<()>::new(name(&a)).is_ok());
            prop_assert_eq!(a == b, name(&a) == name(&b));
        }
    }
}
