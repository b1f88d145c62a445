//! Django's rules for verifying and writing (`django.contrib.auth.hashers`).

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use argon2::{Algorithm, Argon2, Version};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use md5::Md5;
use rand::RngExt;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq;

use super::encoded::{Digest, Encoded, EncodedError};
use super::hasher::{Hasher, Kind, pbkdf2_base64};
use crate::hex::hex;

/// What random texts of Django are made of (`RANDOM_STRING_CHARS`).
const CHARACTERS: &[u8; 62] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/// So many of them are 128 bits.
const SALT_CHARACTERS: usize = 22;

/// How passwords are kept: Django's `PASSWORD_HASHERS`.
///
/// Texts of `pbkdf2_sha256`, `pbkdf2_sha1`, `argon2`, `scrypt`, `bcrypt_sha256` and `bcrypt` are read. A text that asks
/// for far more work or memory than Django's defaults matches nothing, so that a row cannot hang the process. Clones
/// count their work together.
#[derive(Debug, Clone, Default)]
pub struct Hashing {
    preferred: Hasher,
    md5: bool,
    work: Arc<Work>,
}

#[derive(Debug, Default)]
struct Work {
    runs: AtomicU64,
    iterations: AtomicU64,
}

/// What [`Hashing::verify`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verified {
    /// Whether it is the password.
    pub matches: bool,
    /// Whether the text should be written again: it is of another algorithm than new ones, or has other costs.
    pub outdated: bool,
}

/// What hashing has cost so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct HashWork {
    /// How often a password was hashed.
    pub runs: u64,
    /// The iterations of PBKDF2 in all of them.
    pub iterations: u64,
}

impl Hashing {
    /// Writes with this hasher. The default is PBKDF2 as in Django 6.0.
    pub fn new(preferred: Hasher) -> Self {
        Self { preferred, ..Self::default() }
    }

    /// Reads texts of `md5`, too, which Django reads only where `PASSWORD_HASHERS` names it. For tests and for tables
    /// from long ago: MD5 protects nothing.
    #[must_use]
    pub fn with_md5(mut self) -> Self {
        self.md5 = true;
        self
    }

    /// The text to keep for a password, with a new salt (`make_password`). It takes a good part of a second, on purpose.
    pub fn hash(&self, password: &str) -> String {
        self.count(self.preferred.iterations());
        self.preferred.write(password, &random(SALT_CHARACTERS))
    }

    /// Whether a text is of this password (`verify_password`). It takes a good part of a second, on purpose.
    ///
    /// A text that matches nothing costs one hash like the others, and a wrong password the same work with an old
    /// number of iterations as with the current one, so that the time does not tell them apart.
    pub fn verify(&self, password: &str, text: &str) -> Verified {
        match self.parse(text) {
            Ok(encoded) => self.verify_encoded(password, &encoded),
            Err(error) => {
                if error != EncodedError::Unusable {
                    tracing::warn!(%error, "a password in the database matches nothing");
                }
                self.hash(&random(SALT_CHARACTERS));
                Verified { matches: false, outdated: false }
            }
        }
    }

    /// Whether a text should be written again at the next log-in (`must_update`). A text that matches no password
    /// should not.
    pub fn is_outdated(&self, text: &str) -> bool {
        self.parse(text).is_ok_and(|encoded| self.is_outdated_encoded(&encoded))
    }

    /// What hashing has cost so far.
    pub fn work(&self) -> HashWork {
        HashWork {
            runs: self.work.runs.load(Ordering::Relaxed),
            iterations: self.work.iterations.load(Ordering::Relaxed),
        }
    }

