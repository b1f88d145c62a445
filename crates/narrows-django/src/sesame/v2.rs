//! `sesame.tokens_v2`: key, time and a BLAKE2 signature, in base64.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use blake2::Blake2bVarCore;
use blake2::digest::core_api::{Buffer, UpdateCore, VariableOutputCore};
use subtle::ConstantTimeEq;

use super::{Holder, Proof, SesameError, SesameSettings, SesameToken, SesameTokenError, expiry, revocation};
use crate::signing::{SecretKeys, unix_seconds, unix_time};

/// 2020-01-01, in seconds since 1970.
const EPOCH: i64 = 1_577_836_800;

/// The keys of the site's secrets, the one that signs first.
#[derive(Clone)]
pub(super) struct Keys(Arc<[[u8; 64]]>);

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keys").finish_non_exhaustive()
    }
}

impl Keys {
    pub(super) fn new(settings: &SesameSettings, keys: &SecretKeys) -> Self {
        Self(keys.all().map(|secret| derive(settings, secret)).collect())
    }

    pub(super) fn token(
        &self,
        settings: &SesameSettings,
        holder: &Holder<'_>,
        scope: &str,
        now: SystemTime,
    ) -> Result<String, SesameTokenError> {
        let mut token = settings.packer.pack(holder.key).ok_or(SesameTokenError::Key)?;
        if settings.max_age.is_some() {
            let stamp =
                i32::try_from(unix_seconds(now).saturating_sub(EPOCH)).map_err(|_| SesameTokenError::Time)?;
            token.extend(stamp.to_be_bytes());
        }
        let message = message(settings, &token, holder, scope);
        token.extend(sign(&message, &self.0[0], settings.signature_size));
        Ok(BASE64_URL_SAFE_NO_PAD.encode(token))
    }

    pub(super) fn verify(
        &self,
        settings: &SesameSettings,
        signed: &[u8],
        signature: &[u8],
        holder: &Holder<'_>,
        scope: &str,
    ) -> bool {
        let message = message(settings, signed, holder, scope);
        self.0.iter().any(|key| sign(&message, key, settings.signature_size).ct_eq(signature).into())
    }
}

pub(super) fn read(
    settings: &SesameSettings,
    token: &str,
    now: SystemTime,
) -> Result<SesameToken, SesameError> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(token).map_err(|_| SesameError::Malformed)?;
    let (key, rest) = settings.packer.unpack(&bytes).ok_or(SesameError::Malformed)?;
    let (expires, signature) = match settings.max_age {
        None => (None, rest),
        Some(max_age) => {
            let (stamp, rest) = rest.split_first_chunk().ok_or(SesameError::Malformed)?;
            let made = EPOCH + i64::from(i32::from_be_bytes(*stamp));
            // At its greatest age it is too old, other than a token of version 1. One from the future is not.
            let age = u64::try_from(unix_seconds(now).saturating_sub(made)).ok().map(Duration::from_secs);
            if age.is_some_and(|age| age >= max_age) {
                return Err(SesameError::Expired);
            }
            (unix_time(made).and_then(|made| expiry(made, max_age)), rest)
        }
    };
    if signature.len() != settings.signature_size {
        return Err(SesameError::Malformed);
    }
    let signed = bytes[..bytes.len() - signature.len()].to_vec();
    Ok(SesameToken { key, expires, proof: Proof::V2 { signed, signature: signature.to_vec() } })
}

fn message(settings: &SesameSettings, signed: &[u8], holder: &Holder<'_>, scope: &str) -> Vec<u8> {
    [signed, revocation::v2(settings, holder).as_bytes(), scope.as_bytes()].concat()
}

/// `sesame.settings.derive_key`: settings that change what a token means are part of the key.
fn derive(settings: &SesameSettings, secret: &str) -> [u8; 64] {
    let max_age = if settings.max_age.is_some() { "max_age" } else { "" };
    let packer = settings.packer_path.as_deref().unwrap_or_default();
    let text = [secret, &settings.key, max_age, packer, &settings.primary_key_field].join("|");
    blake2b(text.as_bytes(), None, b"sesame.settings", 64)
}

fn sign(message: &[u8], key: &[u8; 64], size: usize) -> Vec<u8> {
    blake2b(message, Some(key), b"sesame.tokens_v2", size)[..size].to_vec()
}

/// BLAKE2b with a personal text of up to 16 bytes and `size` bytes of output, of 1 to 64; the others are zero. The
/// crate offers a key only with a size that is known when it is compiled.
fn blake2b(message: &[u8], key: Option<&[u8; 64]>, personal: &[u8], size: usize) -> [u8; 64] {
    let mut core = Blake2bVarCore::new_with_params(&[], personal, key.map_or(0, |key| key.len()), size);
    let mut buffer = Buffer::<Blake2bVarCore>::default();
    if let Some(key) = key {
        // RFC 7693, 2.9: the key is the first block, filled up with zeros.
        let mut block = [0; 128];
        block[..key.len()].copy_from_slice(key);
        buffer.digest_blocks(&block, |blocks| core.update_blocks(blocks));
    }
    buffer.digest_blocks(message, |blocks| core.update_blocks(blocks));
    let mut output = Default::default();
    core.finalize_variable_core(&mut buffer, &mut output);
    let mut hash = [0; 64];
    hash[..size].copy_from_slice(&output[..size]);
    hash
}
