//! Embeds as a release does, whatever the profile: what a release has is what the tests look at.

use std::env;
use std::path::PathBuf;

use narrows_build::Collection;

fn main() {
    let folder = |name| PathBuf::from(env::var_os(name).expect("cargo says it"));
    for watched in ["build.rs", "templates", "static", "src"] {
        println!("cargo::rerun-if-changed={watched}");
    }
    let collection =
        Collection::read(&folder("CARGO_MANIFEST_DIR")).expect("the files of the tests are right");
    collection.embed(&folder("OUT_DIR")).expect("cargo's folder can be written to");
}
