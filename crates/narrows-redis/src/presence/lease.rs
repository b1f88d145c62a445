use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use narrows_core::LayerError;
use redis::{FromRedisValue, Value};
use tokio::time::Instant;

use super::part::Part;
use super::scripts::{BURY, EXPIRE, GRAVES, GROUPS, TOUCH};
use crate::stores::unexpected;

/// For so long others leave a dead node to the one who takes its connections out, after each step of that.
pub(super) const CLAIM: Duration = Duration::from_secs(10);

/// So many connections are taken out in one step: about a millisecond for Redis.
const STEP: usize = 100;

/// So many groups are looked at in one step.
const GROUPS_A_STEP: usize = 64;

impl Part {
    /// Says that a node lives, and does what is to be done for those that do not. Gives the groups with changes, and when
    /// the next lease ends.
    pub(super) async fn renew(
        self: Arc<Self>,
        node: Arc<str>,
        lease: Duration,
    ) -> Result<(BTreeSet<String>, Duration), LayerError> {
        let life = self.with(&node, |node| {
            node.lease = lease;
            node.life()
        });
        let call = match &life {
            Some(life) => self.lease(&node, life, "renew"),
            None => self.lease(&node, "", "look"),
        };
        let answer = self.stores.call(&self.place.home, &call).await?;
        let (good, dead, late, changed, next): Leases = read(answer)?;
        if let (0, Some(life)) = (good, &life) {
            self.with(&node, |node| node.lose(life));
        }
        let mut changed: BTreeSet<String> = changed.into_iter().collect();
        let alive = self.alive(lease);
        let mut work = Work { part: &self, alive, until: Instant::now() + lease / 6, refused: None };
        let done = work.all(&node, &dead, &late, &mut changed).await;
        if let Err(error) = done {
            // Whoever renews next goes on with it.
            tracing::debug!(%error, "presence could not be looked after");
        }
        if let Some((name, error)) = work.refused {
            tracing::warn!(name, %error, "presence of a group, or of a dead node, could not be looked after");
        }
        Ok((changed, Duration::from_millis(next)))
    }
}

/// What the script for leases answers, as it says itself.
type Leases = (u8, Vec<String>, Vec<String>, Vec<String>, u64);

/// What is done beside a renewal: in small steps, each of them whole, and for a bounded time.
struct Work<'a> {
    part: &'a Part,
    alive: u64,
    until: Instant,
    /// What Redis refuses to look after last: somebody else has put something under a group's keys, say.
    refused: Option<(String, LayerError)>,
}

impl Work<'_> {
    async fn all(
        &mut self,
        node: &Arc<str>,
        dead: &[String],
        late: &[String],
        changed: &mut BTreeSet<String>,
    ) -> Result<(), LayerError> {
        let done = self.late_and_dead(dead, late, changed).await;
        self.touch(node).await.and(done)
    }

    async fn late_and_dead(
        &mut self,
        dead: &[String],
        late: &[String],
        changed: &mut BTreeSet<String>,
    ) -> Result<(), LayerError> {
        for group in late {
            let expired = self.expire(group).await;
            if self.unless_refused(group, expired)?.is_some() {
                changed.insert(group.clone());
            }
        }
        for dead in dead {
            let buried = self.bury(dead, changed).await;
            self.unless_refused(dead, buried)?;
        }
        Ok(())
    }

    /// What Redis refuses concerns this group, or this node, alone.
    fn unless_refused<T>(
        &mut self,
        name: &str,
        done: Result<T, LayerError>,
    ) -> Result<Option<T>, LayerError> {
        match done {
            Ok(done) => Ok(Some(done)),
            Err(error @ LayerError::Refused(_)) => {
                self.refused = Some((name.to_owned(), error));
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    fn is_time(&self) -> bool {
        Instant::now() < self.until
    }

    /// Takes connections out that did not come back.
    async fn expire(&self, group: &str) -> Result<(), LayerError> {
        while self.is_time() {
            let mut call = self.part.place.call(&EXPIRE, group);
            call.arg(self.alive).arg(STEP);
            let are_more: u64 = read(self.part.stores.call(&self.part.place.home, &call).await?)?;
            if are_more == 0 {
                break;
            }
        }
        Ok(())
    }

    /// Takes out what a dead node had. A part of it is as good as all: another renewal goes on.
    async fn bury(&mut self, dead: &str, changed: &mut BTreeSet<String>) -> Result<(), LayerError> {
        let (place, stores) = (&self.part.place, &self.part.stores);
        let mut spoilt = BTreeSet::new();
        loop {
            let mut graves = GRAVES.key(&place.dead);
            graves.key(place.groups_of(dead)).arg(dead).arg(GROUPS_A_STEP + spoilt.len());
            let mut groups: Vec<String> = read(stores.call(&place.home, &graves).await?)?;
            groups.retain(|group| !spoilt.contains(group));
            if groups.is_empty() {
                return Ok(());
            }
            for group in groups {
                loop {
                    let left = self.bury_some(dead, &group).await;
                    let left = self.unless_refused(&group, left)?;
                    match left {
                        Some(_) => changed.insert(group.clone()),
                        None => spoilt.insert(group.clone()),
                    };
                    if !self.is_time() {
                        return Ok(());
                    }
                    if left.unwrap_or(0) == 0 {
                        break;
                    }
                }
            }
        }
    }

    /// Takes some connections out of one group; how many are left.
    async fn bury_some(&self, dead: &str, group: &str) -> Result<u64, LayerError> {
        let (place, stores) = (&self.part.place, &self.part.stores);
        let mut bury = place.call(&BURY, group);
        bury.key(&place.dead).key(place.groups_of(dead)).key(place.conns_of(dead, group));
        bury.arg(dead).arg(self.alive).arg(STEP).arg(crate::stores::millis(CLAIM));
        read(stores.call(&place.home, &bury).await?)
    }

    /// Gives what nobody changes time to live on, long before its end.
    async fn touch(&self, node: &Arc<str>) -> Result<(), LayerError> {
        let (place, stores) = (&self.part.place, &self.part.stores);
        let due = Duration::from_millis(self.alive / 4);
        let life = self.part.with(node, |node| node.life().filter(|_| node.touched.elapsed() >= due));
        let Some(life) = life else { return Ok(()) };
        let mut cursor = 0_u64;
        loop {
            let mut groups = GROUPS.key(place.groups_of(&life));
            groups.arg(cursor).arg(GROUPS_A_STEP);
            let (next, groups): (u64, Vec<String>) = read(stores.call(&place.home, &groups).await?)?;
            let mut touch = TOUCH.key(place.groups_of(&life));
            touch.arg(self.alive);
            for group in &groups {
                touch.key(place.conns_of(&life, group));
                for key in place.all_of_group(group) {
                    touch.key(key);
                }
            }
            stores.call(&place.home, &touch).await?;
            cursor = next;
            if cursor == 0 {
                break;
            }
        }
        self.part.with(node, |node| node.touched = Instant::now());
        Ok(())
    }
}

/// An answer in the form in which a script gives it.
pub(super) fn read<T: FromRedisValue>(answer: Value) -> Result<T, LayerError> {
    T::from_redis_value(answer.clone()).map_err(|_| unexpected(&answer))
}
