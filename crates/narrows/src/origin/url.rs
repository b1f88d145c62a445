use std::net::Ipv6Addr;

/// What Python's `urlparse` sees in a text, as far as the rules of the allow-list ask for it.
///
/// This is lenient on purpose: the rules are those of Django Channels, which rest on `urlparse`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct LooseUrl {
    /// In lower case; empty without a scheme.
    pub(super) scheme: String,
    /// In lower case and without brackets.
    pub(super) host: Option<String>,
    pub(super) port: Port,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Port {
    Unset,
    Number(u16),
    /// Where Python raises a `ValueError` when asked for the port.
    Invalid,
}

impl LooseUrl {
    /// `None` where Python raises a `ValueError`, which is for wrong brackets; old ones let some pass.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text: String = text
            .trim_start_matches(|c: char| c <= ' ')
            .chars()
            .filter(|c| !matches!(c, '\t' | '\r' | '\n'))
            .collect();
        let (scheme, rest) = split_scheme(&text);
        let netloc =
            rest.strip_prefix("//").map_or("", |rest| rest.split(['/', '?', '#']).next().unwrap_or(""));
        if netloc.contains('[') != netloc.contains(']') {
            return None;
        }
        let host_port = netloc.rsplit_once('@').map_or(netloc, |(_userinfo, host_port)| host_port);
        let (host, port) = split_port(host_port)?;
        Some(Self {
            scheme: scheme.to_ascii_lowercase(),
            host: (!host.is_empty()).then(|| host.to_lowercase()),
            port: Port::parse(port),
        })
    }

    /// The port, or the usual one of the scheme; `Err` if it is none at all.
    pub(super) fn effective_port(&self) -> Result<Option<u16>, ()> {
        match (&self.port, self.scheme.as_str()) {
            (Port::Number(port), _) => Ok(Some(*port)),
            (Port::Invalid, _) => Err(()),
            (Port::Unset, "http" | "ws") => Ok(Some(80)),
            (Port::Unset, "https" | "wss") => Ok(Some(443)),
            (Port::Unset, _) => Ok(None),
        }
    }
}

impl Port {
    fn parse(text: &str) -> Self {
        if text.is_empty() {
            Self::Unset
        } else if text.bytes().all(|byte| byte.is_ascii_digit()) {
            // Leading zeros are no mistake to Python, nor to `parse`.
            text.parse().map_or(Self::Invalid, Self::Number)
        } else {
            Self::Invalid
        }
    }
}

fn split_scheme(text: &str) -> (&str, &str) {
    match text.split_once(':') {
        Some((scheme, rest))
            if scheme.starts_with(|c: char| c.is_ascii_alphabetic())
                && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c)) =>
        {
            (scheme, rest)
        }
        _ => ("", text),
    }
}

fn split_port(host_port: &str) -> Option<(&str, &str)> {
    match host_port.split_once('[') {
        None => Some(host_port.split_once(':').unwrap_or((host_port, ""))),
        Some((before, bracketed)) => {
            let (host, after) = bracketed.split_once(']')?;
            let port = match after.strip_prefix(':') {
                Some(port) => port,
                None if after.is_empty() => "",
                None => return None,
            };
            (before.is_empty() && host.parse::<Ipv6Addr>().is_ok()).then_some((host, port))
        }
    }
}
