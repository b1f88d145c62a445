use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::OwnedMutexGuard;

/// How long somebody waits for the room's turn: the one before may wait for the database for as long.
const PATIENCE: Duration = Duration::from_secs(10);

/// Who says something in a room on this node, one after another.
///
/// So the order on the wire is that of the database, at least for what one node sends; and a room whose row is locked
/// holds one connection to the database and not all.
#[derive(Default)]
pub(super) struct Turns(Mutex<HashMap<Arc<str>, Arc<tokio::sync::Mutex<()>>>>);

impl Turns {
    /// Waits for the room's turn; `None` when that takes too long.
    pub(super) async fn take(&self, room: &str) -> Option<Turn<'_>> {
        let room: Arc<str> = room.into();
        let lock = {
            let mut rooms = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            rooms.entry(room.clone()).or_default().clone()
        };
        // From here on the place is given back whatever happens.
        let mut turn = Turn { turns: self, room, guard: None };
        turn.guard = Some(tokio::time::timeout(PATIENCE, lock.lock_owned()).await.ok()?);
        Some(turn)
    }
}

/// Until it is dropped nobody else on this node says something in the room.
pub(super) struct Turn<'a> {
    turns: &'a Turns,
    room: Arc<str>,
    guard: Option<OwnedMutexGuard<()>>,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        drop(self.guard.take());
        let mut rooms = self.turns.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Entry::Occupied(entry) = rooms.entry(self.room.clone())
            && Arc::strong_count(entry.get()) == 1
        {
            entry.remove();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_room_waits_for_its_own_alone_and_nothing_is_left_of_it() {
        let turns = Turns::default();
        let first = turns.take("a").await.unwrap();
        assert!(turns.take("b").await.is_some());
        assert!(turns.take("a").await.is_none(), "time ran out");
        drop(first);
        assert!(turns.take("a").await.is_some());
        assert!(turns.0.lock().unwrap().is_empty());
    }
}
