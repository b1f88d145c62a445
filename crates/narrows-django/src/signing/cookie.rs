use std::time::{Duration, SystemTime};

use super::{SecretKeys, SignatureError, TimestampSigner};

/// Which salt a signed cookie may have been signed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CookieSalt {
    /// Only the one in which name and salt cannot be taken for each other.
    #[default]
    Current,
    /// The one before, too, which Django wrote up to 2026: `SIGNED_COOKIE_LEGACY_SALT_FALLBACK = True`.
    OrLegacy,
}

/// The value of a signed cookie, as `HttpResponse.set_signed_cookie` writes it.
///
/// ```
/// use std::time::SystemTime;
///
/// use narrows_django::SecretKeys;
/// use narrows_django::signing::{CookieSalt, sign_cookie, unsign_cookie};
///
/// let keys = SecretKeys::new("a long secret");
/// let now = SystemTime::now();
/// let value = sign_cookie("theme", "dark", "", &keys, now);
/// assert_eq!(unsign_cookie("theme", &value, "", &keys, CookieSalt::Current, None, now)?, "dark");
/// # Ok::<(), narrows_django::signing::SignatureError>(())
/// ```
pub fn sign_cookie(name: &str, value: &str, salt: &str, keys: &SecretKeys, now: SystemTime) -> String {
    TimestampSigner::new(&cookie_keys(keys), &current_salt(name, salt)).sign(value, now)
}

/// What was signed in a cookie, as `HttpRequest.get_signed_cookie` reads it.
///
/// # Errors
/// When it was not signed for this name and salt, or is older than `max_age`.
pub fn unsign_cookie<'a>(
    name: &str,
    value: &'a str,
    salt: &str,
    keys: &SecretKeys,
    which: CookieSalt,
    max_age: Option<Duration>,
    now: SystemTime,
) -> Result<&'a str, SignatureError> {
    let keys = cookie_keys(keys);
    let with = |salt: String| TimestampSigner::new(&keys, &salt).unsign(value, max_age, now);
    match with(current_salt(name, salt)) {
        Err(SignatureError::Bad) if which == CookieSalt::OrLegacy => with(format!("{name}{salt}")),
        other => other,
    }
}

fn cookie_keys(keys: &SecretKeys) -> SecretKeys {
    let key = |key: &str| format!("django.http.cookies{key}");
    SecretKeys::new(&key(keys.current())).fallbacks(keys.all().skip(1).map(key))
}

/// The salt's length is what Python calls one, in characters.
fn current_salt(name: &str, salt: &str) -> String {
    format!("django.http.cookies.v2:{}:{salt}{name}", salt.chars().count())
}
