//! The project that a command is called in.

mod find;
mod metadata;
mod pass;

pub(crate) use find::{FindError, Project};
pub(crate) use metadata::{Metadata, MetadataError};
pub(crate) use pass::{Pass, to_program};

use std::ffi::OsString;

/// The cargo to call: the one that called us, where one did.
pub(crate) fn cargo() -> OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}
