//! Who is near a site that is developed: those on the same machine, or in a private network.

use std::net::{IpAddr, SocketAddr};

use axum::extract::OptionalFromRequestParts;
use http::header::FORWARDED;
use http::request::Parts;
use http::{HeaderMap, HeaderName};
use narrows::scope::ClientAddr;

use crate::Site;

/// The client, and all for whom proxies say that they ask: a tunnel or a proxy on this machine may bring anybody, whether the site was
/// told of it or not.
pub(super) async fn is_near(site: &Site, parts: &mut Parts) -> bool {
    let Ok(client) = <ClientAddr as OptionalFromRequestParts<Site>>::from_request_parts(parts, site).await;
    // Without an address it came by a socket of this machine.
    client.is_none_or(|client| is_near_ip(client.ip())) && said_by_proxies(&parts.headers).all(is_near_node)
}

fn is_near_ip(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => ip.is_loopback() || ip.is_private() || ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local(),
    }
}

/// What cannot be read may be anybody.
fn is_near_node(node: &str) -> bool {
    let node = node.trim().trim_matches('"');
    let bare = node.strip_prefix('[').and_then(|node| node.strip_suffix(']')).unwrap_or(node);
    let ip = bare.parse().or_else(|_| node.parse().map(|address: SocketAddr| address.ip()));
    ip.is_ok_and(is_near_ip)
}

/// The addresses in `x-forwarded-for` and `x-real-ip`, and those of `forwarded` (RFC 7239), of which each part has to name one.
fn said_by_proxies(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let parts = |name: HeaderName| {
        let lines = headers.get_all(name).iter().map(|line| line.to_str().unwrap_or_default());
        lines.flat_map(|line| line.split(','))
    };
    let bare = ["x-forwarded-for", "x-real-ip"]
        .into_iter()
        .flat_map(move |name| parts(HeaderName::from_static(name)));
    let named = parts(FORWARDED).map(|part| {
        let pairs = part.split(';').filter_map(|pair| pair.split_once('='));
        let mut nodes = pairs.filter(|(name, _)| name.trim().eq_ignore_ascii_case("for"));
        nodes.next().map_or("", |(_, node)| node)
    });
    bare.chain(named)
}
