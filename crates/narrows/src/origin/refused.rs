use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};

/// Why an [`OriginPolicy`](crate::OriginPolicy) refused a handshake.
///
/// ```
/// use axum::response::IntoResponse;
/// use http::{HeaderMap, StatusCode, Uri};
/// use narrows::OriginPolicy;
///
/// let mut headers = HeaderMap::new();
/// headers.insert("host", "example.com".parse()?);
/// headers.insert("origin", "https://evil.example".parse()?);
///
/// let refused = OriginPolicy::same_origin().check(&headers, &Uri::from_static("/ws/")).unwrap_err();
/// assert_eq!(
///     refused.to_string(),
///     "the origin https://evil.example is not accepted, but an origin with the host example.com would be",
/// );
/// assert_eq!(refused.into_response().status(), StatusCode::FORBIDDEN);
/// # Ok::<(), http::header::InvalidHeaderValue>(())
/// ```
///
/// The text is for the log: it names what was sent and what would be accepted. The response is a 403 whose
/// plain text tells a developer what to change, and repeats nothing of the request or of the allow-list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OriginRefused {
    /// There is no `Origin` header.
    #[error("there is no origin header, but {accepted} would be accepted")]
    Missing {
        /// What would be accepted.
        accepted: String,
    },
    /// There is no `Origin` header, but there are cookies, whose authority must not be borrowed.
    #[error("there are cookies but no origin header; {accepted} would be accepted, as would no cookies")]
    MissingWithCookies {
        /// What would be accepted.
        accepted: String,
    },
    /// There are several `Origin` headers.
    #[error("there are several origin headers, but {accepted} would be accepted")]
    Several {
        /// What would be accepted.
        accepted: String,
    },
    /// The `Host` header, which the origin is compared with, is missing, ambiguous or unreadable.
    #[error("the origin cannot be compared with the host of the request: {got}")]
    Host {
        /// What was found instead of one host.
        got: String,
    },
    /// The origin is another one, or is no origin.
    #[error("the origin {got} is not accepted, but {accepted} would be")]
    NotAccepted {
        /// The origin, with unprintable characters escaped.
        got: String,
        /// What would be accepted.
        accepted: String,
    },
}

impl IntoResponse for OriginRefused {
    fn into_response(self) -> Response {
        let body = match self {
            Self::Missing { .. } => "This socket needs an Origin header.\n",
            Self::MissingWithCookies { .. } => {
                "This socket needs an Origin header from clients that send cookies.\n\
                 Send `Origin: https://<host of this site>`, or no cookies.\n"
            }
            Self::Several { .. } => "There must be one Origin header only.\n",
            Self::Host { .. } => "There must be one valid Host header.\n",
            Self::NotAccepted { .. } => {
                "Pages of this origin may not connect to this socket.\n\
                 If they should, add their origin to the allowed origins of the server.\n\
                 If this is the server's own page behind a proxy, let the proxy pass the Host header on \
                 unchanged (nginx: `proxy_set_header Host $http_host;`).\n\
                 The log of the server names the origin and what it would accept.\n"
            }
        };
        let headers = [
            (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        ];
        (StatusCode::FORBIDDEN, headers, body).into_response()
    }
}

/// Longest piece of a request that goes into an error, in bytes: the log must not be filled from outside.
const MAX_SHOWN_BYTES: usize = 200;

pub(super) fn printable(text: &[u8]) -> String {
    let shown = &text[..text.len().min(MAX_SHOWN_BYTES)];
    let mut printable = shown.escape_ascii().to_string();
    if shown.len() < text.len() {
        printable.push('…');
    }
    if printable.is_empty() { "\"\"".to_owned() } else { printable }
}
