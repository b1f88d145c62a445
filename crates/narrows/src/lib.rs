//! Narrows.

mod limits;
mod transport;

pub use limits::Limits;

/// What benches and fuzz targets reach into; not part of the contract, and free to change at any time.
#[cfg(feature = "internals")]
#[doc(hidden)]
pub mod internals {
    pub use crate::transport::frame::*;
}
