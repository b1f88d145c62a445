//! `sesame.tokens_v1`: a signed text with the user's key and a hash of what ends the token.

use std::time::SystemTime;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use md5::Md5;
use pbkdf2::pbkdf2_hmac;
use subtle::ConstantTimeEq;

use super::{Holder, Proof, SesameError, SesameSettings, SesameToken, SesameTokenError, expiry, revocation};
use crate::signing::{SecretKeys, Signer, TimestampSigner};

/// `SESAME_ITERATIONS`, which django-sesame says is not to be changed any more.
const ITERATIONS: u32 = 10_000;

#[derive(Debug, Clone)]
pub(super) enum Signing {
    Plain(Signer),
    Timed(TimestampSigner),
}

impl Signing {
    pub(super) fn new(settings: &SesameSettings, keys: &SecretKeys) -> Self {
        if settings.max_age.is_some() {
            Self::Timed(TimestampSigner::new(keys, &settings.salt).sha1())
        } else {
            Self::Plain(Signer::new(keys, &settings.salt).sha1())
        }
    }

    pub(super) fn token(
        &self,
        settings: &SesameSettings,
        holder: &Holder<'_>,
        scope: &str,
        now: SystemTime,
    ) -> Result<String, SesameTokenError> {
        if !scope.is_empty() {
            return Err(SesameTokenError::Scope);
        }
        let mut data = settings.packer.pack(holder.key).ok_or(SesameTokenError::Key)?;
        data.extend(hash(settings, holder));
        let data = BASE64_URL_SAFE_NO_PAD.encode(data);
        Ok(match self {
            Self::Plain(signer) => signer.sign(&data),
            Self::Timed(signer) => signer.sign(&data, now),
        })
    }

    pub(super) fn read(
        &self,
        settings: &SesameSettings,
        token: &str,
        now: SystemTime,
    ) -> Result<SesameToken, SesameError> {
        let (data, expires) = match self {
            Self::Plain(signer) => (signer.unsign(token)?, None),
            Self::Timed(signer) => {
                let (data, made) = signer.unsign_with_time(token, settings.max_age, now)?;
                (data, settings.max_age.and_then(|max_age| expiry(made, max_age)))
            }
        };
        let data = BASE64_URL_SAFE_NO_PAD.decode(data).map_err(|_| SesameError::Malformed)?;
        let (key, revocation) = settings.packer.unpack(&data).ok_or(SesameError::Malformed)?;
        Ok(SesameToken { key, expires, proof: Proof::V1 { revocation: revocation.to_vec() } })
    }
}

pub(super) fn verify(settings: &SesameSettings, revocation: &[u8], holder: &Holder<'_>) -> bool {
    hash(settings, holder).ct_eq(revocation).into()
}

fn hash(settings: &SesameSettings, holder: &Holder<'_>) -> [u8; 16] {
    let mut hash = [0; 16];
    let text = revocation::v1(settings, holder);
    pbkdf2_hmac::<Md5>(text.as_bytes(), settings.salt.as_bytes(), ITERATIONS, &mut hash);
    hash
}
