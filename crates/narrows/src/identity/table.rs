use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;
use std::time::Duration;

use tokio::time::Instant;

use super::Identity;
use super::digest::SessionDigest;
use super::holder::Holder;
use super::recent::Recent;
use crate::sync::Arc;

/// The holders of a node, by session, by user, and by when they are due.
#[derive(Default)]
pub(super) struct Table {
    places: Vec<Option<Entry>>,
    free: Vec<u32>,
    by_session: HashMap<SessionDigest, Vec<u32>>,
    by_user: HashMap<Box<str>, Vec<u32>>,
    /// Those without a check, by their end.
    ends: BTreeSet<(Instant, u32)>,
    /// Those with one, by when it is to be asked.
    asks: BTreeSet<(Instant, u32)>,
    /// How many need the keeper: they have an end, or a check.
    pub(super) tended: usize,
    /// A keeper is at work.
    pub(super) kept: bool,
    pub(super) recent: Recent,
    /// From here the seconds of ends are counted.
    start: Option<Instant>,
}

struct Entry {
    holder: Arc<Holder>,
    /// Its places in the lists of its session and user.
    session_at: u32,
    user_at: u32,
    expires: Option<Instant>,
    /// Its time is over and it was taken: what happens to it is for others to say.
    overdue: bool,
    /// When its check is to be asked, whatever its end is.
    asked: Option<Instant>,
    /// The earlier of both, as it stands in one of the sets.
    due: Option<Instant>,
}

impl Table {
    pub(super) fn insert(
        &mut self,
        identity: &Identity,
        session: Option<SessionDigest>,
        expires: Option<Instant>,
        make: impl FnOnce(u32) -> Holder,
    ) -> Arc<Holder> {
        let number = self.free.pop().unwrap_or_else(|| {
            self.places.push(None);
            u32::try_from(self.places.len() - 1).expect("fewer than 2^32 connections")
        });
        let session_at =
            session.map_or(0, |session| push(self.by_session.entry(session).or_default(), number));
        let user_at = identity.user().map_or(0, |user| match self.by_user.get_mut(user) {
            Some(list) => push(list, number),
            None => push(self.by_user.entry(user.into()).or_default(), number),
        });
        let holder = Arc::new(make(number));
        self.places[number as usize] = Some(Entry {
            holder: holder.clone(),
            session_at,
            user_at,
            expires: None,
            overdue: false,
            asked: None,
            due: None,
        });
        self.tended += usize::from(is_tended(&holder));
        self.set_expires(&holder, expires);
        holder
    }

    pub(super) fn remove(&mut self, holder: &Holder) {
        let Some(entry) = self.places[holder.number as usize].take() else { return };
        if let Some(session) = holder.session
            && let Some(moved) = take_out(&mut self.by_session, &session, entry.session_at)
        {
            self.entry(moved).session_at = entry.session_at;
        }
        if let Some(user) = holder.identity.user()
            && let Some(moved) = take_out(&mut self.by_user, user, entry.user_at)
        {
            self.entry(moved).user_at = entry.user_at;
        }
        if let Some(due) = entry.due {
            self.set_of(holder).remove(&(due, holder.number));
        }
        self.tended -= usize::from(is_tended(holder));
        self.free.push(holder.number);
    }

    pub(super) fn of_session(&self, session: &SessionDigest) -> Vec<Arc<Holder>> {
        self.holders(self.by_session.get(session))
    }

    pub(super) fn of_user(&self, user: &str) -> Vec<Arc<Holder>> {
        self.holders(self.by_user.get(user))
    }

    /// Those with a check among so many places from this one on; `None` behind the last.
    pub(super) fn checked(&self, from: usize, count: usize) -> Option<Vec<Arc<Holder>>> {
        let places = self.places.get(from..).filter(|places| !places.is_empty())?;
        let holders = places.iter().take(count).flatten().map(|entry| &entry.holder);
        Some(holders.filter(|holder| holder.identity.check().is_some()).cloned().collect())
    }

    /// Sets when the identity's time is over.
    pub(super) fn set_expires(&mut self, holder: &Arc<Holder>, expires: Option<Instant>) {
        let expires = expires.map(|at| self.round_up(at));
        if let Some(entry) = self.entry_of(holder) {
            (entry.expires, entry.overdue) = (expires, false);
            self.reckon(holder.number);
        }
    }

    pub(super) fn is_over(&mut self, holder: &Arc<Holder>, now: Instant) -> bool {
        self.entry_of(holder).is_some_and(|entry| entry.expires.is_some_and(|at| at <= now))
    }

    /// Has the identity's check asked at this time, if it has one.
    pub(super) fn ask(&mut self, holder: &Arc<Holder>, at: Instant) {
        if holder.identity.check().is_some()
            && let Some(entry) = self.entry_of(holder)
        {
            entry.asked = Some(entry.asked.map_or(at, |asked| asked.min(at)));
            self.reckon(holder.number);
        }
    }

