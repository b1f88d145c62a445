//! From an HTTP request to a connection: the handshake, its checks and limits, and the frames.

// The codec's items are `pub` so that the feature `internals` can hand them to benches and fuzz targets;
// without that feature nothing of it leaves the crate.
#[cfg_attr(
    not(feature = "internals"),
    allow(dead_code, unreachable_pub, unused_imports, reason = "exported by the feature `internals` only")
)]
pub(crate) mod frame;
mod handshake;
mod route;
pub(crate) mod upgraded;

pub use self::route::ConsumerRoute;
pub(crate) use self::route::RouteSettings;
