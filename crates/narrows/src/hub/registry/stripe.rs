use std::hash::{BuildHasher, RandomState};

use hashbrown::HashTable;
use narrows_core::{LayerError, Topic};
use tokio::sync::oneshot;

use super::super::track::Track;
use crate::sync::Arc;

/// A part of the registry's topics, under one lock.
///
/// A topic's id tells its place – stripe and index – in the lower half; the upper half tells it from those that
/// had the place before. Messages that are on their way to a shard name a topic by it.
pub(super) struct Stripe {
    number: u64,
    stripes: u64,
    /// Indices of `places`, by the topic's hash.
    by_topic: HashTable<u32>,
    places: Vec<Place>,
    free: Vec<u32>,
}

#[derive(Default)]
struct Place {
    generation: u32,
    entry: Option<Entry>,
}

pub(super) struct Entry {
    pub(super) topic: Topic,
    pub(super) members: u32,
    pub(super) phase: Phase,
    /// The shards that have members, and how many.
    pub(super) shards: Vec<(u16, u32)>,
    pub(super) waiting: Vec<oneshot::Sender<Result<(), Arc<LayerError>>>>,
    /// For a topic with a history.
    pub(super) track: Option<Box<Track>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Off,
    /// A driver is at work.
    Busy,
    On,
}

impl Stripe {
    pub(super) fn new(number: u64, stripes: u64) -> Self {
        Self { number, stripes, by_topic: HashTable::new(), places: Vec::new(), free: Vec::new() }
    }

    pub(super) fn find(&mut self, topic: &Topic, hash: u64) -> Option<(u64, &mut Entry)> {
        let index = *self.by_topic.find(hash, |&index| is(&self.places, index, topic))?;
        let id = self.id(index);
        Some((id, self.places[index as usize].entry.as_mut()?))
    }

    /// The topic's entry, a new one without members if there is none.
    pub(super) fn find_or_insert(
        &mut self,
        topic: &Topic,
        hash: u64,
        hasher: &RandomState,
    ) -> (u64, &mut Entry) {
        let known = self.by_topic.find(hash, |&index| is(&self.places, index, topic)).copied();
        let index = known.unwrap_or_else(|| self.insert(topic, hash, hasher));
        let id = self.id(index);
        let entry = self.places[index as usize].entry.as_mut();
        (id, entry.expect("an index in the table has an entry"))
    }

    fn insert(&mut self, topic: &Topic, hash: u64, hasher: &RandomState) -> u32 {
        let index = self.free.pop().unwrap_or_else(|| {
            self.places.push(Place::default());
            let index = u32::try_from(self.places.len() - 1).ok();
            let numbered = index.filter(|index| *index < u32::MAX / self.stripes as u32);
            numbered.expect("memory ends before the numbers do")
        });
        let place = &mut self.places[index as usize];
        place.generation = place.generation.wrapping_add(1);
        place.entry = Some(Entry {
            topic: topic.clone(),
            members: 0,
            phase: Phase::Off,
            // Most topics have members on one shard, and one who waits: no room to spare for more.
            shards: Vec::with_capacity(1),
            waiting: Vec::with_capacity(1),
            track: None,
        });
        let places = &self.places;
        self.by_topic.insert_unique(hash, index, |&index| {
            places[index as usize].entry.as_ref().map_or(0, |entry| hasher.hash_one(&entry.topic))
        });
        index
    }

    pub(super) fn by_id(&mut self, id: u64) -> Option<&mut Entry> {
        let (index, generation) = self.place(id);
        let place = self.places.get_mut(index as usize)?;
        place.entry.as_mut().filter(|_| place.generation == generation)
    }

    /// The topics with a history, and their ids.
    pub(super) fn tracks(&mut self) -> impl Iterator<Item = (u64, &Topic, &mut Track)> {
        let (stripes, number) = (self.stripes, self.number);
        self.places.iter_mut().zip(0..).filter_map(move |(place, index)| {
            let id = id(place.generation, index, stripes, number);
            let entry = place.entry.as_mut()?;
            Some((id, &entry.topic, entry.track.as_deref_mut()?))
        })
    }

    /// Those among so many places from this one on.
    pub(super) fn entries(&self, first: usize, count: usize) -> impl Iterator<Item = &Entry> {
        self.places.iter().skip(first).take(count).filter_map(|place| place.entry.as_ref())
    }

    pub(super) fn has_place(&self, index: usize) -> bool {
        index < self.places.len()
    }

    pub(super) fn forget(&mut self, id: u64, hash: u64) {
        let (index, _) = self.place(id);
        if let Ok(found) = self.by_topic.find_entry(hash, |&other| other == index) {
            found.remove();
            self.places[index as usize].entry = None;
            self.free.push(index);
        }
    }

    fn id(&self, index: u32) -> u64 {
        id(self.places[index as usize].generation, index, self.stripes, self.number)
    }

    fn place(&self, id: u64) -> (u32, u32) {
        let place = (id & u64::from(u32::MAX)) / self.stripes;
        (place as u32, (id >> 32) as u32)
    }
}

fn id(generation: u32, index: u32, stripes: u64, number: u64) -> u64 {
    u64::from(generation) << 32 | (u64::from(index) * stripes + number)
}

fn is(places: &[Place], index: u32, topic: &Topic) -> bool {
    places[index as usize].entry.as_ref().is_some_and(|entry| entry.topic == *topic)
}

#[cfg(all(test, not(narrows_loom)))]
mod tests {
    use narrows_core::Group;

    use super::*;

    fn topic(name: &str) -> Topic {
        Group::<()>::new(name).expect("the name is legal").topic()
    }

    #[test]
    fn an_id_does_not_reach_the_next_topic_in_its_place() {
        let hasher = RandomState::new();
        let mut stripe = Stripe::new(3, 32);
        let hash = |topic: &Topic| hasher.hash_one(topic);
        let (a, b) = (topic("a"), topic("b"));
        let (first, _) = stripe.find_or_insert(&a, hash(&a), &hasher);
        assert_eq!(first % 32, 3, "the id names its stripe");
        assert_eq!(stripe.find_or_insert(&a, hash(&a), &hasher).0, first);
        stripe.forget(first, hash(&a));
        assert!(stripe.find(&a, hash(&a)).is_none() && stripe.by_id(first).is_none());
        let (second, _) = stripe.find_or_insert(&b, hash(&b), &hasher);
        assert_eq!(stripe.places.len(), 1, "the place is used again");
        assert!(first != second && stripe.by_id(first).is_none() && stripe.by_id(second).is_some());
    }

    #[test]
    fn thousands_of_topics_are_found_again_and_forgotten() {
        let hasher = RandomState::new();
        let mut stripe = Stripe::new(0, 1);
        let topics: Vec<_> = (0..5000).map(|n| topic(&format!("room.{n}"))).collect();
        let ids: Vec<_> =
            topics.iter().map(|t| stripe.find_or_insert(t, hasher.hash_one(t), &hasher).0).collect();
        for (topic, id) in topics.iter().zip(&ids) {
            assert_eq!(stripe.find(topic, hasher.hash_one(topic)).map(|(id, _)| id), Some(*id));
            stripe.forget(*id, hasher.hash_one(topic));
            assert!(stripe.by_id(*id).is_none());
        }
        assert!(stripe.by_topic.is_empty() && stripe.free.len() == 5000);
    }
}
