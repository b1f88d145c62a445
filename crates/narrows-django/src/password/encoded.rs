//! The texts in Django's column `password` (`django.contrib.auth.hashers`), taken apart.

use argon2::{Algorithm, Params, Version};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;

/// What a text may cost at most, so that a row cannot hang or exhaust the process. Each is some times what Django's
/// own defaults cost.
const MAX_ITERATIONS: u32 = 10_000_000;
const MAX_ARGON2_KIB: u32 = 1 << 20;
/// Memory times passes: 4 GiB written.
const MAX_ARGON2_WORK: u64 = 4 << 20;
const MAX_ARGON2_LANES: u32 = 64;
/// Bytes of memory.
const MAX_SCRYPT_MEMORY: u64 = 256 << 20;
const MAX_SCRYPT_WORK: u64 = 1 << 24;
const MAX_BCRYPT_COST: u32 = 16;
/// Django's column has room for 128; custom models have more.
const MAX_TEXT: usize = 1024;

/// A password as it is kept.
#[derive(Debug)]
pub(super) enum Encoded<'a> {
    Pbkdf2 { digest: Digest, iterations: u32, salt: &'a str, hash: &'a str },
    Argon2 { algorithm: Algorithm, version: Version, params: Params, salt: Vec<u8>, hash: Vec<u8> },
    Scrypt { log_n: u8, r: u32, p: u32, salt: &'a str, hash: &'a str },
    Bcrypt { sha256: bool, text: &'a str },
    Md5 { salt: &'a str, hash: &'a str },
}

/// What PBKDF2 is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Digest {
    Sha1,
    Sha256,
}

/// Why a text matches no password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum EncodedError {
    #[error("the user has no usable password")]
    Unusable,
    #[error("the password is kept by an algorithm that is not in use")]
    Unknown,
    #[error("the text of the password is not well formed")]
    Malformed,
    #[error("the text of the password asks for more work or memory than is allowed")]
    TooCostly,
}

impl<'a> Encoded<'a> {
    pub(super) fn parse(text: &'a str) -> Result<Self, EncodedError> {
        if text.starts_with('!') {
            return Err(EncodedError::Unusable);
        }
        if text.len() > MAX_TEXT {
            return Err(EncodedError::Malformed);
        }
        let (algorithm, rest) = text.split_once('$').ok_or(EncodedError::Unknown)?;
        match algorithm {
            "pbkdf2_sha256" => pbkdf2(Digest::Sha256, rest),
            "pbkdf2_sha1" => pbkdf2(Digest::Sha1, rest),
            "argon2" => argon2(rest),
            "scrypt" => scrypt(rest),
            "bcrypt_sha256" => bcrypt(true, rest),
            "bcrypt" => bcrypt(false, rest),
            "md5" => md5(rest),
            _ => Err(EncodedError::Unknown),
        }
    }
}

fn pbkdf2(digest: Digest, rest: &str) -> Result<Encoded<'_>, EncodedError> {
    let [iterations, salt, hash] = parts(rest)?;
    let iterations = number(iterations)?;
    if iterations > MAX_ITERATIONS {
        return Err(EncodedError::TooCostly);
    }
    if iterations == 0 || salt.is_empty() {
        return Err(EncodedError::Malformed);
    }
    Ok(Encoded::Pbkdf2 { digest, iterations, salt, hash })
}

