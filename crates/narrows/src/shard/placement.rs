//! Which shard a new connection goes to: the one with the fewest connections, unless it is busy with those it has.

use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::time::Duration;

use super::Shard;
use crate::sync::Arc;

/// How much a shard has to do, as it is kept for the placement of the next connection.
#[derive(Debug, Default)]
pub(super) struct Load {
    connections: AtomicUsize,
    busy: AtomicU32,
}

/// One look at a [`Load`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Looked {
    /// Connections here, or on their way.
    connections: usize,
    /// The share of its recent time that the shard spent working, in thousandths.
    busy: u32,
}

impl Load {
    pub(super) fn look(&self) -> Looked {
        Looked {
            connections: self.connections.load(Ordering::Relaxed),
            busy: self.busy.load(Ordering::Relaxed),
        }
    }

    /// Takes in the share of the last while, in thousandths; what was before it fades by half.
    pub(super) fn sample(&self, share: u32) {
        let before = self.busy.load(Ordering::Relaxed);
        self.busy.store((before + share.min(1000)).div_ceil(2), Ordering::Relaxed);
    }

    pub(super) fn count_in(&self) {
        self.connections.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_out(&self) {
        self.connections.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The shard for the next connection. Where several are alike it is the first of them from `turn` on; `home` is the
/// shard that has the socket already.
pub(crate) fn choose(shards: &[Arc<Shard>], home: Option<usize>, turn: usize) -> usize {
    choose_by(shards.len(), |i| shards[i].look(), home, turn)
}

impl Shard {
    /// After so long in one call of a user's code nobody else is sent here.
    const HELD_UP: Duration = Duration::from_millis(50);

    /// Whether a handler has kept all others waiting for a while, and still does.
    pub(crate) fn is_held_up(&self) -> bool {
        self.running.get().time() > Self::HELD_UP
    }

    fn look(&self) -> Looked {
        let looked = self.load.look();
        if self.is_held_up() { Looked { busy: 1000, ..looked } } else { looked }
    }
}

fn choose_by(shards: usize, look: impl Fn(usize) -> Looked, home: Option<usize>, turn: usize) -> usize {
    let total: usize = (0..shards).map(|i| look(i).connections).sum();
    // With a handful of connections one more or less says nothing beside how busy a shard is.
    let mean = (total / shards).max(8) as u64;
    let in_turn = (0..shards).map(|i| (turn % shards + i) % shards);
    let best = in_turn.min_by_key(|i| cost(look(*i), mean)).expect("at least one shard");
    match home {
        // To move a socket costs something, and the next look may say otherwise: only a clear difference counts.
        Some(home) if cost(look(home), mean) <= cost(look(best), mean) + 2 * mean => home,
        _ => best,
    }
}

/// What a shard has to do, in connections. Below half of its time how busy it is says little, and the count decides;
/// from there on the time weighs as up to four times the mean: more than any difference of the counts, or nearly.
fn cost(looked: Looked, mean: u64) -> u64 {
    looked.connections as u64 + u64::from(looked.busy.saturating_sub(500)) * mean / 125
}

/// A connection's place in the count of its shard, from the moment of the choice: those who choose next know of it.
pub(crate) struct Placed(Option<Arc<Shard>>);

impl Placed {
    pub(crate) fn new(shard: Arc<Shard>) -> Self {
        shard.load.count_in();
        Self(Some(shard))
    }

    pub(crate) fn shard(&self) -> &Arc<Shard> {
        self.0.as_ref().expect("only `keep` takes it, with the guard")
    }

    /// Leaves it to [`Shard::remove`] to count the connection out.
    pub(crate) fn keep(mut self) -> Arc<Shard> {
        self.0.take().expect("only `keep` takes it, with the guard")
    }
}

impl Drop for Placed {
    fn drop(&mut self) {
        if let Some(shard) = &self.0 {
            shard.load.count_out();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn looks(loads: &[(usize, u32)]) -> Vec<Looked> {
        loads.iter().map(|&(connections, busy)| Looked { connections, busy }).collect()
    }

    fn place(loads: &[(usize, u32)], home: Option<usize>) -> usize {
        let looks = looks(loads);
        choose_by(looks.len(), |i| looks[i], home, 0)
    }

    /// Places so many, one after another, as how busy the shards are does not change.
    fn place_many(loads: &[(usize, u32)], count: usize) -> Vec<usize> {
        let mut looks = looks(loads);
        for turn in 0..count {
            let chosen = choose_by(looks.len(), |i| looks[i], None, turn);
            looks[chosen].connections += 1;
        }
        looks.iter().map(|looked| looked.connections).collect()
    }

    #[test]
    fn shards_that_are_no_busier_than_half_get_connections_by_their_count() {
        assert_eq!(place_many(&[(0, 0); 4], 1000), [250; 4]);
        assert_eq!(place_many(&[(0, 500), (0, 0), (0, 250)], 999), [333; 3]);
        assert_eq!(place_many(&[(100, 0), (40, 0), (60, 300)], 40), [100, 70, 70]);
    }

    #[test]
    fn shards_that_are_all_alike_busy_get_connections_by_their_count() {
        assert_eq!(place_many(&[(0, 900); 4], 1000), [250; 4]);
    }

    #[test]
    fn alike_shards_take_turns() {
        let look = |_| Looked { connections: 3, busy: 0 };
        assert_eq!((0..6).map(|turn| choose_by(3, look, None, turn)).collect::<Vec<_>>(), [0, 1, 2, 0, 1, 2]);
    }

    #[test]
    fn a_shard_with_few_but_hot_connections_gets_no_more() {
        assert_eq!(place_many(&[(3, 950), (500, 50)], 5000), [3, 5500]);
        let many = place_many(&[(3, 950), (500, 50), (400, 50), (450, 50)], 5000);
        assert_eq!(many[0], 3);
        assert!(many[1..].iter().all(|count| count.abs_diff(2116) <= 1), "{many:?}");
    }

    #[test]
    fn a_shard_that_is_somewhat_busier_gets_somewhat_fewer() {
        let many = place_many(&[(0, 600), (0, 400)], 1000);
        assert!(many[0] > 200 && many[0] < 400, "{many:?}");
    }

    #[test]
    fn a_connection_stays_where_it_is_unless_another_shard_is_clearly_better() {
        assert_eq!(place(&[(120, 0), (80, 0)], Some(0)), 0);
        assert_eq!(place(&[(100, 700), (100, 100)], Some(0)), 0);
        assert_eq!(place(&[(100, 900), (100, 100)], Some(0)), 1);
        assert_eq!(place(&[(900, 0), (100, 0), (100, 0), (100, 0)], Some(0)), 1);
        assert_eq!(place(&[(100, 1000), (100, 1000)], Some(1)), 1);
    }

    #[test]
    fn how_busy_a_shard_was_fades_within_a_second() {
        let load = Load::default();
        (0..4).for_each(|_| load.sample(1000));
        assert!(load.look().busy > 900);
        (0..4).for_each(|_| load.sample(0));
        assert!(load.look().busy < 100);
        (0..20).for_each(|_| load.sample(2000));
        assert_eq!(load.look().busy, 1000);
    }
}
