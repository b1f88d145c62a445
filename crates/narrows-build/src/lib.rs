//! Puts the templates and static files of a project into its binary.
//!
//! In `build.rs`:
//!
//! ```no_run
//! narrows_build::assets();
//! ```
//!
//! and in the project `narrows_web::assets!()`.
//!
//! # What is taken
//!
//! All files of `templates/` and `static/` in the project's folder, then of `src/*/templates/` and `src/*/static/`, in the order of the
//! apps' names. Of two files of one name the first counts. What is in `src/chat/templates/chat/room.html` is the template
//! `chat/room.html`.
//!
//! * Left out are hidden files and folders (`.git`, `.DS_Store`), and what editors leave behind: `*~`, `#*#`, `*.swp`, `*.swo`,
//!   `*.tmp`, `*.bak`, `*.orig`.
//! * A link counts as what it leads to, where that is in the same folder (`templates/`, `static/`); one that leads out of it is an error.
//! * A name that is not UTF-8, or has a backslash or a control character in it, is an error, and so is a template that is not UTF-8 or
//!   cannot be parsed. Errors name the file, and for a template the line.
//!
//! # The names of static files
//!
//! In the binary each file has a version, eight bytes of SHA-256 in hex: `static('site.css')` is `/static/v-0f3c9a1b2c3d4e5f/site.css`. The version is in a
//! folder and not in the file's own name, so that what the files say of each other stays true: `import './name.js'`, `url(img/a.png)`.
//! Files that refer to each other – by a quoted path or a `url(…)` that leads from the one to the other – have one version, made of
//! all their contents, so that a browser never has the new one of the one file and the old one of the other, and a module is loaded
//! once. A file that none refers to has one of its own: it changes with the file alone.

mod collect;
mod compress;
mod embed;
mod error;
mod references;
mod rules;
mod versions;

use std::path::{Path, PathBuf};
use std::process::exit;
use std::{env, fs, io};

pub use collect::{Collection, File};
pub use error::CollectError;

/// Collects the templates and static files of the project that is built.
///
/// In a release build they become part of the binary. In a build for development nothing is embedded: the program reads the folders.
/// Other profiles are what cargo says of them in `PROFILE`: one that inherits `release` embeds.
///
/// What is wrong with a file ends the build, and names it.
pub fn assets() {
    if let Err(error) = build() {
        // One line for each part, as cargo takes an instruction to its end of line.
        println!("cargo::error={}", error.to_string().replace('\n', " "));
        exit(1);
    }
}

fn build() -> Result<(), CollectError> {
    let variable = |name: &str| PathBuf::from(env::var_os(name).expect("cargo tells build scripts"));
    let (root, out) = (variable("CARGO_MANIFEST_DIR"), variable("OUT_DIR"));
    println!("cargo::rerun-if-changed=build.rs");
    if env::var_os("PROFILE").is_none_or(|profile| profile != "release") {
        let code = "::narrows_web::Assets::folder(env!(\"CARGO_MANIFEST_DIR\"))\n";
        return write(&out.join(embed::CODE), code.as_bytes())
            .map_err(|error| CollectError::write(&out, error));
    }
    // Folders are watched with all that is in them: a new file counts, and one that is gone. `src`, as an app may get its first template.
    for folder in ["templates", "static", "src"] {
        println!("cargo::rerun-if-changed={folder}");
    }
    Collection::read(&root)?.embed(&out)
}

/// Writes a file, unless it says the same already: what did not change is not compiled again.
fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    match fs::read(path) {
        Ok(there) if there == content => Ok(()),
        _ => fs::write(path, content),
    }
}
