//! What writes the texts of new passwords.

use std::num::NonZeroU32;

use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};

use super::encoded::Digest;

/// The iterations of PBKDF2 in Django 6.0; 5.2 has 1 000 000.
pub const DJANGO_ITERATIONS: u32 = 1_200_000;

/// `Argon2PasswordHasher` of Django: 100 MiB, two passes, eight lanes, 32 bytes.
const DJANGO_ARGON2: (u32, u32, u32, usize) = (102_400, 2, 8, 32);

/// What new passwords are written with: the first of Django's `PASSWORD_HASHERS`.
///
/// Django writes a password again when its user logs in and the number of iterations is not its own. So where a Django
/// site shares the table, both must have the same, or they write in turn: `Hasher::pbkdf2_sha256(1_000_000)` beside
/// Django 5.2.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hasher(pub(super) Kind);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    Pbkdf2Sha256 { iterations: NonZeroU32 },
    Argon2 { params: Params },
}

impl Hasher {
    /// PBKDF2 over SHA-256, Django's default, with so many iterations.
    ///
    /// # Errors
    /// For no iterations, and for more than 10 000 000.
    pub fn pbkdf2_sha256(iterations: u32) -> Result<Self, HasherError> {
        let iterations = NonZeroU32::new(iterations).filter(|i| i.get() <= 10_000_000);
        Ok(Self(Kind::Pbkdf2Sha256 { iterations: iterations.ok_or(HasherError(()))? }))
    }

    /// Argon2id with Django's costs: 100 MiB of memory for each thread that hashes.
    pub fn argon2() -> Self {
        let (memory, passes, lanes, bytes) = DJANGO_ARGON2;
        let params = Params::new(memory, passes, lanes, Some(bytes));
        Self(Kind::Argon2 { params: params.expect("Django's parameters are good ones") })
    }

    /// Writes a password. The salt is the text that Django has in the place.
    pub(super) fn write(&self, password: &str, salt: &str) -> String {
        match &self.0 {
            Kind::Pbkdf2Sha256 { iterations } => {
                let hash = pbkdf2_base64(Digest::Sha256, password, salt, *iterations);
                format!("pbkdf2_sha256${iterations}${salt}${hash}")
            }
            Kind::Argon2 { params } => {
                let mut hash = [0; DJANGO_ARGON2.3];
                Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone())
                    .hash_password_into(password.as_bytes(), salt.as_bytes(), &mut hash)
                    .expect("the parameters were checked, and there is memory for them");
                let (memory, passes, lanes) = (params.m_cost(), params.t_cost(), params.p_cost());
                let (salt, hash) = (STANDARD_NO_PAD.encode(salt), STANDARD_NO_PAD.encode(hash));
                format!("argon2$argon2id$v=19$m={memory},t={passes},p={lanes}${salt}${hash}")
            }
        }
    }

    /// The iterations of PBKDF2; none where it is not PBKDF2.
    pub(super) fn iterations(&self) -> u32 {
        match self.0 {
            Kind::Pbkdf2Sha256 { iterations } => iterations.get(),
            Kind::Argon2 { .. } => 0,
        }
    }
}

impl Default for Hasher {
    fn default() -> Self {
        Self::pbkdf2_sha256(DJANGO_ITERATIONS).expect("Django's number of iterations is a good one")
    }
}

/// A number of iterations that cannot be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the iterations must be 1 to 10 000 000")]
pub struct HasherError(());

pub(super) fn pbkdf2_base64(digest: Digest, password: &str, salt: &str, iterations: NonZeroU32) -> String {
    let mut hash = [0; 32];
    let (algorithm, hash) = match digest {
        Digest::Sha1 => (ring::pbkdf2::PBKDF2_HMAC_SHA1, &mut hash[..20]),
        Digest::Sha256 => (ring::pbkdf2::PBKDF2_HMAC_SHA256, &mut hash[..]),
    };
    ring::pbkdf2::derive(algorithm, iterations, salt.as_bytes(), password.as_bytes(), hash);
    STANDARD.encode(hash)
}
