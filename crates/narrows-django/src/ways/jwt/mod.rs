//! JSON Web Tokens (RFC 7519).

mod claims;
mod jwks;
mod key;
mod way;

pub use self::claims::{JwtClaims, JwtError};
pub use self::key::{JwtAlgorithm, JwtKey, JwtKeyError};
pub use self::way::{JwtWay, JwtWayBuilder};
