use std::fmt;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, crypto};

/// RFC 7518, 3.2 and 3.3: at least as long as the hash, and 2048 bits.
const MIN_SECRET_BYTES: usize = 32;
const MIN_RSA_BYTES: usize = 256;

/// How a token may be signed. There is no other way, and no way to have none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum JwtAlgorithm {
    /// HMAC with SHA-256 and a secret.
    Hs256,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// ECDSA with the curve P-256 and SHA-256.
    Es256,
}

impl JwtAlgorithm {
    fn library(self) -> Algorithm {
        match self {
            Self::Hs256 => Algorithm::HS256,
            Self::Rs256 => Algorithm::RS256,
            Self::Es256 => Algorithm::ES256,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Hs256 => "HS256",
            Self::Rs256 => "RS256",
            Self::Es256 => "ES256",
        }
    }
}

/// What verifies tokens: a key for one algorithm. A token that says it was signed in another way is not even compared
/// with it, so that nobody can take a public key for a secret.
#[derive(Clone)]
pub struct JwtKey {
    id: Option<String>,
    algorithm: JwtAlgorithm,
    key: DecodingKey,
}

impl JwtKey {
    /// A secret of at least 32 bytes, for [`JwtAlgorithm::Hs256`].
    ///
    /// # Errors
    /// When it is shorter, or is a key in PEM: everybody knows a public key, so it cannot be a secret.
    pub fn hs256(secret: &[u8]) -> Result<Self, JwtKeyError> {
        if secret.len() < MIN_SECRET_BYTES {
            return Err(JwtKeyError::Short);
        }
        if secret.trim_ascii_start().starts_with(b"-----BEGIN") {
            return Err(JwtKeyError::NotSecret);
        }
        Self::new(JwtAlgorithm::Hs256, DecodingKey::from_secret(secret))
    }

    /// An RSA public key in PEM, of at least 2048 bits, for [`JwtAlgorithm::Rs256`].
    ///
    /// # Errors
    /// When it is not one.
    pub fn rs256_pem(pem: &[u8]) -> Result<Self, JwtKeyError> {
        Self::new(JwtAlgorithm::Rs256, DecodingKey::from_rsa_pem(pem).map_err(JwtKeyError::foreign)?)
    }

    /// A public key of the curve P-256 in PEM, for [`JwtAlgorithm::Es256`].
    ///
    /// # Errors
    /// When it is not one.
    pub fn es256_pem(pem: &[u8]) -> Result<Self, JwtKeyError> {
        Self::new(JwtAlgorithm::Es256, DecodingKey::from_ec_pem(pem).map_err(JwtKeyError::foreign)?)
    }

    /// It verifies only tokens that name this `kid`, or none.
    #[must_use]
    pub fn with_id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// A key of a set; `None` where it is for something else, such as encryption or another algorithm.
    pub(super) fn from_jwk(jwk: &Jwk) -> Result<Option<Self>, JwtKeyError> {
        let algorithm = match &jwk.algorithm {
            AlgorithmParameters::RSA(_) => JwtAlgorithm::Rs256,
            AlgorithmParameters::EllipticCurve(ec) if ec.curve == EllipticCurve::P256 => JwtAlgorithm::Es256,
            AlgorithmParameters::OctetKey(_) => JwtAlgorithm::Hs256,
            _ => return Ok(None),
        };
        let other_algorithm =
            jwk.common.key_algorithm.is_some_and(|named| named != algorithm.library().into());
        let other_use =
            jwk.common.public_key_use.as_ref().is_some_and(|named| *named != PublicKeyUse::Signature);
        if other_algorithm || other_use {
            return Ok(None);
        }
        let mut key = match &jwk.algorithm {
            AlgorithmParameters::OctetKey(secret) => {
                Self::hs256(&BASE64_URL_SAFE_NO_PAD.decode(&secret.value).map_err(JwtKeyError::foreign)?)?
            }
            _ => Self::new(algorithm, DecodingKey::from_jwk(jwk).map_err(JwtKeyError::foreign)?)?,
        };
        key.id.clone_from(&jwk.common.key_id);
        Ok(Some(key))
    }

    fn new(algorithm: JwtAlgorithm, key: DecodingKey) -> Result<Self, JwtKeyError> {
        let rsa_bytes = match key.kind() {
            jsonwebtoken::DecodingKeyKind::RsaModulusExponent { n, .. } => n.len(),
            // The modulus is nearly all of the DER.
            jsonwebtoken::DecodingKeyKind::SecretOrDer(der) => der.len(),
        };
        if algorithm == JwtAlgorithm::Rs256 && rsa_bytes < MIN_RSA_BYTES {
            return Err(JwtKeyError::Short);
        }
        let key = Self { id: None, algorithm, key };
        // A key that is not one is found out by using it.
        crypto::verify("", b"", &key.key, algorithm.library()).map_err(JwtKeyError::foreign)?;
        Ok(key)
    }

    /// Whether a token with this header may have been signed with it.
    pub(super) fn is_meant(&self, algorithm: &str, id: Option<&str>) -> bool {
        let same_id = match (&self.id, id) {
            (Some(ours), Some(theirs)) => ours == theirs,
            (None, _) | (_, None) => true,
        };
        algorithm == self.algorithm.name() && same_id
    }

    pub(super) fn verifies(&self, message: &str, signature: &str) -> bool {
        crypto::verify(signature, message.as_bytes(), &self.key, self.algorithm.library()).unwrap_or(false)
    }
}

impl fmt::Debug for JwtKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwtKey")
            .field("id", &self.id)
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}

/// Why a key cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JwtKeyError {
    /// A secret has at least 32 bytes, and an RSA key 2048 bits (RFC 7518).
    #[error("the key is too short for its algorithm")]
    Short,
    /// A public key was given as a secret.
    #[error("a key in PEM cannot be a secret")]
    NotSecret,
    /// It is not a key of the kind.
    #[error("the key cannot be read")]
    Malformed(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The file of keys cannot be read.
    #[error("the file of keys cannot be read")]
    File(#[source] std::io::Error),
    /// The file has more than 1 MiB.
    #[error("the file of keys is too large")]
    TooLarge,
    /// None of the keys in the file is for one of our algorithms.
    #[error("there is no key to verify with")]
    NoKey,
}

impl JwtKeyError {
    pub(super) fn foreign(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Malformed(error.into())
    }
}
