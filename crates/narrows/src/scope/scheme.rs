use std::convert::Infallible;
use std::fmt;

use axum::extract::FromRequestParts;
use http::header::UPGRADE;
use http::request::Parts;
use serde::{Serialize, Serializer};

use super::seen::Seen;
use super::tokens::has_token;

/// The scheme of the address that the client used.
///
/// ```
/// use narrows::scope::Scheme;
///
/// assert_eq!(Scheme::Wss.to_string(), "wss");
/// assert!(Scheme::Wss.is_secure() && !Scheme::Http.is_secure());
/// ```
///
/// As an extractor it never fails. `https` and `wss` come from TLS of our own or from a
/// [trusted proxy](super::TrustedProxies).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// A plain request.
    Http,
    /// A request over TLS.
    Https,
    /// A WebSocket handshake.
    Ws,
    /// A WebSocket handshake over TLS.
    Wss,
}

impl Scheme {
    pub(super) fn new(secure: bool, parts: &Parts) -> Self {
        match (secure, has_token(&parts.headers, &UPGRADE, "websocket")) {
            (false, false) => Self::Http,
            (true, false) => Self::Https,
            (false, true) => Self::Ws,
            (true, true) => Self::Wss,
        }
    }

    /// The scheme as it stands in an address.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
            Self::Ws => "ws",
            Self::Wss => "wss",
        }
    }

    /// Whether nobody between the client and the server, or its proxy, could read along.
    #[must_use]
    pub fn is_secure(self) -> bool {
        matches!(self, Self::Https | Self::Wss)
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Scheme {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<S: Sync> FromRequestParts<S> for Scheme {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::new(Seen::of(parts).secure.unwrap_or(false), parts))
    }
}