/// `argon2id$v=19$m=102400,t=2,p=8$salt$hash`; the first version has no `v=`.
fn argon2(rest: &str) -> Result<Encoded<'_>, EncodedError> {
    let (algorithm, rest) = rest.split_once('$').ok_or(EncodedError::Malformed)?;
    let algorithm = match algorithm {
        "argon2id" => Algorithm::Argon2id,
        "argon2i" => Algorithm::Argon2i,
        "argon2d" => Algorithm::Argon2d,
        _ => return Err(EncodedError::Malformed),
    };
    let (version, rest) = match rest.strip_prefix("v=") {
        Some(rest) => rest.split_once('$').ok_or(EncodedError::Malformed)?,
        None => ("16", rest),
    };
    let version = match version {
        "19" => Version::V0x13,
        "16" => Version::V0x10,
        _ => return Err(EncodedError::Malformed),
    };
    let [costs, salt, hash] = parts(rest)?;
    let [memory, passes, lanes] = named(costs)?;
    if memory > MAX_ARGON2_KIB
        || u64::from(memory) * u64::from(passes) > MAX_ARGON2_WORK
        || lanes > MAX_ARGON2_LANES
    {
        return Err(EncodedError::TooCostly);
    }
    let decode = |text| STANDARD_NO_PAD.decode(text).map_err(|_| EncodedError::Malformed);
    let (salt, hash) = (decode(salt)?, decode(hash)?);
    let params = Params::new(memory, passes, lanes, Some(hash.len()));
    let params = params.map_err(|_| EncodedError::Malformed)?;
    Ok(Encoded::Argon2 { algorithm, version, params, salt, hash })
}

fn scrypt(rest: &str) -> Result<Encoded<'_>, EncodedError> {
    let [n, salt, r, p, hash] = parts(rest)?;
    let (n, r, p) = (number(n)?, number(r)?, number(p)?);
    if !n.is_power_of_two() || n < 2 || r == 0 || p == 0 || salt.is_empty() {
        return Err(EncodedError::Malformed);
    }
    let [wide_n, wide_r, wide_p] = [n, r, p].map(u128::from);
    let memory = 128 * wide_r * (wide_n + wide_p);
    if memory > MAX_SCRYPT_MEMORY.into() || wide_n * wide_r * wide_p > MAX_SCRYPT_WORK.into() {
        return Err(EncodedError::TooCostly);
    }
    let log_n = u8::try_from(n.ilog2()).expect("a u32 has fewer than 256 bits");
    Ok(Encoded::Scrypt { log_n, r, p, salt, hash })
}

/// `$2b$12$` with 22 characters of salt and 31 of hash.
fn bcrypt(sha256: bool, text: &str) -> Result<Encoded<'_>, EncodedError> {
    let ["", "2a" | "2b" | "2x" | "2y", cost, rest] = parts(text)? else {
        return Err(EncodedError::Malformed);
    };
    if cost.len() != 2 || rest.len() != 53 || !rest.is_ascii() {
        return Err(EncodedError::Malformed);
    }
    let cost: u32 = cost.parse().map_err(|_| EncodedError::Malformed)?;
    if cost > MAX_BCRYPT_COST {
        return Err(EncodedError::TooCostly);
    }
    Ok(Encoded::Bcrypt { sha256, text })
}

fn md5(rest: &str) -> Result<Encoded<'_>, EncodedError> {
    let [salt, hash] = parts(rest)?;
    if salt.is_empty() {
        return Err(EncodedError::Malformed);
    }
    Ok(Encoded::Md5 { salt, hash })
}

/// Exactly so many parts.
fn parts<const N: usize>(text: &str) -> Result<[&str; N], EncodedError> {
    let mut parts = text.split('$');
    let mut found = [""; N];
    for part in &mut found {
        *part = parts.next().ok_or(EncodedError::Malformed)?;
    }
    if parts.next().is_some() { Err(EncodedError::Malformed) } else { Ok(found) }
}

/// A number as Python writes it: Django writes the text again and compares all of it.
fn number(text: &str) -> Result<u32, EncodedError> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits || (text.starts_with('0') && text.len() > 1) {
        return Err(EncodedError::Malformed);
    }
    text.parse().map_err(|_| EncodedError::TooCostly)
}

/// `m=…,t=…,p=…`
fn named(text: &str) -> Result<[u32; 3], EncodedError> {
    let mut costs = text.split(',');
    let mut found = [0; 3];
    for (cost, name) in found.iter_mut().zip(["m=", "t=", "p="]) {
        let text = costs.next().and_then(|cost| cost.strip_prefix(name));
        *cost = number(text.ok_or(EncodedError::Malformed)?)?;
    }
    if costs.next().is_some() { Err(EncodedError::Malformed) } else { Ok(found) }
}
