use subtle::ConstantTimeEq;

use super::{SecretKeys, salted_hmac};
use crate::hex::hex;

const SALT: &[u8] = b"django.contrib.auth.models.AbstractBaseUser.get_session_auth_hash";

/// What a session keeps of a user's password, to end with it (`AbstractBaseUser.get_session_auth_hash`): 64 hexadecimal
/// digits that depend on the password's text as it is stored, and on one key.
pub fn session_auth_hash(password: &str, key: &str) -> String {
    hex(&salted_hmac(SALT, password.as_bytes(), key.as_bytes()))
}

/// Which key made a session's hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthHash {
    /// The current one.
    Current,
    /// One of the fallbacks: the session should be given the hash of the current one.
    Fallback,
}

/// Whether a session's hash is that of this password, and by which key; `None` where it is not, and the session has to
/// end.
///
/// ```
/// use narrows_django::SecretKeys;
/// use narrows_django::signing::{AuthHash, session_auth_hash, verify_session_auth_hash};
///
/// let hash = session_auth_hash("argon2$…", "last year's key");
/// let keys = SecretKeys::new("this year's key").fallbacks(["last year's key"]);
/// assert_eq!(verify_session_auth_hash(&hash, "argon2$…", &keys), Some(AuthHash::Fallback));
/// assert_eq!(verify_session_auth_hash(&hash, "another password", &keys), None);
/// ```
pub fn verify_session_auth_hash(hash: &str, password: &str, keys: &SecretKeys) -> Option<AuthHash> {
    let made_by = |key| bool::from(session_auth_hash(password, key).as_bytes().ct_eq(hash.as_bytes()));
    if made_by(keys.current()) {
        return Some(AuthHash::Current);
    }
    keys.all().skip(1).any(made_by).then_some(AuthHash::Fallback)
}
