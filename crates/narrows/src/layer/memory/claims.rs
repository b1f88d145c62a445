use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use narrows_core::{KeepClaims, Kept};
use tokio::time::Instant;

use crate::sync::{Arc, Mutex, lock};

/// The claims of all nodes on one bus.
#[derive(Debug, Default, Clone)]
pub(super) struct Claims(Arc<Mutex<Known>>);

/// What was claimed and what revoked, each until its time is over.
#[derive(Debug, Default)]
struct Known {
    claimed: Timed,
    revoked: Timed,
}

impl KeepClaims for Claims {
    fn claim<'a>(&'a self, id: &'a str, unless: &'a [String], ttl: Duration) -> Kept<'a, bool> {
        let mut known = lock(&self.0);
        let now = Instant::now();
        known.forget(now);
        let free = !known.claimed.has(id) && !unless.iter().any(|id| known.revoked.has(id));
        if free {
            known.claimed.keep(id, now, ttl);
        }
        Box::pin(std::future::ready(Ok(free)))
    }

    fn revoke<'a>(&'a self, ids: &'a [String], ttl: Duration) -> Kept<'a, ()> {
        let mut known = lock(&self.0);
        let now = Instant::now();
        known.forget(now);
        for id in ids {
            known.revoked.keep(id, now, ttl);
        }
        Box::pin(std::future::ready(Ok(())))
    }
}

impl Known {
    fn forget(&mut self, now: Instant) {
        self.claimed.forget(now);
        self.revoked.forget(now);
    }
}

/// Ids with the time when each is over.
///
/// Those kept for one length of time are over in the order in which they came: a line for each length, of which there
/// are few.
#[derive(Debug, Default)]
struct Timed {
    until: HashMap<Arc<str>, Instant>,
    lines: HashMap<Duration, VecDeque<(Instant, Arc<str>)>>,
}

impl Timed {
    fn has(&self, id: &str) -> bool {
        self.until.contains_key(id)
    }

    /// Keeps an id for so long, or for longer where it is kept already.
    fn keep(&mut self, id: &str, now: Instant, ttl: Duration) {
        let Some(until) = now.checked_add(ttl) else { return };
        if self.until.get(id).is_some_and(|known| *known >= until) {
            return;
        }
        let id: Arc<str> = id.into();
        self.until.insert(id.clone(), until);
        self.lines.entry(ttl).or_default().push_back((until, id));
    }

    /// Lets go of all whose time is over, and of the room they took.
    fn forget(&mut self, now: Instant) {
        self.lines.retain(|_, line| {
            while let Some((until, id)) = line.pop_front_if(|(until, _)| *until <= now) {
                if self.until.get(&id) == Some(&until) {
                    self.until.remove(&id);
                }
            }
            if line.capacity() > 64 && line.len() < line.capacity() / 4 {
                line.shrink_to(line.len() * 2);
            }
            !line.is_empty()
        });
        if self.until.capacity() > 64 && self.until.len() < self.until.capacity() / 4 {
            self.until.shrink_to(self.until.len() * 2);
        }
    }
}

#[cfg(all(test, not(narrows_loom)))]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn memory_comes_back_when_the_time_of_claims_is_over() {
        let claims = Claims::default();
        for n in 0..10_000 {
            let (id, ttl) = (n.to_string(), Duration::from_secs(60 + n % 3));
            assert!(claims.claim(&id, &[], ttl).await.unwrap());
            claims.revoke(&[id], ttl).await.unwrap();
        }
        tokio::time::advance(Duration::from_secs(62)).await;
        assert!(claims.claim("9999", &[], Duration::from_secs(60)).await.unwrap());
        let known = lock(&claims.0);
        for timed in [&known.claimed, &known.revoked] {
            assert!(timed.until.len() <= 1 && timed.until.capacity() <= 64, "{}", timed.until.capacity());
            assert!(timed.lines.len() <= 1, "{}", timed.lines.len());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_longest_time_counts_whichever_came_first() {
        let claims = Claims::default();
        let ids = ["user".to_owned()];
        for seconds in [10, 100, 1] {
            claims.revoke(&ids, Duration::from_secs(seconds)).await.unwrap();
        }
        tokio::time::advance(Duration::from_secs(99)).await;
        assert!(!claims.claim("a", &ids, Duration::from_secs(1)).await.unwrap());
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(claims.claim("a", &ids, Duration::from_secs(1)).await.unwrap());
    }
}
