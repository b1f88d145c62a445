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

    /// Says by what a connection can come back.
    pub(crate) fn comes_back_as(&mut self, key: SlotKey, back: (u128, u32)) {
        if let Some(slot) = self.slots.get(key) {
            slot.about = std::mem::take(&mut slot.about).coming_back_as(back);
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
        self.reasons.insert(key, reason);
        true
    }

    /// Why somebody ended a connection.
    pub(crate) fn reason(&self, key: SlotKey) -> Option<&str> {
        self.reasons.get(&key).map(|reason| &**reason)
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

#[cfg(all(test, not(narrows_loom)))]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::limits::Limits;
    use crate::origin::OriginPolicy;
    use crate::{Capacity, Codec};

    /// A shard with so many open connections.
    fn shard(count: usize) -> (State, Vec<SlotKey>) {
        let settings = Arc::new(RouteSettings {
            name: "test",
            limits: Limits::default(),
            outbox: Capacity::default(),
            inbox: Capacity::default(),
            codec: Codec::Json,
            subprotocols: Vec::new(),
            number: 0,
            origin: OriginPolicy::any(),
            checks: Arc::default(),
        });
        let mut state = State::new(Duration::from_secs(1), Arc::default(), Arc::default());
        let insert = |_| {
            let key = state.insert(settings.clone());
            state.describe(key, About::new("/ws/chat/lobby/", Some([192, 0, 2, 1].into())));
            state.attach(key, Socket::Other(Box::new(tokio::io::empty())));
            key
        };
        let keys = (0..count).map(insert).collect();
        (state, keys)
    }

    #[test]
    fn one_look_goes_through_so_many_places_whatever_it_finds() {
        let (state, _) = shard(3000);
        let nobody = Wanted { path: Some("/none".into()), ..Wanted::default() };
        let looked = state.look(0, 10, &nobody);
        assert_eq!((looked.found.len(), looked.next), (0, Some(State::LOOK)));
        let last = state.look(2 * State::LOOK, 10, &nobody);
        assert_eq!((last.found.len(), last.next), (0, None));
        assert_eq!(state.look(u32::MAX, 10, &nobody).next, None);
    }

    #[test]
    fn a_look_that_has_enough_goes_on_with_the_next_one() {
        let (mut state, keys) = shard(600);
        drop(state.remove(keys[3]));
        let (first, second) = (state.look(0, 5, &Wanted::default()), state.look(6, 1000, &Wanted::default()));
        let indices: Vec<u32> = first.found.iter().map(|look| look.key.index).collect();
        assert_eq!((indices, first.next), (vec![0, 1, 2, 4, 5], Some(6)));
        assert_eq!((second.found.len(), second.next), (594, None));
        assert_eq!(state.count(0).consumers, [("test", 599)]);
    }

    #[test]
    fn who_is_about_to_end_is_not_seen_and_not_ended_twice() {
        let (mut state, keys) = shard(2);
        assert!(state.dismiss(keys[0], "enough".into()) && !state.dismiss(keys[0], "again".into()));
        assert_eq!((state.reason(keys[0]), state.reason(keys[1])), (Some("enough"), None));
        assert_eq!(state.look(0, 10, &Wanted::default()).found.len(), 1);
        assert!(state.look_at(keys[0]).is_none() && state.look_at(keys[1]).is_some());
        drop(state.remove(keys[0]));
        assert_eq!((state.reason(keys[0]), state.reasons.len()), (None, 0));
    }
}
