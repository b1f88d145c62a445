use std::borrow::Cow;
use std::net::SocketAddr;

use axum::extract::ConnectInfo;
use http::header::HOST;
use http::request::Parts;

use super::client::ClientAddr;
use super::forwarded::{Told, forwarded, x_forwarded};
use super::proxies::TrustedProxies;
use crate::sync::Arc;

/// What stands in front of this server; a request carries it in its extensions, for the extractors.
#[derive(Debug, Default)]
pub(crate) struct Front {
    pub(crate) proxies: TrustedProxies,
    /// Empty, or with a slash before and none behind.
    pub(crate) root_path: Box<str>,
}

impl Front {
    pub(crate) fn new(proxies: TrustedProxies, root_path: &str) -> Self {
        let root_path = match root_path.trim().trim_matches('/') {
            "" => String::new(),
            path => format!("/{path}"),
        };
        Self { proxies, root_path: root_path.into() }
    }
}

/// Marks a request that reached our own server by a unix socket. Where there is neither this nor a
/// [`ConnectInfo`] nobody knows who sent it, and nobody is trusted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ByUnixSocket;

/// A request as its client sees it, in front of all trusted proxies.
#[derive(Debug)]
pub(crate) struct Seen<'a> {
    pub(crate) client: Option<ClientAddr>,
    /// Whether the client used TLS, if anybody knows.
    pub(crate) secure: Option<bool>,
    /// The host that a trusted proxy says the client asked for; otherwise the request's own counts.
    pub(crate) host: Option<Cow<'a, str>>,
}

impl<'a> Seen<'a> {
    pub(crate) fn of(parts: &'a Parts) -> Self {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| ClientAddr::from(info.0));
        let direct = Self { client: peer, secure: None, host: None };
        let Some(front) = parts.extensions.get::<Arc<Front>>() else { return direct };
        let trusted = match peer {
            Some(peer) => front.proxies.trusts(peer.ip()),
            None => front.proxies.trusts_unix() && parts.extensions.get::<ByUnixSocket>().is_some(),
        };
        if !trusted {
            return direct;
        }
        let x = x_forwarded(&parts.headers, peer, &front.proxies);
        let rfc = forwarded(&parts.headers, peer, &front.proxies);
        let client = match (x.walk, rfc.walk) {
            (Some(x), Some(rfc)) if x.client.map(|c| c.ip()) != rfc.client.map(|c| c.ip()) => peer,
            (Some(walk), _) | (None, Some(walk)) => walk.client,
            (None, None) => peer,
        };
        let secure = agreed(x.secure, rfc.secure);
        Self { client, secure, host: host(x, rfc, secure, parts) }
    }

    /// The host as the client sees it, with its port unless it is the usual one.
    pub(crate) fn server(&self, parts: &'a Parts) -> Option<&str> {
        self.host.as_deref().or_else(|| own_host(parts))
    }
}

fn host<'a>(x: Told<'a>, rfc: Told<'a>, secure: Option<bool>, parts: &'a Parts) -> Option<Cow<'a, str>> {
    let host = agreed(x.host, rfc.host);
    let usual = match secure {
        Some(true) => &[443][..],
        Some(false) => &[80],
        None => &[80, 443],
    };
    let Some(port) = x.port.filter(|port| !usual.contains(port)) else { return host };
    let bare = host.as_deref().or_else(|| own_host(parts))?;
    let has_port = bare.rsplit_once(':').is_some_and(|(_, port)| !port.contains(']'));
    if has_port { host } else { Some(format!("{bare}:{port}").into()) }
}

/// The host that the request itself names.
fn own_host(parts: &Parts) -> Option<&str> {
    let authority = parts.uri.authority().map(http::uri::Authority::as_str);
    let host = parts.headers.get(HOST).and_then(|host| host.to_str().ok());
    authority.or(host).filter(|host| !host.is_empty())
}

/// A proxy writes one kind of headers and may pass on the other: what they do not agree on nobody vouches for.
fn agreed<T: PartialEq>(one: Option<T>, other: Option<T>) -> Option<T> {
    match (one, other) {
        (Some(one), Some(other)) if one != other => None,
        (one, other) => one.or(other),
    }
}
