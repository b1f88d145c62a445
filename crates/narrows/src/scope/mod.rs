//! What a handler may know about the request that opened its connection.
//!
//! All of it comes by axum extractors that copy what they need, so that it may be kept for as long as the
//! connection lives. URL parameters come by axum's own `Path` or by [`Captured`](crate::Captured).

mod block;
mod client;
mod cookies;
mod forwarded;
mod from_handshake;
mod handshake;
mod layer;
mod proxies;
mod readable;
mod scheme;
mod seen;
mod subprotocols;
mod tokens;

pub use self::client::{ClientAddr, ClientAddrUnknown};
pub use self::cookies::Cookies;
pub use self::from_handshake::FromHandshake;
pub use self::handshake::Handshake;
pub use self::layer::{ScopeLayer, ScopeService};
pub use self::proxies::{ParseTrustedProxiesError, TrustedProxies};
pub use self::scheme::Scheme;
pub(crate) use self::seen::{ByUnixSocket, Front, Seen};
pub use self::subprotocols::Subprotocols;
pub(crate) use self::tokens::has_token;
