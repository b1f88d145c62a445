use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::binding::Binding;
use super::keys::Keys;
use crate::identity::Identity;

/// What a connection leaves behind for the one that goes on after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) facts: Facts,
    /// The consumer's state, as it was written; `None` where nothing of the kind goes on.
    pub(crate) saved: Option<Vec<u8>>,
}

/// Written in MessagePack, as an array.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Facts {
    /// The connection's number, in two halves.
    pub(crate) connection: (u64, u64),
    /// How often it was resumed. All tokens of one time are used up together.
    pub(crate) generation: u32,
    /// In seconds since 1970.
    pub(crate) issued: u64,
    /// The node that wrote it.
    pub(crate) node: u64,
    pub(crate) route: RouteDigest,
    pub(crate) identity: Option<SavedIdentity>,
    pub(crate) binding: Option<Binding>,
    has_saved: bool,
}

/// Which consumer, at which host and path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RouteDigest(u64, u64);

impl RouteDigest {
    /// The host counts without its port, in which nodes may differ, and without regard to case.
    pub(crate) fn of(consumer: &str, host: &str, path: &str) -> Self {
        let mut hash = Sha256::new();
        for part in [consumer, &name_of(host).to_ascii_lowercase()] {
            hash.update(part);
            hash.update([0]);
        }
        let hash = hash.chain_update(path).finalize();
        let half = |at: usize| {
            u64::from_be_bytes(hash[at..at + 8].try_into().expect("a digest has more bytes than these"))
        };
        Self(half(0), half(8))
    }
}

/// A host without its port.
fn name_of(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        // An IPv6 address ends with a bracket.
        _ => host,
    }
}

/// An [`Identity`], its check by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SavedIdentity {
    pub(crate) session: Option<String>,
    pub(crate) user: Option<String>,
    /// In seconds since 1970.
    pub(crate) expires: Option<u64>,
    pub(crate) proof: String,
    pub(crate) check: Option<String>,
}

impl SavedIdentity {
    pub(crate) fn new(identity: &Identity, check: Option<&str>) -> Self {
        Self {
            session: identity.session().map(str::to_owned),
            user: identity.user().map(str::to_owned),
            expires: identity.expires().map(seconds),
            proof: identity.proof().to_owned(),
            check: check.map(str::to_owned),
        }
    }
}

/// The clocks of two nodes are not further apart than this.
pub(crate) const SKEW: Duration = Duration::from_secs(60);
/// The most that is saved of a consumer, in bytes.
pub(crate) const MAX_SAVED: usize = 2048;

impl Token {
    pub(crate) fn new(connection: u128, generation: u32, node: u64, route: RouteDigest) -> Self {
        let facts = Facts {
            connection: ((connection >> 64) as u64, connection as u64),
            generation,
            issued: seconds(SystemTime::now()),
            node,
            route,
            identity: None,
            binding: None,
            has_saved: false,
        };
        Self { facts, saved: None }
    }

    pub(crate) fn connection(&self) -> u128 {
        u128::from(self.facts.connection.0) << 64 | u128::from(self.facts.connection.1)
    }

    pub(crate) fn seal(mut self, keys: &Keys) -> Option<String> {
        self.facts.has_saved = self.saved.is_some();
        let mut content = rmp_serde::to_vec(&self.facts).ok()?;
        content.extend(self.saved.into_iter().flatten());
        keys.seal(&content).filter(|token| token.len() <= crate::protocol::MAX_TOKEN)
    }

    /// Opens a token of this route that is not too old; the rest is for others to check.
    pub(crate) fn open(
        token: &str,
        keys: &Keys,
        route: RouteDigest,
        window: Duration,
        now: SystemTime,
    ) -> Option<Self> {
        let content = keys.open(token)?;
        let mut rest = &content[..];
        let facts: Facts = rmp_serde::from_read(&mut rest).ok()?;
        let saved = facts.has_saved.then(|| rest.to_vec());
        let (issued, now) = (Duration::from_secs(facts.issued), now.duration_since(UNIX_EPOCH).ok()?);
        let fits = facts.route == route && issued <= now + SKEW && now <= issued + lifetime(window) + SKEW;
        fits.then_some(Self { facts, saved })
    }

    /// What whoever uses the token claims.
    pub(crate) fn claim(&self) -> String {
        claim_of(self.connection(), self.facts.generation)
    }
}

/// What stands for all tokens of one time of a connection.
pub(crate) fn claim_of(connection: u128, generation: u32) -> String {
    format!("resume:{connection:032x}.{generation}")
}

/// For how long a token is good: the connection goes on for a while after it was written, and may come back for a
/// window after its end.
fn lifetime(window: Duration) -> Duration {
    window * 2
}

/// For how long a claim or an end must be known so that no token outlives it, on a node with any clock.
pub(crate) fn horizon(window: Duration) -> Duration {
    lifetime(window) + 2 * SKEW
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Duration = Duration::from_secs(120);

    fn route() -> RouteDigest {
        RouteDigest::of("Room", "example.com", "/ws/lobby")
    }

    fn token() -> Token {
        let mut token = Token::new(u128::MAX - 7, 3, 9, route());
        let identity = Identity::new().with_session("abc").with_user("42").until(SystemTime::now());
        token.facts.identity = Some(SavedIdentity::new(&identity, Some("accounts")));
        token
    }

    #[test]
    fn a_token_holds_what_was_put_into_it() {
        let keys = Keys::random();
        for saved in [None, Some(Vec::new()), Some(vec![7; MAX_SAVED])] {
            let token = Token { saved: saved.clone(), ..token() };
            let sealed = token.clone().seal(&keys).unwrap();
            let opened = Token::open(&sealed, &keys, route(), WINDOW, SystemTime::now()).unwrap();
            assert_eq!((opened.connection(), &opened.saved), (u128::MAX - 7, &saved));
            assert_eq!((opened.facts.identity, opened.facts.generation), (token.facts.identity, 3));
        }
    }

    #[test]
    fn a_token_is_good_for_its_route_and_its_time_by_clocks_a_minute_apart() {
        let keys = Keys::random();
        let sealed = token().seal(&keys).unwrap();
        let opens = |route, now| Token::open(&sealed, &keys, route, WINDOW, now).is_some();
        let now = SystemTime::now();
        for (seconds, good) in [(0, true), (239, true), (299, true), (302, false)] {
            assert_eq!(opens(route(), now + Duration::from_secs(seconds)), good, "after {seconds} s");
        }
        assert!(opens(route(), now - Duration::from_secs(59)));
        assert!(!opens(route(), now - Duration::from_secs(62)));
        assert!(!opens(RouteDigest::of("Room", "example.com", "/ws/other"), now));
        assert!(!opens(RouteDigest::of("Other", "example.com", "/ws/lobby"), now));
    }

    #[test]
    fn a_host_counts_without_its_port() {
        let of = |host| RouteDigest::of("Room", host, "/ws/lobby");
        for same in ["example.com", "example.com:8001", "Example.COM:443", "example.com:"] {
            assert_eq!(of(same), route(), "{same}");
        }
        assert_eq!(of("[::1]:8000"), of("[::1]"));
        for other in ["example.org", "[::1]", "[::2]", "", "xample.com"] {
            assert_ne!(of(other), route(), "{other}");
        }
        assert_ne!(of("[::1]"), of("[::2]"));
    }
}
