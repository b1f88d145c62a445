use std::hash::{BuildHasher, RandomState};

use narrows_core::Topic;

use crate::sync::{Mutex, MutexGuard, lock};

/// What is kept by topic, in several parts with a lock each: those who publish on different topics do not wait for
/// each other.
#[derive(Debug)]
pub(crate) struct Stripes<T> {
    parts: Box<[Mutex<T>]>,
    hasher: RandomState,
}

/// More than cores that publish at once; a power of two. One in models: which one a topic's name picks is random.
pub(crate) const STRIPES: u64 = if cfg!(narrows_loom) { 1 } else { 32 };

impl<T> Stripes<T> {
    pub(crate) fn new(make: impl FnMut(u64) -> T) -> Self {
        Self { parts: (0..STRIPES).map(make).map(Mutex::new).collect(), hasher: RandomState::new() }
    }

    /// The part of a topic, locked, and the topic's hash.
    pub(crate) fn of(&self, topic: &Topic) -> (MutexGuard<'_, T>, u64) {
        let hash = self.hasher.hash_one(topic);
        // A table in the part takes a place from the lowest bits and a tag from the highest.
        (self.at(hash >> 32), hash)
    }

    /// The part of a name that is no topic's, locked.
    pub(crate) fn of_name(&self, name: &str) -> MutexGuard<'_, T> {
        self.at(self.hasher.hash_one(name) >> 32)
    }

    /// A part by its number, or any number that has it in its lowest bits.
    pub(crate) fn at(&self, number: u64) -> MutexGuard<'_, T> {
        lock(&self.parts[(number % STRIPES) as usize])
    }

    /// What [`of`](Self::of) hashes with.
    pub(crate) fn hasher(&self) -> &RandomState {
        &self.hasher
    }
}
