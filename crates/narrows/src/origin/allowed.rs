use std::fmt;

use super::url::{LooseUrl, Port};

/// A list of origins that may connect, with the rules of Django Channels' `OriginValidator`.
///
/// ```
/// use narrows::AllowedOrigins;
///
/// let allowed = AllowedOrigins::new(["example.com", ".example.org", "https://x.org:8443"]);
/// assert!(allowed.allows(Some("http://example.com:8000")));
/// assert!(allowed.allows(Some("https://chat.example.org")));
/// assert!(allowed.allows(Some("https://x.org:8443")));
/// assert!(!allowed.allows(Some("https://x.org")));
/// ```
///
/// | pattern | accepts |
/// |---|---|
/// | `example.com` | this host, with any scheme and port |
/// | `.example.com` | this host and all its subdomains, with any scheme and port |
/// | `https://example.com` | this host, this scheme and its usual port (80 for http and ws, 443 for https and wss) |
/// | `https://.example.com:8443` | this host and its subdomains, this scheme and port |
/// | `*` | everything |
///
/// Some patterns never match, although they look as if they would: see [`suspicious`](Self::suspicious).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AllowedOrigins {
    patterns: Vec<(String, Pattern)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Pattern {
    Everything,
    Host(String),
    Url { scheme: String, host: String, port: Option<u16> },
    Never,
}

/// A pattern of an allow-list that never matches, or does not mean what it seems to.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Suspicion {
    /// The pattern as it was given.
    pub pattern: String,
    /// What is wrong with it, and what to write instead.
    pub hint: String,
}

impl AllowedOrigins {
    /// A list of these patterns. An empty list accepts nothing.
    #[must_use]
    pub fn new<I>(patterns: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        let patterns = patterns.into_iter().map(Into::into);
        Self { patterns: patterns.map(|text| (text.clone(), Pattern::parse(&text))).collect() }
    }

    /// The machine itself under its usual names: what Django allows in debug mode.
    ///
    /// ```
    /// # use narrows::AllowedOrigins;
    /// assert!(AllowedOrigins::localhost().allows(Some("http://localhost:8000")));
    /// ```
    #[must_use]
    pub fn localhost() -> Self {
        Self::new(["localhost", "127.0.0.1", "[::1]"])
    }

    /// Whether this `Origin` header, or its absence, is accepted.
    ///
    /// Without an origin only `*` accepts; an [`OriginPolicy`](crate::OriginPolicy) asks its
    /// [`MissingOrigin`](crate::MissingOrigin) instead. Where Channels fails with a `ValueError`, which is
    /// for a port that is no number, the pattern does not match.
    #[must_use]
    pub fn allows(&self, origin: Option<&str>) -> bool {
        if self.patterns.iter().any(|(_, pattern)| *pattern == Pattern::Everything) {
            return true;
        }
        let Some(origin) = origin.and_then(LooseUrl::parse) else {
            return false;
        };
        self.patterns.iter().any(|(_, pattern)| pattern.matches(&origin))
    }

    /// The patterns that never match or do not mean what they seem to, each with a hint, for a warning.
    ///
    /// ```
    /// # use narrows::AllowedOrigins;
    /// let found = AllowedOrigins::new(["example.com", "example.com:8080", "*.example.com"]).suspicious();
    /// assert_eq!(found.len(), 2);
    /// assert_eq!(
    ///     found[1].to_string(),
    ///     "`*.example.com`: a `*` stands for itself here; write `.example.com` for a domain with its subdomains",
    /// );
    /// ```
    #[must_use]
    pub fn suspicious(&self) -> Vec<Suspicion> {
        let suspicion = |(text, pattern): &(String, Pattern)| {
            hint(text, pattern).map(|hint| Suspicion { pattern: text.clone(), hint })
        };
        self.patterns.iter().filter_map(suspicion).collect()
    }
}

/// The patterns in a row, for a log.
impl fmt::Display for AllowedOrigins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.patterns.is_empty() {
            return f.write_str("no origin at all");
        }
        for (index, (text, _)) in self.patterns.iter().enumerate() {
            if index > 0 {
                f.write_str(", ")?;
            }
            f.write_str(text)?;
        }
        Ok(())
    }
}

impl fmt::Display for Suspicion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`: {}", self.pattern, self.hint)
    }
}

impl Pattern {
    fn parse(text: &str) -> Self {
        if text == "*" {
            return Self::Everything;
        }
        let text = text.to_lowercase();
        let Some(url) = LooseUrl::parse(&text) else {
            return Self::Never;
        };
        if url.scheme.is_empty() {
            return match LooseUrl::parse(&format!("//{text}")) {
                Some(url) => Self::Host(url.host.unwrap_or(text)),
                None => Self::Never,
            };
        }
        match (url.effective_port(), url.host) {
            (Ok(port), Some(host)) => Self::Url { scheme: url.scheme, host, port },
            _ => Self::Never,
        }
    }

    fn matches(&self, origin: &LooseUrl) -> bool {
        let Some(host) = &origin.host else {
            return false;
        };
        match self {
            Self::Everything => true,
            Self::Host(pattern) => is_same_domain(host, pattern),
            Self::Url { scheme, host: pattern, port } => {
                origin.scheme == *scheme
                    && origin.effective_port() == Ok(*port)
                    && is_same_domain(host, pattern)
            }
            Self::Never => false,
        }
    }
}

/// Django's rule of the same name: a leading dot stands for the domain itself and all below it.
fn is_same_domain(host: &str, pattern: &str) -> bool {
    match pattern.strip_prefix('.') {
        Some(domain) => host == domain || host.ends_with(pattern),
        None => !pattern.is_empty() && host == pattern,
    }
}

fn hint(text: &str, pattern: &Pattern) -> Option<String> {
    let url = LooseUrl::parse(text);
    let bare = LooseUrl::parse(&format!("//{text}"));
    let hint = if *pattern == Pattern::Everything {
        return None;
    } else if text.trim().is_empty() {
        "an empty pattern matches nothing".to_owned()
    } else if text.contains('*') {
        "a `*` stands for itself here; write `.example.com` for a domain with its subdomains".to_owned()
    } else if text.eq_ignore_ascii_case("null") {
        "the origin `null`, which sandboxed pages and local files send, is always refused".to_owned()
    } else if text.contains(char::is_whitespace) {
        "there is white space in it".to_owned()
    } else if !text.is_ascii() {
        "browsers send such a host in its ASCII form, which begins with `xn--`".to_owned()
    } else if let Some(LooseUrl { scheme, host: None, .. }) = &url
        && !scheme.is_empty()
    {
        format!("`{scheme}` is read as the scheme; write `https://{text}`, or the host alone for any port")
    } else if text.starts_with('/') {
        "a pattern is a host, or begins with a scheme such as `https://`".to_owned()
    } else if *pattern == Pattern::Never {
        "its host or port is not valid".to_owned()
    } else if let (Pattern::Host(host), Some(LooseUrl { host: Some(_), port, .. })) = (pattern, bare)
        && port != Port::Unset
    {
        format!(
            "without a scheme the port is not looked at; write `https://{text}`, or `{host}` for any port"
        )
    } else {
        return None;
    };
    Some(hint)
}
