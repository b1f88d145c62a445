use http::HeaderMap;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::identity::{BoundCookie, Identity};
use crate::scope::Cookies;

/// The cookie that holds a connection's session: who comes back must bring it again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Binding {
    name: Box<str>,
    /// Of its value, a part of the SHA-256.
    value: (u64, u64),
}

impl Binding {
    /// The cookie of a handshake by which its identity was found; where nobody said which one that is, the one that holds
    /// the key of its session.
    pub(crate) fn find(headers: &HeaderMap, identity: &Identity, named: Option<BoundCookie>) -> Option<Self> {
        if let Some(BoundCookie(name)) = named {
            let cookies = Cookies::from_headers(headers);
            // One that the client did not have yet is bound to what no cookie of this name has.
            let value = cookies.get(&name).map_or((0, 0), digest);
            return Some(Self { name, value });
        }
        let key = identity.session().filter(|key| !key.is_empty())?;
        let cookies = Cookies::from_headers(headers);
        let (name, value) = cookies.iter().find(|(_, value)| value.contains(key))?;
        Some(Self { name: name.into(), value: digest(value) })
    }

    pub(crate) fn holds(&self, headers: &HeaderMap) -> bool {
        Cookies::from_headers(headers).get(&self.name).is_some_and(|value| digest(value) == self.value)
    }
}

fn digest(value: &str) -> (u64, u64) {
    let hash = Sha256::digest(value);
    let half = |at: usize| {
        u64::from_be_bytes(hash[at..at + 8].try_into().expect("a digest has more bytes than these"))
    };
    (half(0), half(8))
}
