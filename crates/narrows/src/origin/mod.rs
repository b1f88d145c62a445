//! Which web pages may open a connection: the defence against cross-site WebSocket hijacking.

mod allowed;
mod authority;
mod parse;
mod refused;
mod url;

use std::sync::Arc;

use http::{HeaderMap, HeaderValue, Uri, header};

use crate::scope::Seen;

pub use self::{
    allowed::{AllowedOrigins, Suspicion},
    parse::ParseOriginPolicyError,
    refused::OriginRefused,
};

/// Decides by its `Origin` header whether a handshake comes from a page that may connect.
///
/// Browsers let any page open a WebSocket to any server, and send that server's cookies along. Only the
/// `Origin` header tells the own page from a hostile one, so that every upgrade goes through a policy.
///
/// ```
/// use http::{HeaderMap, Uri};
/// use narrows::{AllowedOrigins, OriginPolicy};
///
/// let mut headers = HeaderMap::new();
/// headers.insert("host", "chat.example.com".parse()?);
/// headers.insert("origin", "https://www.example.com".parse()?);
/// let uri = Uri::from_static("/ws/");
///
/// assert!(OriginPolicy::same_origin().check(&headers, &uri).is_err());
/// assert!(OriginPolicy::allow(AllowedOrigins::new([".example.com"])).check(&headers, &uri).is_ok());
/// # Ok::<(), http::header::InvalidHeaderValue>(())
/// ```
///
/// A policy is also read [from text](std::str::FromStr), as settings hold it: `same`, `any` (or `*`), or
/// an allow-list such as `.example.com, https://x.org:8443`. A clone costs next to nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OriginPolicy {
    rule: Rule,
    missing: MissingOrigin,
}

/// What becomes of a handshake without an `Origin` header, which no browser sends but most programs do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MissingOrigin {
    /// It may connect.
    Allow,
    /// It may connect if it carries no `Cookie` header: the default. Without cookies it has no authority
    /// that a hostile page could have borrowed.
    #[default]
    AllowWithoutCookies,
    /// It is refused.
    Refuse,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Rule {
    Same,
    Listed(Arc<AllowedOrigins>),
    Any,
}

impl Default for OriginPolicy {
    fn default() -> Self {
        Self::same_origin()
    }
}

impl OriginPolicy {
    /// Accepts the site's own pages only: the default.
    ///
    /// Host and port of the origin must equal those of the `Host` header (or of the request's authority,
    /// as HTTP/2 has it). A `Host` without port means the default port of the origin's scheme, so that TLS
    /// may end at a proxy; the proxy must pass `Host` on unchanged, or be [trusted] and send
    /// `X-Forwarded-Host`. Where the client's own scheme is known, the origin must have it too.
    ///
    /// [trusted]: crate::scope::TrustedProxies
    #[must_use]
    pub fn same_origin() -> Self {
        Self { rule: Rule::Same, missing: MissingOrigin::default() }
    }

    /// Accepts the pages of an allow-list only; the site's own host must be on it too.
    #[must_use]
    pub fn allow(allowed: AllowedOrigins) -> Self {
        Self { rule: Rule::Listed(Arc::new(allowed)), missing: MissingOrigin::default() }
    }

    /// Accepts every page, and handshakes without an origin: for sockets that look at no cookies.
    ///
    /// A later [`missing`](Self::missing) still narrows the second half.
    #[must_use]
    pub fn any() -> Self {
        Self { rule: Rule::Any, missing: MissingOrigin::Allow }
    }

    /// Sets what becomes of a handshake without an `Origin` header.
    #[must_use]
    pub fn missing(mut self, missing: MissingOrigin) -> Self {
        self.missing = missing;
        self
    }

    /// The patterns of the allow-list that do not mean what they seem to, for a warning at the start.
    #[must_use]
    pub fn suspicious(&self) -> Vec<Suspicion> {
        match &self.rule {
            Rule::Listed(allowed) => allowed.suspicious(),
            Rule::Same | Rule::Any => Vec::new(),
        }
    }

