//! What a shard says of its connections to those who ask who is here: in slices, so that no tick waits for long.

use super::outbox::Outbox;
use super::slot::{End, Slot, SlotKey};
use super::socket::Socket;
use super::state::State;
use crate::codec::EncodeError;
use crate::encode::encode_value;
use crate::identity::Identity;
use crate::live::About;
use crate::sync::Arc;
use crate::transport::RouteSettings;

/// Which connections are asked for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wanted {
    pub(crate) user: Option<Box<str>>,
    /// How the path begins.
    pub(crate) path: Option<Box<str>>,
    /// The number of a topic.
    pub(crate) topic: Option<u64>,
}

/// One connection.
pub(crate) struct Look {
    pub(crate) key: SlotKey,
    pub(crate) settings: Arc<RouteSettings>,
    pub(crate) about: About,
    pub(crate) identity: Option<Identity>,
    /// The topics it is in, up to [`Look::TOPICS`] of them.
    pub(crate) topics: Vec<u64>,
    /// In how many it is.
    pub(crate) memberships: usize,
    pub(crate) queued_bytes: usize,
    pub(crate) queued_messages: usize,
}

impl Look {
    const TOPICS: usize = 20;

    fn at(key: SlotKey, slot: &Slot) -> Self {
        let mut topics: Vec<u64> = Vec::new();
        for membership in slot.memberships.iter().take(2 * Self::TOPICS) {
            if topics.len() < Self::TOPICS && !topics.contains(&membership.topic) {
                topics.push(membership.topic);
            }
        }
        let outbox = slot.outbox.as_deref();
        Self {
            key,
            settings: slot.settings().clone(),
            about: slot.about.clone(),
            identity: slot.identity.clone(),
            topics,
            memberships: slot.memberships.len(),
            queued_bytes: outbox.map_or(0, Outbox::bytes),
            queued_messages: outbox.map_or(0, Outbox::messages),
        }
    }
}

/// What was found among so many places.
pub(crate) struct Looked {
    pub(crate) found: Vec<Look>,
    /// Where to look on; `None` at the end.
    pub(crate) next: Option<u32>,
}

/// The connections of each consumer among so many places.
pub(crate) struct Counted {
    pub(crate) consumers: Vec<(&'static str, u64)>,
    pub(crate) queued_bytes: u64,
    pub(crate) next: Option<u32>,
}

impl State {
    /// How many places one look goes through: some ten microseconds' worth.
    pub(crate) const LOOK: u32 = 1024;

    /// Looks for up to `most` connections, from this place on.
    pub(crate) fn look(&self, from: u32, most: usize, wanted: &Wanted) -> Looked {
        let (slots, mut next) = self.slots.some(from, Self::LOOK);
        let mut found = Vec::new();
        for (key, slot) in slots.filter(|(_, slot)| is_here(slot) && wanted.fits(slot)) {
            if found.len() == most {
                next = Some(key.index);
                break;
            }
            found.push(Look::at(key, slot));
        }
        Looked { found, next }
    }

    /// One connection, while it is open.
    pub(crate) fn look_at(&mut self, key: SlotKey) -> Option<Look> {
        let slot = self.slots.get(key).filter(|slot| is_here(slot))?;
        Some(Look::at(key, slot))
    }

    /// Counts connections by their consumer, from this place on.
    pub(crate) fn count(&self, from: u32) -> Counted {
        let (slots, next) = self.slots.some(from, Self::LOOK);
        let (mut consumers, mut queued_bytes): (Vec<(&'static str, u64)>, u64) = (Vec::new(), 0);
        for (_, slot) in slots.filter(|(_, slot)| is_here(slot)) {
            let name = slot.settings().name;
            match consumers.iter_mut().find(|(known, _)| std::ptr::eq(*known, name)) {
                Some((_, count)) => *count += 1,
                None => consumers.push((name, 1)),
            }
            queued_bytes += slot.outbox.as_deref().map_or(0, |outbox| outbox.bytes() as u64);
        }
        Counted { consumers, queued_bytes, next }
    }

    /// Says what is to be known of a connection.
    pub(crate) fn describe(&mut self, key: SlotKey, about: About) {
        if let Some(slot) = self.slots.get(key) {
            slot.about = about;
        }
    }

    /// Says whose a connection is.
    pub(crate) fn identify(&mut self, key: SlotKey, identity: Identity) {
        if let Some(slot) = self.slots.get(key) {
            slot.identity = Some(identity);
        }
    }

    /// Ends a connection for this reason; `false` when it is not there any more.
    pub(crate) fn dismiss(&mut self, key: SlotKey, reason: Box<str>) -> bool {
        let Some(slot) = self.slots.get(key).filter(|slot| is_here(slot)) else { return false };
        slot.finish(End::Ended);
        self.reasons.push((key, reason));
        true
    }

    /// Why somebody ended a connection.
    pub(crate) fn reason(&self, key: SlotKey) -> Option<&str> {
        self.reasons.iter().find(|(ended, _)| *ended == key).map(|(_, reason)| &**reason)
    }

    /// Sends a value to a connection, in its codec; `false` when it is not there any more.
    pub(crate) fn send_value(
        &mut self,
        key: SlotKey,
        value: &serde_json::Value,
    ) -> Result<bool, EncodeError> {
        let Some(slot) = self.slots.get(key).filter(|slot| is_here(slot)) else { return Ok(false) };
        let frame = encode_value(value, slot.settings().codec)?;
        Ok(self.send(key, frame).is_ok())
    }
}

impl Wanted {
    fn fits(&self, slot: &Slot) -> bool {
        let of_user = |user: &str| slot.identity.as_ref().and_then(Identity::user) == Some(user);
        self.topic.is_none_or(|topic| slot.memberships.iter().any(|m| m.topic == topic))
            && self.user.as_deref().is_none_or(of_user)
            && self.path.as_deref().is_none_or(|path| slot.about.path().starts_with(path.as_bytes()))
    }
}

/// Whether a slot's connection is open: accepted, and not about to end.
fn is_here(slot: &Slot) -> bool {
    !slot.closing && slot.end.is_none() && !matches!(slot.socket, Socket::Pending)
}
