use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::key::JwtKey;

/// The longest token that is looked at.
const MAX_TOKEN_BYTES: usize = 16 * 1024;

/// What has to be true of a token besides its signature.
#[derive(Debug, Clone)]
pub(super) struct Rules {
    /// How far the issuer's clock may be off.
    pub(super) leeway: Duration,
    pub(super) audiences: Vec<String>,
    pub(super) issuers: Vec<String>,
    pub(super) required: Vec<(String, Value)>,
}

/// What a token claims, and somebody with one of the keys signed.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct JwtClaims {
    /// All claims.
    pub claims: Map<String, Value>,
    /// Until when they hold, the leeway included.
    pub expires: SystemTime,
}

/// RFC 7515, 4.1. What else a header says is not looked at: neither keys nor where to find some.
#[derive(Deserialize)]
struct Header {
    alg: String,
    #[serde(default)]
    kid: Option<String>,
    #[serde(default)]
    crit: Option<Value>,
}

/// Reads a token, with the keys that there are.
pub(super) fn read<'a>(
    token: &str,
    keys: impl Iterator<Item = &'a JwtKey>,
    rules: &Rules,
    now: SystemTime,
) -> Result<JwtClaims, JwtError> {
    if token.len() > MAX_TOKEN_BYTES {
        return Err(JwtError::Malformed);
    }
    let (message, signature) = token.rsplit_once('.').ok_or(JwtError::Malformed)?;
    let (header, payload) = message.split_once('.').ok_or(JwtError::Malformed)?;
    if payload.contains('.') {
        return Err(JwtError::Malformed);
    }
    let header: Header = json(header)?;
    // RFC 7515, 4.1.11: what is said to be critical has to be understood, and nothing is.
    if header.crit.is_some() {
        return Err(JwtError::Malformed);
    }
    let mut meant = keys.filter(|key| key.is_meant(&header.alg, header.kid.as_deref())).peekable();
    if meant.peek().is_none() {
        return Err(JwtError::UnknownKey);
    }
    if !meant.any(|key| key.verifies(message, signature)) {
        return Err(JwtError::Signature);
    }
    // Only now is anything of it worth reading.
    let claims: Map<String, Value> = json(payload)?;
    let expires = rules.check(&claims, now)?;
    Ok(JwtClaims { claims, expires })
}

fn json<T: serde::de::DeserializeOwned>(part: &str) -> Result<T, JwtError> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(part).map_err(|_| JwtError::Malformed)?;
    serde_json::from_slice(&bytes).map_err(|_| JwtError::Malformed)
}

impl Rules {
    /// When the claims end.
    fn check(&self, claims: &Map<String, Value>, now: SystemTime) -> Result<SystemTime, JwtError> {
        let expires = claims.get("exp").ok_or(JwtError::Claim("exp"))?;
        let expires =
            time(expires).and_then(|time| time.checked_add(self.leeway)).ok_or(JwtError::Claim("exp"))?;
        if expires <= now {
            return Err(JwtError::Expired);
        }
        if let Some(begins) = claims.get("nbf") {
            let begins = time(begins).ok_or(JwtError::Claim("nbf"))?;
            if now.checked_add(self.leeway).is_none_or(|now| begins > now) {
                return Err(JwtError::NotYet);
            }
        }
        // RFC 7519, 4.1.3: a token for others is not for us, also where we have no name.
        if claims.contains_key("aud") || !self.audiences.is_empty() {
            let audience = claims.get("aud").ok_or(JwtError::Claim("aud"))?;
            if !names(audience).any(|name| self.audiences.iter().any(|ours| ours == name)) {
                return Err(JwtError::Claim("aud"));
            }
        }
        let issuer = claims.get("iss").and_then(Value::as_str);
        if !self.issuers.is_empty()
            && !issuer.is_some_and(|issuer| self.issuers.iter().any(|ours| ours == issuer))
        {
            return Err(JwtError::Claim("iss"));
        }
        if self.required.iter().any(|(name, value)| claims.get(name) != Some(value)) {
            return Err(JwtError::Required);
        }
        Ok(expires)
    }
}

/// RFC 7519, 2: seconds since 1970, with a fraction or without.
fn time(claim: &Value) -> Option<SystemTime> {
    UNIX_EPOCH.checked_add(Duration::try_from_secs_f64(claim.as_f64()?).ok()?)
}

/// One name or several.
fn names(claim: &Value) -> impl Iterator<Item = &str> {
    let several = claim.as_array().map_or(&[][..], Vec::as_slice);
    claim.as_str().into_iter().chain(several.iter().filter_map(Value::as_str))
}

/// Why a token is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JwtError {
    /// It is not a token.
    #[error("this is not a token")]
    Malformed,
    /// No key has its `kid` and its algorithm.
    #[error("the token's key is not known")]
    UnknownKey,
    /// It was not signed with the key.
    #[error("the signature does not match")]
    Signature,
    /// It is over.
    #[error("the token has expired")]
    Expired,
    /// It does not hold yet.
    #[error("the token does not hold yet")]
    NotYet,
    /// This claim is missing, or not what it has to be.
    #[error("the claim `{0}` is missing or wrong")]
    Claim(&'static str),
    /// A claim that this site requires is missing, or not what it has to be.
    #[error("a required claim is missing or wrong")]
    Required,
}
