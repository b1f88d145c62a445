//! Django's signed texts (`django.core.signing`): what a site gives away and later believes again, as nobody without
//! its [`SecretKeys`] can have made it.
//!
//! * [`dumps`] and [`loads`] sign any value that is JSON, with the time.
//! * [`Signer`] and [`TimestampSigner`] sign texts.
//! * [`sign_cookie`] and [`unsign_cookie`] are Django's signed cookies.
//!
//! A signed text is not secret: whoever has it can read it.

mod auth_hash;
pub(crate) mod base62;
mod cookie;
mod hash;
pub(crate) mod json;
mod keys;
mod payload;
mod signer;

use std::time::{Duration, SystemTime};

use serde::Serialize;
use serde::de::DeserializeOwned;

pub use self::auth_hash::{AuthHash, session_auth_hash, verify_session_auth_hash};
pub use self::cookie::{CookieSalt, sign_cookie, unsign_cookie};
pub use self::hash::salted_hmac;
pub use self::keys::SecretKeys;
pub use self::payload::MAX_INFLATED_BYTES;
pub use self::signer::{Signer, TimestampSigner};
pub(crate) use self::signer::{unix_seconds, unix_time};

/// Django's own salt where a call of `signing.dumps` gives none.
pub const SALT: &str = "django.core.signing";

/// Writes a value as `signing.dumps` does, stamped with `now`.
///
/// The JSON is byte for byte Python's. Keys come in the order in which the value gives them: a struct's in that of its
/// fields, those of a `serde_json::Map` by alphabet unless the site turns serde_json's `preserve_order` on. Django
/// reads either. A number that is not finite is written as `null`.
///
/// ```
/// use std::time::SystemTime;
///
/// use narrows_django::SecretKeys;
/// use narrows_django::signing::{self, dumps, loads};
///
/// let keys = SecretKeys::new("a long secret");
/// let now = SystemTime::now();
/// let signed = dumps(&("alice", 5), signing::SALT, &keys, true, now)?;
/// let (name, room): (String, u32) = loads(&signed, signing::SALT, &keys, None, now)?;
/// assert_eq!((name.as_str(), room), ("alice", 5));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// When the value cannot be written as JSON.
pub fn dumps<T: Serialize + ?Sized>(
    value: &T,
    salt: &str,
    keys: &SecretKeys,
    compress: bool,
    now: SystemTime,
) -> Result<String, serde_json::Error> {
    let text = payload::encode(&json::to_vec(value)?, compress);
    Ok(TimestampSigner::new(keys, salt).sign(&text, now))
}

/// Reads what `signing.dumps` wrote, as `signing.loads` does: with the current key or one of the fallbacks, and not
/// older than `max_age`.
///
/// JSON has no numbers but finite ones: a value in which Python wrote `NaN` or `Infinity` is not read. A whole number
/// beyond 64 bits is a floating point one in a `serde_json::Value`.
///
/// # Errors
/// When the text was not signed with any of the keys, is too old, or does not hold such a value.
pub fn loads<T: DeserializeOwned>(
    text: &str,
    salt: &str,
    keys: &SecretKeys,
    max_age: Option<Duration>,
    now: SystemTime,
) -> Result<T, SignatureError> {
    let text = TimestampSigner::new(keys, salt).unsign(text, max_age, now)?;
    serde_json::from_slice(&payload::decode(text)?).map_err(|_| SignatureError::Content)
}

/// Why a signed text is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// It has no signature, or one of none of the keys.
    #[error("the signature does not match")]
    Bad,
    /// It is older than it may be.
    #[error("the signature has expired")]
    Expired,
    /// What was signed is not what it should be.
    #[error("the signed value cannot be read")]
    Content,
}
