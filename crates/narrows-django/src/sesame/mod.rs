//! Tokens of [django-sesame](https://pypi.org/project/django-sesame/): short texts, mostly in the query of a link, that
//! say who somebody is. What one side makes the other reads, in both of its versions.
//!
//! [`Sesame`] makes and reads them by itself; [`ways::SesameWay`](crate::ways::SesameWay) lets requests in with them.

mod packer;
mod revocation;
mod settings;
mod v1;
mod v2;

use std::time::{Duration, SystemTime};

use chrono::{DateTime, Utc};

pub use self::packer::Packer;
pub use self::settings::{SesameSettings, SesameSettingsError, TokenVersion};
use crate::signing::{SecretKeys, SignatureError};
use crate::user::User;

/// The longest token that is looked at, in bytes. The longest one that can be made has 434.
const MAX_TOKEN_BYTES: usize = 512;

/// Makes and reads tokens with a site's settings.
///
/// ```
/// use std::time::SystemTime;
///
/// use narrows_django::SecretKeys;
/// use narrows_django::sesame::{Holder, Sesame, SesameError, SesameSettings};
///
/// let sesame = Sesame::new(SesameSettings::default(), &SecretKeys::new("a long secret"))?;
/// let alice = Holder { key: "1", password: "argon2$…", email: "", last_login: None };
/// let now = SystemTime::now();
/// let token = sesame.token(&alice, "", now)?;
///
/// let read = sesame.read(&token, now)?;
/// assert_eq!(read.key(), "1"); // who it says it is: to be looked up
/// sesame.verify(&read, &alice, "")?; // and what proves it
///
/// let changed = Holder { password: "argon2$another", ..alice };
/// assert_eq!(sesame.verify(&read, &changed, ""), Err(SesameError::Invalid));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Sesame {
    settings: SesameSettings,
    v1: v1::Signing,
    v2: v2::Keys,
}

/// What a token depends on of the user it is for.
#[derive(Debug, Clone, Copy)]
pub struct Holder<'a> {
    /// The primary key, or what else [`SesameSettings::primary_key_field`] names, as text.
    pub key: &'a str,
    /// The password as it is stored.
    pub password: &'a str,
    /// The email address.
    pub email: &'a str,
    /// When the user last logged in.
    pub last_login: Option<DateTime<Utc>>,
}

impl<'a> From<&'a User> for Holder<'a> {
    /// With the primary key.
    fn from(user: &'a User) -> Self {
        Self {
            key: user.id.as_str(),
            password: &user.password,
            email: &user.email,
            last_login: user.last_login,
        }
    }
}

/// A token that was taken apart. Nothing is proven before [`Sesame::verify`].
#[derive(Debug, Clone)]
pub struct SesameToken {
    key: String,
    expires: Option<SystemTime>,
    proof: Proof,
}

#[derive(Debug, Clone)]
enum Proof {
    V1 { revocation: Vec<u8> },
    V2 { signed: Vec<u8>, signature: Vec<u8> },
}

impl SesameToken {
    /// The key of the user that it says it is for.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// From when on it is not believed any more.
    pub fn expires(&self) -> Option<SystemTime> {
        self.expires
    }

    /// Whether to verify it takes milliseconds rather than microseconds.
    pub(crate) fn is_slow(&self) -> bool {
        matches!(self.proof, Proof::V1 { .. })
    }
}

impl Sesame {
    /// With these settings, and the keys that a Django site has as `SECRET_KEY` and `SECRET_KEY_FALLBACKS`.
    ///
    /// # Errors
    /// When the settings contradict each other.
    pub fn new(settings: SesameSettings, keys: &SecretKeys) -> Result<Self, SesameSettingsError> {
        settings.check()?;
        let (v1, v2) = (v1::Signing::new(&settings, keys), v2::Keys::new(&settings, keys));
        Ok(Self { settings, v1, v2 })
    }

    /// The settings.
    pub fn settings(&self) -> &SesameSettings {
        &self.settings
    }

    /// A token for this user, of the first version in [`SesameSettings::versions`]. A scope binds it to one purpose;
    /// the empty one is django-sesame's default.
    ///
    /// # Errors
    /// When the user's key or the time does not fit, or a token of version 1 is asked to have a scope.
    pub fn token(
        &self,
        holder: &Holder<'_>,
        scope: &str,
        now: SystemTime,
    ) -> Result<String, SesameTokenError> {
        match self.settings.versions[0] {
            TokenVersion::V1 => self.v1.token(&self.settings, holder, scope, now),
            TokenVersion::V2 => self.v2.token(&self.settings, holder, scope, now),
        }
    }

    /// Takes a token apart, and refuses it where it is too old.
    ///
    /// # Errors
    /// [`SesameError::Malformed`] and [`SesameError::Expired`]; [`SesameError::Invalid`] where a token of version 1 was
    /// not signed by this site.
    pub fn read(&self, token: &str, now: SystemTime) -> Result<SesameToken, SesameError> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(SesameError::Malformed);
        }
        // Only tokens of version 1 have a colon.
        let version = if token.contains(':') { TokenVersion::V1 } else { TokenVersion::V2 };
        match version {
            _ if !self.settings.versions.contains(&version) => Err(SesameError::Malformed),
            TokenVersion::V1 => self.v1.read(&self.settings, token, now),
            TokenVersion::V2 => v2::read(&self.settings, token, now),
        }
    }

    /// Whether the token was made for this user and scope, and nothing has ended it since: `holder` is the user with
    /// the token's [key](SesameToken::key) as the database has it now.
    ///
    /// A token of version 1 takes about 10,000 rounds of MD5.
    ///
    /// # Errors
    /// [`SesameError::Invalid`].
    pub fn verify(&self, token: &SesameToken, holder: &Holder<'_>, scope: &str) -> Result<(), SesameError> {
        let holds = match &token.proof {
            // Version 1 has no scopes: such a token is for the empty one.
            Proof::V1 { revocation } => scope.is_empty() && v1::verify(&self.settings, revocation, holder),
            Proof::V2 { signed, signature } => {
                self.v2.verify(&self.settings, signed, signature, holder, scope)
            }
        };
        if holds { Ok(()) } else { Err(SesameError::Invalid) }
    }
}

/// Why a token is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SesameError {
    /// It is not a token of these settings: cut short, perhaps.
    #[error("this is not a token")]
    Malformed,
    /// It is too old.
    #[error("the token has expired")]
    Expired,
    /// It was not made here, or not for this user and scope, or something ended it: another password, a log-in.
    #[error("the token does not hold")]
    Invalid,
}

impl From<SignatureError> for SesameError {
    fn from(error: SignatureError) -> Self {
        match error {
            SignatureError::Bad => Self::Invalid,
            SignatureError::Expired => Self::Expired,
            SignatureError::Content => Self::Malformed,
        }
    }
}

/// Why a token cannot be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SesameTokenError {
    /// The user's key is not of the type that the settings name.
    #[error("the user's key does not fit the packer")]
    Key,
    /// Tokens have 32 bits for the seconds since 2020.
    #[error("the time is not within 68 years of 2020")]
    Time,
    /// Tokens of version 1 have no scope.
    #[error("a token of version 1 cannot have a scope")]
    Scope,
}

/// When something that was made then is too old.
fn expiry(made: SystemTime, max_age: Duration) -> Option<SystemTime> {
    made.checked_add(max_age)
}