    /// Decides about the handshake with these headers and this URI.
    ///
    /// # Errors
    /// An [`OriginRefused`] says what was sent and what would have been accepted. It is a response, too.
    pub fn check(&self, headers: &HeaderMap, uri: &Uri) -> Result<(), OriginRefused> {
        self.check_seen(headers, uri, &Seen { client: None, secure: None, host: None })
    }

    /// Decides by the host and scheme that the client saw in front of trusted proxies.
    pub(crate) fn check_seen(
        &self,
        headers: &HeaderMap,
        uri: &Uri,
        seen: &Seen<'_>,
    ) -> Result<(), OriginRefused> {
        let mut origins = headers.get_all(header::ORIGIN).iter();
        let Some(origin) = origins.next() else {
            return self.check_missing(headers, uri, seen);
        };
        if matches!(self.rule, Rule::Any) {
            return Ok(());
        }
        if origins.next().is_some() {
            return Err(OriginRefused::Several { accepted: self.accepted(headers, uri, seen) });
        }
        let allowed = match &self.rule {
            Rule::Same => {
                let (host, origin) = (host(headers, uri, seen)?, text(origin));
                origin.is_some_and(|origin| authority::is_same_origin(origin, host, seen.secure))
            }
            Rule::Listed(allowed) => text(origin).is_some_and(|origin| allowed.allows(Some(origin))),
            Rule::Any => true,
        };
        if allowed {
            Ok(())
        } else {
            Err(OriginRefused::NotAccepted {
                got: refused::printable(origin.as_bytes()),
                accepted: self.accepted(headers, uri, seen),
            })
        }
    }

    fn check_missing(&self, headers: &HeaderMap, uri: &Uri, seen: &Seen<'_>) -> Result<(), OriginRefused> {
        let accepted = || self.accepted(headers, uri, seen);
        match self.missing {
            MissingOrigin::Allow => Ok(()),
            MissingOrigin::AllowWithoutCookies if !headers.contains_key(header::COOKIE) => Ok(()),
            MissingOrigin::AllowWithoutCookies => {
                Err(OriginRefused::MissingWithCookies { accepted: accepted() })
            }
            MissingOrigin::Refuse => Err(OriginRefused::Missing { accepted: accepted() }),
        }
    }

    /// For the log.
    fn accepted(&self, headers: &HeaderMap, uri: &Uri, seen: &Seen<'_>) -> String {
        match &self.rule {
            Rule::Same => {
                let host = match host(headers, uri, seen) {
                    Ok(host) => refused::printable(host.as_bytes()),
                    Err(_) => "of the request".to_owned(),
                };
                let scheme = match seen.secure {
                    None => "",
                    Some(true) => " and the scheme https",
                    Some(false) => " and the scheme http",
                };
                format!("an origin with the host {host}{scheme}")
            }
            Rule::Listed(allowed) => allowed.to_string(),
            Rule::Any => "any origin".to_owned(),
        }
    }
}

/// The one host that the request was sent to.
fn host<'a>(headers: &'a HeaderMap, uri: &'a Uri, seen: &'a Seen<'_>) -> Result<&'a str, OriginRefused> {
    if let Some(host) = &seen.host {
        return Ok(host);
    }
    let mut hosts = headers.get_all(header::HOST).iter();
    let header = hosts.next();
    if hosts.next().is_some() {
        return Err(OriginRefused::Host { got: "several host headers".to_owned() });
    }
    let unreadable = |host: &HeaderValue| OriginRefused::Host { got: refused::printable(host.as_bytes()) };
    let header = header.map(|host| text(host).ok_or_else(|| unreadable(host))).transpose()?;
    match (header, uri.authority().map(http::uri::Authority::as_str)) {
        (Some(header), None) => Ok(header),
        (None, Some(authority)) => Ok(authority),
        // A request must not name two hosts: which of them the rest of the server believes is anyone's guess.
        (Some(header), Some(authority)) if header.eq_ignore_ascii_case(authority) => Ok(header),
        (Some(header), Some(authority)) => Err(OriginRefused::Host {
            got: format!(
                "{} and {}",
                refused::printable(header.as_bytes()),
                refused::printable(authority.as_bytes())
            ),
        }),
        (None, None) => Err(OriginRefused::Host { got: "no host header".to_owned() }),
    }
}

fn text(value: &HeaderValue) -> Option<&str> {
    value.to_str().ok()
}
