use std::env;
use std::path::{Path, PathBuf};

/// Cargo's target directory, which also holds what `cargo xtask install` puts there for the tests.
///
/// # Panics
///
/// Never: this crate lies two folders below the root.
#[must_use]
pub fn target() -> PathBuf {
    let root =
        Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("tools/programs lies in the root");
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |folder| root.join(folder))
}
