use std::fmt;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;

use http::Uri;
use http::uri::{Authority, Scheme};

/// Where an upstream is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Address {
    Tcp(Authority),
    Unix(Arc<Path>),
}

impl Address {
    /// What stands in `Host` where a client sent none, and in the request's address.
    pub(super) fn authority(&self) -> Authority {
        match self {
            Self::Tcp(authority) => authority.clone(),
            Self::Unix(_) => Authority::from_static("localhost"),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(authority) => write!(f, "http://{authority}"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

impl FromStr for Address {
    type Err = ParseUpstreamError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some(path) = text.strip_prefix("unix:") {
            // `unix:///path` is usual too.
            let path = path.strip_prefix("//").unwrap_or(path);
            return if path.starts_with('/') && !path.contains('\0') {
                Ok(Self::Unix(Path::new(path).into()))
            } else {
                Err(ParseUpstreamError::Path { address: text.to_owned() })
            };
        }
        let wrong = || ParseUpstreamError::Address { address: text.to_owned() };
        let uri: Uri = text.parse().map_err(|_| wrong())?;
        if uri.scheme() == Some(&Scheme::HTTPS) {
            return Err(ParseUpstreamError::Tls { address: text.to_owned() });
        }
        let authority = uri.authority().filter(|authority| {
            !authority.host().is_empty() && !authority.as_str().contains('@') && !has_bad_port(authority)
        });
        match (uri.scheme(), authority) {
            (Some(scheme), Some(authority)) if scheme == &Scheme::HTTP => {
                if !matches!(uri.path(), "" | "/") || uri.query().is_some() {
                    return Err(ParseUpstreamError::Below { address: text.to_owned() });
                }
                Ok(Self::Tcp(authority.clone()))
            }
            _ => Err(wrong()),
        }
    }
}

/// Whether there is a colon behind the host with no port behind it.
fn has_bad_port(authority: &Authority) -> bool {
    authority.as_str() != authority.host() && authority.port_u16().is_none()
}

/// Why a text is no address of an upstream.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseUpstreamError {
    /// It is neither of the two forms.
    #[error("{address:?} is no address of an upstream; write http://host:port or unix:/path")]
    Address {
        /// The text as it was written.
        address: String,
    },
    /// The path of a unix socket does not begin at the root.
    #[error("{address:?} does not say the whole path of a socket; write unix:/path")]
    Path {
        /// The text as it was written.
        address: String,
    },
    /// It wants TLS, which there is none of between the two.
    #[error("{address:?} asks for TLS; an upstream is on this machine or its network, at http://host:port")]
    Tls {
        /// The text as it was written.
        address: String,
    },
    /// It has a path, but paths go through as they are.
    #[error("{address:?} has a path or a query; an upstream is a whole site, at http://host:port")]
    Below {
        /// The text as it was written.
        address: String,
    },
}
