use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use super::past::Past;
use crate::hub::Relay;

/// The list number of those who listen; every other number is a relay's.
pub(super) const LISTENERS: u32 = u32::MAX;

/// That of those who are on their way to be members: they get what they missed first.
pub(super) const HELD: u32 = u32::MAX - 1;

/// A shard's members of every topic, in lists of slot numbers that a delivery runs through.
#[derive(Debug, Default)]
pub(super) struct Topics(HashMap<u64, Lists, BuildHasherDefault<IdHasher>>);

#[derive(Debug, Default)]
pub(super) struct Lists {
    /// One list for each way in which members want the message written.
    pub(super) relays: Vec<(Relay, Vec<u32>)>,
    pub(super) listeners: Vec<u32>,
    /// For a topic with a history.
    pub(super) past: Option<Box<Past>>,
}

impl Topics {
    pub(super) fn get(&self, topic: u64) -> Option<&Lists> {
        self.0.get(&topic)
    }

    pub(super) fn get_mut(&mut self, topic: u64) -> Option<&mut Lists> {
        self.0.get_mut(&topic)
    }

    /// What a topic with a history has beside its lists; made if it is the first time.
    pub(super) fn past(&mut self, topic: u64) -> &mut Past {
        self.0.entry(topic).or_default().past.get_or_insert_default()
    }

    /// Puts a member at the end of its list: the list's number and the member's place.
    pub(super) fn add(&mut self, topic: u64, relay: Option<Relay>, slot: u32) -> (u32, u32) {
        let lists = self.0.entry(topic).or_default();
        let (number, list) = match relay {
            None => (LISTENERS, &mut lists.listeners),
            Some(relay) => {
                let known = lists.relays.iter().position(|(r, _)| *r == relay);
                let at = known.unwrap_or_else(|| {
                    // Mostly the only one, with one member: no room to spare for more.
                    lists.relays.reserve_exact(1);
                    lists.relays.push((relay, Vec::with_capacity(1)));
                    lists.relays.len() - 1
                });
                (at as u32, &mut lists.relays[at].1)
            }
        };
        list.push(slot);
        (number, list.len() as u32 - 1)
    }

    /// Takes a member out. The last of the list moves to its place: that slot is returned.
    pub(super) fn remove(&mut self, topic: u64, list: u32, at: u32) -> Option<u32> {
        let lists = self.0.get_mut(&topic)?;
        let moved = if list == HELD {
            lists.past.as_mut().and_then(|past| past.remove(at))
        } else {
            let members = match list {
                LISTENERS => &mut lists.listeners,
                relay => &mut lists.relays[relay as usize].1,
            };
            members.swap_remove(at as usize);
            members.get(at as usize).copied()
        };
        let held = lists.past.as_ref().is_some_and(|past| past.holds());
        if !held && lists.listeners.is_empty() && lists.relays.iter().all(|(_, members)| members.is_empty()) {
            self.0.remove(&topic);
        }
        moved
    }
}

/// Topic ids are a counter: one multiplication spreads them well enough.
#[derive(Debug, Default)]
pub(super) struct IdHasher(u64);

impl Hasher for IdHasher {
    fn write(&mut self, _: &[u8]) {
        unreachable!("only u64 keys are hashed");
    }
    fn write_u64(&mut self, id: u64) {
        self.0 = id.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
    fn finish(&self) -> u64 {
        self.0
    }
}
