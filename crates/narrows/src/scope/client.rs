use std::convert::Infallible;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::request::Parts;
use serde::{Serialize, Serializer};

use super::seen::Seen;

/// The address of the client: its own behind [trusted proxies](super::TrustedProxies), or whoever connected.
///
/// ```
/// use axum::{Router, routing::get};
/// use narrows::scope::ClientAddr;
///
/// let app: Router = Router::new()
///     .route("/ip", get(|client: ClientAddr| async move { client.ip().to_string() }));
/// ```
///
/// Its text is `192.0.2.1:50312`, `[2001:db8::1]:50312`, or the bare address where a proxy did not say the port.
/// An IPv4 address that came in the form of IPv6 (`::ffff:192.0.2.1`) is given as IPv4.
///
/// As an extractor it rejects with [`ClientAddrUnknown`] where nobody knows the address; `Option<ClientAddr>`
/// does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ClientAddr {
    ip: IpAddr,
    port: Option<u16>,
}

impl ClientAddr {
    /// The IP address.
    #[must_use]
    pub fn ip(&self) -> IpAddr {
        self.ip
    }

    /// The port; most proxies do not say it.
    #[must_use]
    pub fn port(&self) -> Option<u16> {
        self.port
    }

    /// Reads a node as `X-Forwarded-For` and `Forwarded` (RFC 7239, 6) write it: an address, IPv6 in brackets
    /// or bare, with a port or none.
    pub(super) fn parse(node: &str) -> Option<Self> {
        let node = node.trim();
        if let Ok(ip) = node.parse::<IpAddr>() {
            return Some(Self { ip: ip.to_canonical(), port: None });
        }
        let (ip, rest) = match node.strip_prefix('[') {
            Some(bracketed) => {
                let (ip, rest) = bracketed.split_once(']')?;
                (IpAddr::V6(ip.parse::<Ipv6Addr>().ok()?), rest)
            }
            None => {
                let (ip, rest) = node.split_at(node.find(':')?);
                (IpAddr::V4(ip.parse().ok()?), rest)
            }
        };
        let port = match rest.strip_prefix(':') {
            None if rest.is_empty() => None,
            // A port may be hidden on purpose (RFC 7239, 6.3).
            Some(port) if port.starts_with('_') => None,
            // `parse` alone would take a sign.
            Some(port) if port.bytes().all(|byte| byte.is_ascii_digit()) => Some(port.parse().ok()?),
            _ => return None,
        };
        Some(Self { ip: ip.to_canonical(), port })
    }
}

impl From<SocketAddr> for ClientAddr {
    fn from(address: SocketAddr) -> Self {
        Self { ip: address.ip().to_canonical(), port: Some(address.port()) }
    }
}

impl fmt::Display for ClientAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            Some(port) => SocketAddr::new(self.ip, port).fmt(f),
            None => self.ip.fmt(f),
        }
    }
}

impl Serialize for ClientAddr {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Nobody knows where the client is: it came by a unix socket, or whoever serves the router did not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the address of the client is not known")]
pub struct ClientAddrUnknown;

impl IntoResponse for ClientAddrUnknown {
    fn into_response(self) -> Response {
        tracing::error!(
            "a handler wants the client's address, which is unknown: on a unix socket set `trusted_proxies` to \
             `unix` and let the proxy send X-Forwarded-For; with `axum::serve` use \
             `into_make_service_with_connect_info::<SocketAddr>()`"
        );
        (StatusCode::INTERNAL_SERVER_ERROR, format!("{self}\n")).into_response()
    }
}

impl<S: Sync> FromRequestParts<S> for ClientAddr {
    type Rejection = ClientAddrUnknown;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ClientAddrUnknown> {
        Seen::of(parts).client.ok_or(ClientAddrUnknown)
    }
}

impl<S: Sync> OptionalFromRequestParts<S> for ClientAddr {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Infallible> {
        Ok(Seen::of(parts).client)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nodes_of_proxies_are_read_in_all_their_forms() {
        let read = |node| ClientAddr::parse(node).map(|client| client.to_string());
        for (node, text) in [
            ("192.0.2.1", "192.0.2.1"),
            (" 192.0.2.1:80 ", "192.0.2.1:80"),
            ("2001:DB8::1", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("[2001:db8::1]:443", "[2001:db8::1]:443"),
            ("[::ffff:192.0.2.1]:443", "192.0.2.1:443"),
            ("192.0.2.1:_hidden", "192.0.2.1"),
        ] {
            assert_eq!(read(node).as_deref(), Some(text), "{node}");
        }
        for node in
            ["", "unknown", "_hidden", "192.0.2", "192.0.2.1:", "192.0.2.1:+1", "192.0.2.1:99999", "[::1"]
        {
            assert_eq!(read(node), None, "{node}");
        }
    }
}
