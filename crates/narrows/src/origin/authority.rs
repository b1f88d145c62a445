use std::net::Ipv6Addr;

/// Whether a serialised origin (`scheme "://" host [":" port]`, nothing else) is that of the site at `host`.
///
/// Whatever is not exactly of that form is no match: a browser never sends it. Where it is known whether the
/// client used TLS, the scheme must say so too.
pub(super) fn is_same_origin(origin: &str, host: &str, secure: Option<bool>) -> bool {
    let Some((scheme, authority)) = origin.split_once("://") else {
        return false;
    };
    let Some(default_port) = default_port(scheme) else {
        return false;
    };
    if secure.is_some_and(|secure| secure != (default_port == 443)) {
        return false;
    }
    match (Authority::parse(authority), Authority::parse(host)) {
        (Some(origin), Some(site)) => {
            origin.host.is_same(&site.host)
                && origin.port.unwrap_or(default_port) == site.port.unwrap_or(default_port)
        }
        _ => false,
    }
}

fn default_port(scheme: &str) -> Option<u16> {
    match scheme.to_ascii_lowercase().as_str() {
        "http" | "ws" => Some(80),
        "https" | "wss" => Some(443),
        _ => None,
    }
}

struct Authority<'a> {
    host: Host<'a>,
    port: Option<u16>,
}

enum Host<'a> {
    Name(&'a str),
    V6(Ipv6Addr),
}

impl<'a> Authority<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let (host, rest) = if let Some(bracketed) = text.strip_prefix('[') {
            let (address, rest) = bracketed.split_once(']')?;
            (Host::V6(address.parse().ok()?), rest)
        } else {
            let (name, rest) = text.split_at(text.find(':').unwrap_or(text.len()));
            (Host::name(name)?, rest)
        };
        let port = match rest.strip_prefix(':') {
            None if rest.is_empty() => None,
            // `parse` alone would take a sign.
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => Some(digits.parse().ok()?),
            _ => return None,
        };
        Some(Self { host, port })
    }
}

impl<'a> Host<'a> {
    /// A name as it appears in an origin, which is neither percent-encoded nor followed by anything.
    fn name(text: &'a str) -> Option<Self> {
        let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        (!text.is_empty() && text.bytes().all(legal)).then_some(Self::Name(text))
    }

    fn is_same(&self, other: &Host<'_>) -> bool {
        match (self, other) {
            (Self::Name(one), Host::Name(other)) => one.eq_ignore_ascii_case(other),
            (Self::V6(one), Host::V6(other)) => one == other,
            _ => false,
        }
    }
}
