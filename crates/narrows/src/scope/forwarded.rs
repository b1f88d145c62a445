use std::borrow::Cow;

use http::{HeaderMap, header::FORWARDED};

use super::client::ClientAddr;
use super::proxies::TrustedProxies;

/// What one kind of headers says of a client. Each part is `None` where it says nothing, or nothing that can be
/// read.
#[derive(Debug, Default)]
pub(super) struct Told<'a> {
    pub(super) walk: Option<Walk>,
    pub(super) secure: Option<bool>,
    pub(super) host: Option<Cow<'a, str>>,
    pub(super) port: Option<u16>,
}

/// The way from the peer to the client, over trusted proxies.
#[derive(Debug, Clone, Copy)]
pub(super) struct Walk {
    /// The furthest address that a trusted one has named.
    pub(super) client: Option<ClientAddr>,
    /// How many entries that took.
    steps: usize,
}

impl Walk {
    /// Walks from the right, where the nearest proxy wrote, to the first address that is not trusted.
    fn along<'e>(
        entries: impl DoubleEndedIterator<Item = Option<&'e str>>,
        peer: Option<ClientAddr>,
        proxies: &TrustedProxies,
    ) -> Self {
        let mut walk = Self { client: peer, steps: 0 };
        for entry in entries.rev() {
            walk.steps += 1;
            // Whoever wrote something else than an address did not know, or did not want to say.
            let Some(client) = entry.and_then(ClientAddr::parse) else { break };
            walk.client = Some(client);
            if !proxies.trusts(client.ip()) {
                break;
            }
        }
        walk
    }
}

/// Reads `X-Forwarded-For` and its companions.
pub(super) fn x_forwarded<'a>(
    headers: &'a HeaderMap,
    peer: Option<ClientAddr>,
    proxies: &TrustedProxies,
) -> Told<'a> {
    let addresses = items(headers, "x-forwarded-for");
    let walk = Walk::along(addresses.iter().map(|entry| Some(*entry)), peer, proxies);
    let pick = |name| {
        let items = items(headers, name);
        // One entry for each hop, or one proxy's word for all.
        let at = if items.len() == addresses.len() { walk.steps } else { 1 };
        items.len().checked_sub(at).and_then(|at| items.get(at).copied())
    };
    Told {
        walk: (!addresses.is_empty()).then_some(walk),
        secure: pick("x-forwarded-proto").and_then(secure),
        host: pick("x-forwarded-host").filter(|host| is_host(host)).map(Cow::Borrowed),
        port: pick("x-forwarded-port").and_then(|port| port.parse().ok()),
    }
}

/// Reads `Forwarded`, of RFC 7239.
pub(super) fn forwarded<'a>(
    headers: &'a HeaderMap,
    peer: Option<ClientAddr>,
    proxies: &TrustedProxies,
) -> Told<'a> {
    let lines = headers.get_all(FORWARDED).iter().map(|line| line.to_str().unwrap_or_default());
    let elements: Vec<&str> = lines.flat_map(|line| split(line, ',')).collect();
    let addresses: Vec<_> = elements.iter().map(|element| parameter(element, "for")).collect();
    let walk = Walk::along(addresses.iter().map(|address| address.as_deref()), peer, proxies);
    // Written by the proxy that the client spoke to, as far as the trust reaches.
    let Some(element) = elements.len().checked_sub(walk.steps).and_then(|at| elements.get(at)) else {
        return Told::default();
    };
    Told {
        walk: Some(walk),
        secure: parameter(element, "proto").and_then(|proto| secure(&proto)),
        host: parameter(element, "host").filter(|host| is_host(host)),
        port: None,
    }
}

/// The items of a list. One that is no text is an empty item, which nothing takes for an address.
fn items<'a>(headers: &'a HeaderMap, name: &str) -> Vec<&'a str> {
    let lines = headers.get_all(name).iter().map(|line| line.to_str().unwrap_or_default());
    lines.flat_map(|line| line.split(',')).map(str::trim).collect()
}

fn secure(proto: &str) -> Option<bool> {
    match proto.to_ascii_lowercase().as_str() {
        "https" | "wss" => Some(true),
        "http" | "ws" => Some(false),
        _ => None,
    }
}

/// Whether this is `host` or `host:port`, as a `Host` header has it.
fn is_host(text: &str) -> bool {
    !text.contains('@') && text.parse::<http::uri::Authority>().is_ok()
}

/// A parameter of an element of `Forwarded`, without its quotes.
fn parameter<'a>(element: &'a str, name: &str) -> Option<Cow<'a, str>> {
    let mut pairs = split(element, ';').filter_map(|pair| pair.split_once('='));
    let (_, value) = pairs.find(|(found, _)| found.trim().eq_ignore_ascii_case(name))?;
    let value = value.trim();
    let Some(quoted) = value.strip_prefix('"') else { return Some(Cow::Borrowed(value)) };
    let quoted = quoted.strip_suffix('"')?;
    if !quoted.contains('\\') {
        return Some(Cow::Borrowed(quoted));
    }
    let mut plain = String::with_capacity(quoted.len());
    let mut chars = quoted.chars();
    while let Some(c) = chars.next() {
        plain.push(if c == '\\' { chars.next()? } else { c });
    }
    Some(Cow::Owned(plain))
}

/// Splits at a separator, except where it stands between quotes.
fn split(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped) = (false, false);
    text.split(move |c: char| {
        let splits = c == separator && !quoted;
        quoted ^= c == '"' && !escaped;
        escaped = c == '\\' && quoted && !escaped;
        splits
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parameters_of_an_element_are_found_in_any_case_and_unquoted() {
        let element = r#"For="[2001:db8::1]:4711"; proto=https ;host="a,b;\"c\"""#;
        assert_eq!(parameter(element, "for").as_deref(), Some("[2001:db8::1]:4711"));
        assert_eq!(parameter(element, "PROTO").as_deref(), Some("https"));
        assert_eq!(parameter(element, "host").as_deref(), Some(r#"a,b;"c""#));
        assert_eq!(parameter(element, "by"), None);
    }

    #[test]
    fn a_separator_between_quotes_separates_nothing() {
        let line = r#"for="a,b", for="\",", for=c"#;
        assert_eq!(split(line, ',').collect::<Vec<_>>(), [r#"for="a,b""#, r#" for="\",""#, " for=c"]);
    }
}
