//! What is told of handlers that hold their shard up.

use std::time::{Duration, Instant};

use super::running::Running;
use crate::stats::Counters;
use crate::sync::{Arc, Mutex, lock};

/// One node's consumers by name, and how much the log has heard of each.
pub(crate) struct Watch {
    known: Mutex<Vec<Known>>,
    pub(crate) counters: Arc<Counters>,
}

struct Known {
    name: &'static str,
    quota: Quota,
}

impl Watch {
    /// The number of what is no consumer: the site's views.
    pub(crate) const HTTP: u16 = 0;

    pub(crate) fn new(counters: Arc<Counters>) -> Arc<Self> {
        let http = Known { name: "http", quota: Quota::default() };
        Arc::new(Self { known: Mutex::new(vec![http]), counters })
    }

    /// The number by which a shard notes what it runs.
    pub(crate) fn number(&self, name: &'static str) -> u16 {
        let mut known = lock(&self.known);
        let at = known.iter().position(|known| known.name == name).unwrap_or_else(|| {
            known.push(Known { name, quota: Quota::default() });
            known.len() - 1
        });
        u16::try_from(at).unwrap_or(u16::MAX)
    }

    pub(super) fn name(&self, number: u16) -> &'static str {
        lock(&self.known).get(usize::from(number)).map_or("?", |known| known.name)
    }

    /// Counts code that ran for too long, and names it in the log.
    #[cold]
    pub(super) fn tell(&self, shard: usize, ran: Running, took: Duration) {
        self.counters.long_handlers.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let quota = |known: &mut Known| known.quota.take(Instant::now());
        let Some(left_out) = lock(&self.known).get_mut(usize::from(ran.consumer())).and_then(quota) else {
            return;
        };
        let (consumer, method) = (self.name(ran.consumer()), ran.method());
        tracing::warn!(consumer, method, ?took, shard, left_out, "a handler held up its shard");
    }
}

/// One line in a while, which says how many there would have been.
#[derive(Debug, Default)]
pub(crate) struct Quota {
    told_at: Option<Instant>,
    left_out: u64,
}

impl Quota {
    const WHILE: Duration = Duration::from_secs(10);

    /// How many were left out since the last line, when there is to be one now.
    pub(crate) fn take(&mut self, now: Instant) -> Option<u64> {
        if self.told_at.is_some_and(|told_at| now.saturating_duration_since(told_at) < Self::WHILE) {
            self.left_out += 1;
            return None;
        }
        self.told_at = Some(now);
        Some(std::mem::take(&mut self.left_out))
    }
}

#[cfg(all(test, not(narrows_loom)))]
mod tests {
    use super::*;

    #[test]
    fn the_log_has_one_line_in_ten_seconds_that_says_how_many_were_left_out() {
        let (mut quota, start) = (Quota::default(), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(quota.take(at(0)), Some(0));
        assert_eq!((quota.take(at(1)), quota.take(at(9))), (None, None));
        assert_eq!(quota.take(at(10)), Some(2));
        assert_eq!(quota.take(at(19)), None);
        assert_eq!(quota.take(at(60)), Some(1));
    }

    #[test]
    fn a_consumer_has_one_number_on_all_its_routes() {
        let watch = Watch::new(Arc::default());
        let (a, b) = (watch.number("a"), watch.number("b"));
        assert_eq!((watch.number("a"), watch.number("b")), (a, b));
        assert_eq!((watch.name(a), watch.name(b), watch.name(Watch::HTTP)), ("a", "b", "http"));
        assert_eq!(watch.name(77), "?");
    }
}