    /// Takes up to so many whose time is over and who have no check.
    pub(super) fn take_over(&mut self, now: Instant, most: usize) -> Vec<Arc<Holder>> {
        self.take(now, most, |table| &mut table.ends)
    }

    /// Takes up to so many whose check is to be asked.
    pub(super) fn take_asks(&mut self, now: Instant, most: usize) -> Vec<Arc<Holder>> {
        self.take(now, most, |table| &mut table.asks)
    }

    pub(super) fn next_end(&self) -> Option<Instant> {
        self.ends.first().map(|(at, _)| *at)
    }

    pub(super) fn next_ask(&self) -> Option<Instant> {
        self.asks.first().map(|(at, _)| *at)
    }

    fn take(
        &mut self,
        now: Instant,
        most: usize,
        set: impl Fn(&mut Self) -> &mut BTreeSet<(Instant, u32)>,
    ) -> Vec<Arc<Holder>> {
        let mut taken = Vec::new();
        while taken.len() < most
            && let Some(&(at, number)) = set(self).first()
            && at <= now
        {
            set(self).pop_first();
            let entry = self.entry(number);
            (entry.due, entry.asked) = (None, None);
            entry.overdue = entry.expires.is_some_and(|at| at <= now);
            taken.push(entry.holder.clone());
        }
        taken
    }

    /// Ends are looked at once a second: those of many sessions come together.
    fn round_up(&mut self, at: Instant) -> Instant {
        let start = *self.start.get_or_insert_with(Instant::now);
        let since = at.saturating_duration_since(start);
        let seconds = since.as_secs() + u64::from(since.subsec_nanos() > 0);
        start.checked_add(Duration::from_secs(seconds)).unwrap_or(at).max(at)
    }

    /// Puts an entry where it belongs after its times have changed.
    fn reckon(&mut self, number: u32) {
        let entry = self.entry(number);
        let due = entry.expires.filter(|_| !entry.overdue).into_iter().chain(entry.asked).min();
        let (before, holder) = (std::mem::replace(&mut entry.due, due), entry.holder.clone());
        let set = self.set_of(&holder);
        if let Some(before) = before {
            set.remove(&(before, number));
        }
        if let Some(due) = due {
            set.insert((due, number));
        }
    }

    fn set_of(&mut self, holder: &Holder) -> &mut BTreeSet<(Instant, u32)> {
        if holder.identity.check().is_some() { &mut self.asks } else { &mut self.ends }
    }

    /// Its entry, while it has one.
    fn entry_of(&mut self, holder: &Arc<Holder>) -> Option<&mut Entry> {
        let entry = self.places[holder.number as usize].as_mut()?;
        Arc::ptr_eq(&entry.holder, holder).then_some(entry)
    }

    fn entry(&mut self, number: u32) -> &mut Entry {
        self.places[number as usize].as_mut().expect("a number in a list has an entry")
    }

    fn holders(&self, numbers: Option<&Vec<u32>>) -> Vec<Arc<Holder>> {
        let entries =
            numbers.into_iter().flatten().filter_map(|number| self.places[*number as usize].as_ref());
        entries.map(|entry| entry.holder.clone()).collect()
    }
}

fn is_tended(holder: &Holder) -> bool {
    holder.identity.check().is_some() || holder.identity.expires().is_some()
}

fn push(list: &mut Vec<u32>, number: u32) -> u32 {
    list.push(number);
    list.len() as u32 - 1
}

/// Takes the one at this place out of a key's list. The last moves there: that one is returned.
fn take_out<K, Q>(lists: &mut HashMap<K, Vec<u32>>, key: &Q, at: u32) -> Option<u32>
where
    K: std::borrow::Borrow<Q> + Hash + Eq,
    Q: Hash + Eq + ?Sized,
{
    let list = lists.get_mut(key)?;
    list.swap_remove(at as usize);
    let moved = list.get(at as usize).copied();
    if list.is_empty() {
        lists.remove(key);
    }
    moved
}

#[cfg(all(test, not(narrows_loom)))]
impl Table {
    pub(super) fn is_empty(&self) -> bool {
        self.places.iter().all(Option::is_none)
            && (self.by_session.is_empty() && self.by_user.is_empty())
            && (self.ends.is_empty() && self.asks.is_empty() && self.tended == 0)
    }

    /// Makes sure that each entry is in the lists where it says that it is.
    pub(super) fn consistent(&self) {
        for (entry, number) in self.places.iter().zip(0..).filter_map(|(e, n)| e.as_ref().map(|e| (e, n))) {
            if let Some(session) = entry.holder.session {
                assert_eq!(self.by_session[&session][entry.session_at as usize], number);
            }
            if let Some(user) = entry.holder.identity.user() {
                assert_eq!(self.by_user[user][entry.user_at as usize], number);
            }
            let due = entry.due.map(|due| (due, number));
            assert_eq!(
                due.is_some(),
                due.is_some_and(|due| self.ends.contains(&due) || self.asks.contains(&due))
            );
        }
        let live = self.places.iter().flatten().count();
        assert_eq!(self.by_user.values().map(Vec::len).sum::<usize>(), live);
    }
}
