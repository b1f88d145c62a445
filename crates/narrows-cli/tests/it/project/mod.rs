//! `narrows new`, `narrows app` and `narrows run`.

mod app;
mod eyes;
mod new;
mod run;
mod server;
mod site;
mod tiny;
mod tutorial;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

/// `narrows` in this folder.
fn narrows(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_narrows"));
    command.args(arguments).current_dir(folder).env_remove("DATABASE_URL").output().unwrap()
}

/// What it said, where it did as it was told.
fn done(output: &Output) -> String {
    let said = format!("{}{}", text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{said}");
    said
}

/// What it said, where it refused.
fn refused(output: &Output) -> String {
    let said = text(&output.stderr);
    assert!(!output.status.success() && !said.contains("panicked"), "{said}");
    said
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A folder for the folders of a test, in no repository and no workspace.
fn somewhere() -> TempDir {
    tempfile::Builder::new().prefix("narrows-cli-").tempdir().unwrap()
}

/// This repository.
fn checkout() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// A project of this name, on this repository and with its versions of crates.
fn project(folder: &Path, name: &str) -> PathBuf {
    let path = checkout();
    done(&narrows(folder, &["new", name, "--no-git", "--path", path.to_str().unwrap()]));
    let root = folder.join(name);
    fs::copy(path.join("Cargo.lock"), root.join("Cargo.lock")).unwrap();
    root
}

/// Changes a text in a file.
fn edit(path: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.contains(from), "{from:?} in {text}");
    fs::write(path, text.replace(from, to)).unwrap();
}
