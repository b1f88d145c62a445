//! Puts the templates and static files of a project into its binary.
//!
//! In `build.rs`:
//!
//! ```no_run
//! narrows_build::assets();
//! ```
//!
//! and in the project `narrows_web::assets!()`.

use std::{env, fs, path::Path};

/// Collects the folders `templates`, `static`, `src/*/templates` and `src/*/static` of the project that is built.
///
/// In a build for development nothing is embedded: the program reads the folders.
pub fn assets() {
    let out = env::var_os("OUT_DIR").expect("cargo tells build scripts where to write");
    let code = "::narrows_web::Assets::folder(env!(\"CARGO_MANIFEST_DIR\"))\n";
    fs::write(Path::new(&out).join("narrows_assets.rs"), code).expect("cargo's folder can be written to");
    println!("cargo::rerun-if-changed=build.rs");
}
