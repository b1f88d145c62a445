//! How messages reach a client and come from it.

// The codec's items are `pub` so that the feature `internals` can hand them to benches and fuzz targets;
// without that feature nothing of it leaves the crate, and the client's half serves tests only.
#[cfg_attr(
    not(feature = "internals"),
    allow(dead_code, unreachable_pub, unused_imports, reason = "exported by the feature `internals` only")
)]
pub(crate) mod frame;
