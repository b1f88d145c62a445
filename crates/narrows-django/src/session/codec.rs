use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use super::Values;
use crate::signing::{self, SecretKeys, SignatureError};

/// `SessionBase.key_salt`: that of the class that all stores but the one in cookies share.
const SALT: &str = "django.contrib.sessions.SessionStore";
/// That of the store in cookies, where it is written out.
const COOKIE_SALT: &str = "django.contrib.sessions.backends.signed_cookies";
/// What is read at most: more was not written by a session that a site can use.
pub(super) const MAX_ENCODED_BYTES: usize = 4 << 20;

/// How many sessions were not believed, in this process.
static CORRUPTED: AtomicU64 = AtomicU64::new(0);

pub(super) fn encode(values: &Values, keys: &SecretKeys) -> Result<String, serde_json::Error> {
    signing::dumps(values, SALT, keys, true, SystemTime::now())
}

/// What is in a session's text; nothing where nobody who has a key wrote it.
pub(super) fn decode(text: &str, keys: &SecretKeys) -> Values {
    read(text, SALT, keys, None).unwrap_or_else(|error| {
        let corrupted = CORRUPTED.fetch_add(1, Ordering::Relaxed) + 1;
        tracing::warn!(%error, corrupted, "session data corrupted");
        Values::new()
    })
}

/// As [`decode`], for one of many; `None` where it is not believed.
pub(super) fn peek(text: &str, keys: &SecretKeys) -> Option<Values> {
    read(text, SALT, keys, None).ok()
}

pub(super) fn encode_cookie(values: &Values, keys: &SecretKeys) -> Result<String, serde_json::Error> {
    signing::dumps(values, COOKIE_SALT, keys, true, SystemTime::now())
}

/// What is in a cookie; nothing where it is not ours, or too old. Anybody can send anything, so that is no news.
pub(super) fn decode_cookie(text: &str, keys: &SecretKeys, max_age: Duration) -> Option<Values> {
    read(text, COOKIE_SALT, keys, Some(max_age))
        .inspect_err(|error| tracing::debug!(%error, "a session's cookie is not believed"))
        .ok()
}

fn read(
    text: &str,
    salt: &str,
    keys: &SecretKeys,
    max_age: Option<Duration>,
) -> Result<Values, SignatureError> {
    if text.len() > MAX_ENCODED_BYTES {
        return Err(SignatureError::Content);
    }
    signing::loads(text, salt, keys, max_age, SystemTime::now())
}
