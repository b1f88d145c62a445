//! How often somebody may guess a password.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How many log-ins may fail.
///
/// One account's password can be guessed from one address five times in a row, then once a minute; from one address the
/// passwords of all accounts twenty times in a row, then four times a minute. Nothing that happens at one address keeps
/// an account's owner out at another. IPv6 addresses count by their network of 64 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ThrottleSettings {
    /// For one account at one address.
    pub account: Rate,
    /// For one address.
    pub address: Rate,
    /// How many accounts and addresses are remembered at most; beyond, those that are free again soonest are forgotten.
    /// Default 100 000, of some 60 bytes each.
    pub max_entries: usize,
}

/// So many at once, and one more each time this much has passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// How many failures in a row; 0 counts as 1.
    pub burst: u32,
    /// After how long there may be another one.
    pub every: Duration,
}

impl Default for ThrottleSettings {
    fn default() -> Self {
        Self {
            account: Rate { burst: 5, every: Duration::from_secs(60) },
            address: Rate { burst: 20, every: Duration::from_secs(15) },
            max_entries: 100_000,
        }
    }
}

/// Counts failed log-ins, in this process.
///
/// [`Accounts::authenticate`](crate::Accounts::authenticate) has one of its own. For a form of another kind, such as a
/// code by email:
///
/// ```
/// use std::time::{Duration, Instant};
/// use narrows_django::{Throttle, ThrottleSettings};
///
/// let throttle = Throttle::new(ThrottleSettings::default());
/// let now = Instant::now();
/// for _ in 0..5 {
///     drop(throttle.begin("alice", None, now)?);
/// }
/// assert_eq!(throttle.begin("alice", None, now).unwrap_err().retry_after, Duration::from_secs(60));
/// # Ok::<(), narrows_django::Throttled>(())
/// ```
#[derive(Debug)]
pub struct Throttle {
    settings: ThrottleSettings,
    names: RandomState,
    /// Until when all that is remembered of a key has passed: an account at an address, or an address.
    until: Mutex<HashMap<u64, Instant>>,
}

/// Too many log-ins have failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many log-ins have failed; the next one may be tried in {retry_after:?}")]
#[non_exhaustive]
pub struct Throttled {
    /// After how long to try again.
    pub retry_after: Duration,
}

/// A log-in that goes on. It has failed when it is dropped, so that nobody guesses more often by hanging up.
#[derive(Debug)]
#[must_use = "dropped, it has failed"]
pub struct Attempt<'a> {
    throttle: &'a Throttle,
    account: u64,
    address: Option<u64>,
}

impl Throttle {
    /// One that remembers nothing yet.
    pub fn new(settings: ThrottleSettings) -> Self {
        Self { settings, names: RandomState::new(), until: Mutex::default() }
    }

    /// Begins to log somebody in. An attempt counts from here, so that many at once are no way around it.
    ///
    /// # Errors
    /// When too many have failed.
    pub fn begin(
        &self,
        account: &str,
        address: Option<IpAddr>,
        now: Instant,
    ) -> Result<Attempt<'_>, Throttled> {
        let address = address.map(network);
        let attempt = Attempt {
            throttle: self,
            account: self.key(&(account.to_lowercase(), address)),
            address: address.map(|address| self.key(&address)),
        };
        let mut until = self.lock();
        for (key, rate) in attempt.rates() {
            let room = rate.every.saturating_mul(rate.burst.max(1));
            let retry_after =
                filled(&until, key, rate, now).saturating_duration_since(now).saturating_sub(room);
            if !retry_after.is_zero() {
                return Err(Throttled { retry_after });
            }
        }
        for (key, rate) in attempt.rates() {
            let filled = filled(&until, key, rate, now);
            until.insert(key, filled);
        }
        self.forget_some(&mut until, now);
        drop(until);
        Ok(attempt)
    }

    fn forget_some(&self, until: &mut HashMap<u64, Instant>, now: Instant) {
        let max = self.settings.max_entries.max(2);
        if until.len() <= max {
            return;
        }
        until.retain(|_, time| *time > now);
        // An eighth at once, so that this is rare.
        let keep = max - max / 8;
        if until.len() > keep {
            let mut times: Vec<_> = until.values().copied().collect();
            let surplus = times.len() - keep;
            let (_, last, _) = times.select_nth_unstable(surplus - 1);
            let last = *last;
            until.retain(|_, time| *time > last);
        }
    }

    fn key(&self, of: &impl Hash) -> u64 {
        self.names.hash_one(of)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Instant>> {
        // The map is whole after each of its operations.
        self.until.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Attempt<'_> {
    /// The right password: what this account failed at this address is forgotten.
    pub fn succeeded(self) {
        let mut until = self.throttle.lock();
        until.remove(&self.account);
        if let Some(address) = self.address {
            give_back(&mut until, address, self.throttle.settings.address);
        }
    }

    /// It was not found out whether the password is right: this one does not count.
    pub fn undone(self) {
        let mut until = self.throttle.lock();
        for (key, rate) in self.rates() {
            give_back(&mut until, key, rate);
        }
    }

    fn rates(&self) -> impl Iterator<Item = (u64, Rate)> {
        let settings = &self.throttle.settings;
        let address = self.address.map(|address| (address, settings.address));
        [(self.account, settings.account)].into_iter().chain(address)
    }
}

/// Until when a key is remembered after one more failure (a leaky bucket as one time: GCRA).
fn filled(until: &HashMap<u64, Instant>, key: u64, rate: Rate, now: Instant) -> Instant {
    let time = until.get(&key).map_or(now, |time| now.max(*time));
    time.checked_add(rate.every).unwrap_or(time)
}

fn give_back(until: &mut HashMap<u64, Instant>, key: u64, rate: Rate) {
    if let Some(time) = until.get_mut(&key) {
        *time = time.checked_sub(rate.every).unwrap_or(*time);
    }
}

/// Who has one IPv6 address has the 2^64 of its network.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into(),
        address @ IpAddr::V4(_) => address,
    }
}
