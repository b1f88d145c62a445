use std::time::Duration;

use super::Packer;

/// How tokens are made: django-sesame's settings, called `SESAME_…` there, with its defaults. Two sides read each
/// other's tokens when they agree on all of them but the names.
///
/// ```
/// use std::time::Duration;
///
/// use narrows_django::sesame::SesameSettings;
///
/// let mut settings = SesameSettings::default();
/// settings.max_age = Some(Duration::from_secs(600));
/// settings.one_time = true;
/// # assert_eq!(settings.token_name, "sesame");
/// ```
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SesameSettings {
    /// The name of the token in a query: `TOKEN_NAME`. Default `sesame`.
    pub token_name: String,
    /// How long a token is believed: `MAX_AGE`. Default for ever.
    ///
    /// It may be changed at any time, but not from or to `None`: that ends all tokens.
    pub max_age: Option<Duration>,
    /// Whether a log-in ends all tokens that were made before it: `ONE_TIME`. Default no.
    pub one_time: bool,
    /// Whether another password ends all tokens: `INVALIDATE_ON_PASSWORD_CHANGE`. Default yes.
    pub invalidate_on_password_change: bool,
    /// Whether another email address ends all tokens: `INVALIDATE_ON_EMAIL_CHANGE`. Default no.
    pub invalidate_on_email_change: bool,
    /// Changing it ends all tokens: `KEY`. Default empty.
    pub key: String,
    /// Bytes of a signature, 1 to 64: `SIGNATURE_SIZE`. Default 10.
    pub signature_size: usize,
    /// Salt of tokens of version 1: `SALT`. Default `sesame`.
    pub salt: String,
    /// How keys of users are written. It has to fit [`KeyKind`](crate::KeyKind), from which it can be made. Default
    /// [`Packer::Integer`], for `auth_user`.
    pub packer: Packer,
    /// What `PACKER` names, such as `sesame.packers.UnsignedShortPacker`, where the other side names one. It goes into
    /// the key, so it has to be the same text there and here. Default none.
    pub packer_path: Option<String>,
    /// `PRIMARY_KEY_FIELD`. Default `pk`. It goes into the key, too.
    pub primary_key_field: String,
    /// Which versions are read; tokens are made of the first: `TOKENS`. Default version 2, then 1.
    pub versions: Vec<TokenVersion>,
}

/// The version of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenVersion {
    /// `sesame.tokens_v1`: longer, and with a colon.
    V1,
    /// `sesame.tokens_v2`.
    V2,
}

impl Default for SesameSettings {
    fn default() -> Self {
        Self {
            token_name: "sesame".to_owned(),
            max_age: None,
            one_time: false,
            invalidate_on_password_change: true,
            invalidate_on_email_change: false,
            key: String::new(),
            signature_size: 10,
            salt: "sesame".to_owned(),
            packer: Packer::Integer,
            packer_path: None,
            primary_key_field: "pk".to_owned(),
            versions: vec![TokenVersion::V2, TokenVersion::V1],
        }
    }
}

impl std::fmt::Debug for SesameSettings {
    /// Without the key, which is a secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SesameSettings")
            .field("token_name", &self.token_name)
            .field("max_age", &self.max_age)
            .field("one_time", &self.one_time)
            .field("packer", &self.packer)
            .field("versions", &self.versions)
            .finish_non_exhaustive()
    }
}

impl SesameSettings {
    pub(super) fn check(&self) -> Result<(), SesameSettingsError> {
        if self.max_age.is_none() && !self.invalidate_on_password_change {
            return Err(SesameSettingsError::Endless);
        }
        if !(1..=64).contains(&self.signature_size) {
            return Err(SesameSettingsError::SignatureSize);
        }
        if self.versions.is_empty() {
            return Err(SesameSettingsError::NoVersion);
        }
        Ok(())
    }
}

/// Why settings cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SesameSettingsError {
    /// Nothing would ever end a token.
    #[error("tokens need a `max_age`, or to end with the password")]
    Endless,
    /// BLAKE2 has between 1 and 64 bytes.
    #[error("a signature has 1 to 64 bytes")]
    SignatureSize,
    /// No token could be made.
    #[error("there has to be a version of tokens")]
    NoVersion,
}
