use narrows_core::Absence;
use serde::Serialize;
use serde_json::Value;

use super::PresenceError;
use super::register::{Presences, Watching};
use super::table::Id;
use crate::channels::Channels;
use crate::sync::Arc;

/// The longest key of a person, in bytes: that of an address or a digest, and not a text.
const MAX_KEY_BYTES: usize = 256;

/// The most that a connection may say of itself, in bytes of JSON: it is sent to every member of the group.
const MAX_META_BYTES: usize = 4096;

/// How deep that may be nested: JSON is read to 128 levels, and it travels some levels down in a message.
const MAX_DEPTH: usize = 64;

/// In whose presence one connection is, until it is dropped.
pub(crate) struct Tracking {
    presences: Arc<Presences>,
    connection: u128,
    owner: u64,
    groups: Vec<Arc<str>>,
    /// It has joined a group of diffs.
    watching: Option<Watching>,
    ended: bool,
}

impl Tracking {
    pub(super) fn new(presences: &Arc<Presences>, connection: Option<u128>) -> Self {
        let connection = connection.unwrap_or_else(rand::random);
        let (presences, owner) = (presences.clone(), presences.next_owner());
        Self { presences, connection, owner, groups: Vec::new(), watching: None, ended: false }
    }

    pub(super) fn watch(&mut self, channels: &Channels) {
        if self.watching.is_none() && !self.ended {
            self.watching = self.presences.watch(channels);
        }
    }

    pub(super) async fn track(
        &mut self,
        channels: &Channels,
        group: &str,
        key: Box<str>,
        meta: Box<str>,
        limit: usize,
    ) -> Result<(), PresenceError> {
        if self.ended {
            return Err(PresenceError::Closed);
        }
        self.presences.store()?;
        let at = self.groups.iter().position(|known| **known == *group);
        if at.is_none() && self.groups.len() >= limit {
            return Err(PresenceError::TooManyGroups { limit });
        }
        let group = match at {
            Some(at) => self.groups[at].clone(),
            None => {
                let group: Arc<str> = group.into();
                // Before the store is asked: dropped in between, it is taken out at the end.
                self.groups.reserve_exact(1);
                self.groups.push(group.clone());
                group
            }
        };
        let id = Id { connection: self.connection, group };
        let set = self.presences.set(channels, id.clone(), self.owner, key, meta).await;
        // Where another object of the connection had it, it is this one's to take out now.
        if set.is_err() && !self.presences.table().keeps(&id, self.owner) {
            self.groups.retain(|known| *known != id.group);
        }
        set
    }

    /// Under which key the connection is in a group's presence.
    pub(super) fn key(&self, group: &str) -> Option<Box<str>> {
        let group = self.groups.iter().find(|known| ***known == *group)?;
        let id = Id { connection: self.connection, group: group.clone() };
        self.presences.table().key(&id, self.owner)
    }

    pub(super) fn untrack(&mut self, group: &str) -> bool {
        let Some(at) = self.groups.iter().position(|known| **known == *group) else { return false };
        let group = self.groups.swap_remove(at);
        self.release(group, Absence::Left)
    }

    /// Leaves all groups, and enters no other.
    pub(crate) fn end(&mut self, absence: Absence) {
        self.ended = true;
        self.watching = None;
        for group in std::mem::take(&mut self.groups) {
            self.release(group, absence);
        }
    }

    fn release(&self, group: Arc<str>, absence: Absence) -> bool {
        self.presences.release(Id { connection: self.connection, group }, self.owner, absence)
    }
}

impl Drop for Tracking {
    /// A handshake that was refused, or a task that was cut off.
    fn drop(&mut self) {
        self.end(Absence::Left);
    }
}

pub(crate) fn checked_key(key: &str) -> Result<Box<str>, PresenceError> {
    match key.len() {
        0 => Err(PresenceError::EmptyKey),
        bytes if bytes > MAX_KEY_BYTES => Err(PresenceError::KeyTooLong { bytes, limit: MAX_KEY_BYTES }),
        _ => Ok(key.into()),
    }
}

/// What a connection says of itself, as text: the same for the same.
pub(crate) fn checked_meta(meta: &impl Serialize) -> Result<Box<str>, PresenceError> {
    let unwritten = |error| PresenceError::Meta(Arc::new(error));
    let text = serde_json::to_string(meta).map_err(unwritten)?;
    if text.len() > MAX_META_BYTES {
        return Err(PresenceError::MetaTooLarge { bytes: text.len(), limit: MAX_META_BYTES });
    }
    let tree: Value = serde_json::from_str(&text).map_err(unwritten)?;
    if is_deeper(&tree, MAX_DEPTH) {
        return Err(unwritten(serde::de::Error::custom(format_args!(
            "nested deeper than {MAX_DEPTH} levels"
        ))));
    }
    Ok(tree.to_string().into())
}

fn is_deeper(tree: &Value, levels: usize) -> bool {
    match tree {
        Value::Array(values) => levels == 0 || values.iter().any(|value| is_deeper(value, levels - 1)),
        Value::Object(fields) => levels == 0 || fields.values().any(|value| is_deeper(value, levels - 1)),
        _ => false,
    }
}