    fn parse<'a>(&self, text: &'a str) -> Result<Encoded<'a>, EncodedError> {
        match Encoded::parse(text)? {
            Encoded::Md5 { .. } if !self.md5 => Err(EncodedError::Unknown),
            encoded => Ok(encoded),
        }
    }

    fn verify_encoded(&self, password: &str, encoded: &Encoded<'_>) -> Verified {
        let iterations = match *encoded {
            Encoded::Pbkdf2 { iterations, .. } => iterations,
            _ => 0,
        };
        self.count(iterations);
        let matches = matches(password, encoded);
        let outdated = self.is_outdated_encoded(encoded);
        if !matches && outdated {
            self.harden(password, encoded);
        }
        Verified { matches, outdated }
    }

    /// The work that a weaker text of the same algorithm has spared (`harden_runtime`).
    fn harden(&self, password: &str, encoded: &Encoded<'_>) {
        let (
            Kind::Pbkdf2Sha256 { iterations: preferred },
            &Encoded::Pbkdf2 { digest: Digest::Sha256, iterations, salt, .. },
        ) = (&self.preferred.0, encoded)
        else {
            return;
        };
        if let Some(missing) = NonZeroU32::new(preferred.get().saturating_sub(iterations)) {
            self.count(missing.get());
            std::hint::black_box(pbkdf2_base64(Digest::Sha256, password, salt, missing));
        }
    }

    fn is_outdated_encoded(&self, encoded: &Encoded<'_>) -> bool {
        match (&self.preferred.0, encoded) {
            (
                Kind::Pbkdf2Sha256 { iterations: preferred },
                Encoded::Pbkdf2 { digest: Digest::Sha256, iterations, salt, .. },
            ) => preferred.get() != *iterations || salt.chars().count() < SALT_CHARACTERS,
            (
                Kind::Argon2 { params: preferred },
                Encoded::Argon2 {
                    algorithm: Algorithm::Argon2id, version: Version::V0x13, params, salt, ..
                },
            ) => preferred != params || salt.len() < SALT_CHARACTERS,
            _ => true,
        }
    }

    fn count(&self, iterations: u32) {
        self.work.runs.fetch_add(1, Ordering::Relaxed);
        self.work.iterations.fetch_add(iterations.into(), Ordering::Relaxed);
    }
}

fn matches(password: &str, encoded: &Encoded<'_>) -> bool {
    match encoded {
        &Encoded::Pbkdf2 { digest, iterations, salt, hash } => {
            let iterations = NonZeroU32::new(iterations).expect("no text with none is parsed");
            equal(&pbkdf2_base64(digest, password, salt, iterations), hash)
        }
        Encoded::Argon2 { algorithm, version, params, salt, hash } => {
            let mut found = vec![0; hash.len()];
            Argon2::new(*algorithm, *version, params.clone())
                .hash_password_into(password.as_bytes(), salt, &mut found)
                .is_ok()
                && found.ct_eq(hash).into()
        }
        &Encoded::Scrypt { log_n, r, p, salt, hash } => {
            let mut found = [0; 64];
            let Ok(params) = scrypt::Params::new(log_n, r, p, found.len()) else { return false };
            scrypt::scrypt(password.as_bytes(), salt.as_bytes(), &params, &mut found).is_ok()
                && equal(&STANDARD.encode(found), hash)
        }
        // As in Python's bcrypt before 5.0, a longer password counts by its first 72 bytes.
        &Encoded::Bcrypt { sha256: false, text } => bcrypt::verify(password, text).unwrap_or(false),
        &Encoded::Bcrypt { sha256: true, text } => {
            bcrypt::verify(hex(&Sha256::digest(password)), text).unwrap_or(false)
        }
        &Encoded::Md5 { salt, hash } => {
            equal(&hex(&Md5::new().chain_update(salt).chain_update(password).finalize()), hash)
        }
    }
}

/// A text that no password matches, as `set_unusable_password` writes.
pub fn unusable() -> String {
    format!("!{}", random(40))
}

fn equal(one: &str, other: &str) -> bool {
    one.as_bytes().ct_eq(other.as_bytes()).into()
}

fn random(characters: usize) -> String {
    let mut rng = rand::rng();
    (0..characters).map(|_| char::from(CHARACTERS[rng.random_range(0..CHARACTERS.len())])).collect()
}
