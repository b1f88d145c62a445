use std::convert::Infallible;

use axum::extract::FromRequestParts;
use http::header::SEC_WEBSOCKET_PROTOCOL;
use http::request::Parts;

use super::tokens::tokens;

/// The subprotocols that the client offered, the preferred one first.
///
/// ```
/// use narrows::scope::Subprotocols;
/// use narrows::{Connection, Reject};
/// # use narrows::{Close, Consumer, NoEvent, Raw};
/// # struct Feed;
/// # impl Consumer for Feed {
/// #     type Scope = Subprotocols; type In = Raw; type Out = Raw; type Event = NoEvent;
/// async fn connect(offered: Subprotocols, conn: &mut Connection<Self>) -> Result<Self, Reject> {
///     if let Some(token) = offered.iter().find_map(|item| item.strip_prefix("token.")) {
///         // Browsers can send a token in no other header.
///     }
/// #   let _ = conn;
///     # Ok(Self)
/// }
/// #     async fn receive(&mut self, _: Raw, _: &mut Connection<Self>) -> Result<(), Close> { Ok(()) }
/// # }
/// ```
///
/// As an extractor it never fails: a request that offers none has none. It holds one copy of its exact size.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Subprotocols(Box<str>);

impl Subprotocols {
    pub(super) fn new<'a>(items: impl Iterator<Item = &'a str>) -> Self {
        let items: Vec<&str> = items.filter(|item| !item.is_empty()).collect();
        Self(items.join(",").into())
    }

    /// Each of them, in the order of the client.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.split(',').filter(|item| !item.is_empty())
    }

    /// Whether this one was offered; case matters.
    #[must_use]
    pub fn contains(&self, subprotocol: &str) -> bool {
        self.iter().any(|item| item == subprotocol)
    }

    /// Whether none was offered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<S: Sync> FromRequestParts<S> for Subprotocols {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::new(tokens(&parts.headers, &SEC_WEBSOCKET_PROTOCOL)))
    }
}
