//! The tests of narrows-build: what is collected, and what is written.

mod collecting;
mod embedding;
mod versions;

use std::fs;
use std::path::Path;

use tempfile::TempDir;

/// A project of these files.
fn project(files: &[(&str, &str)]) -> TempDir {
    let root = TempDir::new().expect("a folder");
    for (path, content) in files {
        write(root.path(), path, content.as_bytes());
    }
    root
}

fn write(root: &Path, path: &str, content: &[u8]) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().expect("it is in a folder")).expect("a folder");
    fs::write(path, content).expect("a file");
}
