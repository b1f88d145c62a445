use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use subtle::ConstantTimeEq;

use super::hash::{salted_hmac, salted_hmac_sha1};
use super::{SecretKeys, SignatureError, base62};

const SEPARATOR: char = ':';

/// Signs short texts so that whoever has them cannot change them: `django.core.signing.Signer`.
///
/// ```
/// use narrows_django::SecretKeys;
/// use narrows_django::signing::{SignatureError, Signer};
///
/// let signer = Signer::new(&SecretKeys::new("a long secret"), Signer::SALT);
/// let signed = signer.sign("room 5");
/// assert!(signed.starts_with("room 5:"));
/// assert_eq!(signer.unsign(&signed), Ok("room 5"));
/// assert_eq!(signer.unsign(&signed.replace('5', "6")), Err(SignatureError::Bad));
/// ```
#[derive(Debug, Clone)]
pub struct Signer {
    keys: SecretKeys,
    salt: String,
    algorithm: Algorithm,
}

#[derive(Debug, Clone, Copy)]
enum Algorithm {
    Sha1,
    Sha256,
}

impl Signer {
    /// The salt of a `Signer` that was given none.
    pub const SALT: &str = "django.core.signing.Signer";

    /// A signer for one purpose, which the salt names: what another purpose signed is not believed.
    pub fn new(keys: &SecretKeys, salt: &str) -> Self {
        Self { keys: keys.clone(), salt: format!("{salt}signer"), algorithm: Algorithm::Sha256 }
    }

    pub(crate) fn sha1(self) -> Self {
        Self { algorithm: Algorithm::Sha1, ..self }
    }

    /// `value:signature`, by the current key.
    pub fn sign(&self, value: &str) -> String {
        let signature = self.signature(value, self.keys.current());
        format!("{value}{SEPARATOR}{signature}")
    }

    /// The value without its signature, which any of the keys may have made.
    ///
    /// # Errors
    /// [`SignatureError::Bad`].
    pub fn unsign<'a>(&self, signed: &'a str) -> Result<&'a str, SignatureError> {
        let (value, signature) = signed.rsplit_once(SEPARATOR).ok_or(SignatureError::Bad)?;
        let signed_by = |key| bool::from(self.signature(value, key).as_bytes().ct_eq(signature.as_bytes()));
        if self.keys.all().any(signed_by) { Ok(value) } else { Err(SignatureError::Bad) }
    }

    fn signature(&self, value: &str, key: &str) -> String {
        let [salt, value, key] = [&self.salt, value, key].map(str::as_bytes);
        match self.algorithm {
            Algorithm::Sha1 => BASE64_URL_SAFE_NO_PAD.encode(salted_hmac_sha1(salt, value, key)),
            Algorithm::Sha256 => BASE64_URL_SAFE_NO_PAD.encode(salted_hmac(salt, value, key)),
        }
    }
}

/// Signs short texts with the time, in whole seconds: `django.core.signing.TimestampSigner`.
///
/// ```
/// use std::time::{Duration, SystemTime};
///
/// use narrows_django::SecretKeys;
/// use narrows_django::signing::{SignatureError, TimestampSigner};
///
/// let signer = TimestampSigner::new(&SecretKeys::new("a long secret"), TimestampSigner::SALT);
/// let now = SystemTime::now();
/// let signed = signer.sign("alice", now);
///
/// let hour = Duration::from_secs(3600);
/// assert_eq!(signer.unsign(&signed, Some(hour), now), Ok("alice"));
/// assert_eq!(signer.unsign(&signed, Some(hour), now + 2 * hour), Err(SignatureError::Expired));
/// ```
#[derive(Debug, Clone)]
pub struct TimestampSigner(Signer);

impl TimestampSigner {
    /// The salt of a `TimestampSigner` that was given none.
    pub const SALT: &str = "django.core.signing.TimestampSigner";

    /// A signer for one purpose, which the salt names.
    pub fn new(keys: &SecretKeys, salt: &str) -> Self {
        Self(Signer::new(keys, salt))
    }

    pub(crate) fn sha1(self) -> Self {
        Self(self.0.sha1())
    }

    /// `value:time:signature`, by the current key.
    pub fn sign(&self, value: &str, now: SystemTime) -> String {
        let stamp = base62::encode(unix_seconds(now));
        self.0.sign(&format!("{value}{SEPARATOR}{stamp}"))
    }

    /// The value, where it was signed not longer ago than `max_age`. A time that has not come yet is taken, as Django
    /// takes it: the clocks of two servers differ.
    ///
    /// # Errors
    /// [`SignatureError`].
    pub fn unsign<'a>(
        &self,
        signed: &'a str,
        max_age: Option<Duration>,
        now: SystemTime,
    ) -> Result<&'a str, SignatureError> {
        self.unsign_with_time(signed, max_age, now).map(|(value, _)| value)
    }

    /// The value, and when it was signed.
    pub(crate) fn unsign_with_time<'a>(
        &self,
        signed: &'a str,
        max_age: Option<Duration>,
        now: SystemTime,
    ) -> Result<(&'a str, SystemTime), SignatureError> {
        let (value, stamp) = self.0.unsign(signed)?.rsplit_once(SEPARATOR).ok_or(SignatureError::Content)?;
        let stamp = base62::decode(stamp).ok_or(SignatureError::Content)?;
        let greatest = max_age.map_or(i128::MAX, |age| i128::try_from(age.as_nanos()).unwrap_or(i128::MAX));
        if unix_nanos(now) - i128::from(stamp) * 1_000_000_000 > greatest {
            return Err(SignatureError::Expired);
        }
        // What a time of this system cannot hold is farther away than anything that is signed.
        Ok((value, unix_time(stamp).unwrap_or(now)))
    }
}

/// Whole seconds since 1970, cut towards it as Python's `int` does.
pub(crate) fn unix_seconds(time: SystemTime) -> i64 {
    i64::try_from(unix_nanos(time) / 1_000_000_000).unwrap_or(i64::MAX)
}

fn unix_nanos(time: SystemTime) -> i128 {
    let (sign, distance) = match time.duration_since(UNIX_EPOCH) {
        Ok(after) => (1, after),
        Err(before) => (-1, before.duration()),
    };
    sign * i128::try_from(distance.as_nanos()).unwrap_or(i128::MAX)
}

pub(crate) fn unix_time(seconds: i64) -> Option<SystemTime> {
    let distance = Duration::from_secs(seconds.unsigned_abs());
    if seconds < 0 { UNIX_EPOCH.checked_sub(distance) } else { UNIX_EPOCH.checked_add(distance) }
}
