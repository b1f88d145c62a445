use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Output};

use narrows_build::Collection;
use tempfile::TempDir;

use crate::project;

/// Runs this very test as a build script would: the part that is ignored otherwise.
fn build(root: &Path, out: &Path, profile: &str) -> Output {
    Command::new(std::env::current_exe().expect("a test has a file"))
        .args(["--exact", "embedding::as_a_build_script", "--ignored", "--nocapture"])
        .env("CARGO_MANIFEST_DIR", root)
        .env("OUT_DIR", out)
        .env("PROFILE", profile)
        .output()
        .expect("it can be run")
}

#[test]
#[ignore = "a build script for the other tests, which run it"]
fn as_a_build_script() {
    narrows_build::assets();
}

fn code(out: &Path) -> String {
    fs::read_to_string(out.join("narrows_assets.rs")).expect("it was written")
}

#[test]
fn a_build_for_development_embeds_nothing() {
    let (root, out) = (project(&[("static/site.css", "")]), TempDir::new().unwrap());
    assert!(build(root.path(), out.path(), "debug").status.success());
    assert_eq!(code(out.path()), "::narrows_web::Assets::folder(env!(\"CARGO_MANIFEST_DIR\"))\n");
}

#[test]
fn a_release_embeds_all_and_is_built_again_for_every_change() {
    let root = project(&[("static/site.css", "a {}"), ("templates/base.html", "<html>")]);
    let out = TempDir::new().unwrap();
    let output = build(root.path(), out.path(), "release");
    assert!(output.status.success());
    let said = String::from_utf8(output.stdout).unwrap();
    for folder in ["build.rs", "templates", "static", "src"] {
        assert!(said.contains(&format!("cargo::rerun-if-changed={folder}\n")), "{said}");
    }
    assert!(code(out.path()).contains("(\"base.html\", include_str!"));
    assert!(code(out.path()).contains("name: \"site.css\", version: \""));
}

#[test]
fn a_bad_file_ends_the_build_and_is_named() {
    let root = project(&[("templates/base.html", "\n{% block %}")]);
    let output = build(root.path(), TempDir::new().unwrap().path(), "release");
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(said.contains("cargo::error=") && said.contains("templates/base.html:2: "), "{said}");
}

#[test]
fn what_compresses_well_is_there_compressed_and_nothing_else() {
    let long = "body { color: red }\n".repeat(100);
    let root =
        project(&[("static/long.css", &long), ("static/short.css", "a {}"), ("static/long.png", &long)]);
    let out = TempDir::new().unwrap();
    Collection::read(root.path()).unwrap().embed(out.path()).unwrap();
    let code = code(out.path());
    assert!(!code.contains(out.path().to_str().unwrap()), "the target folder may be moved: {code}");
    let line = |name: &str| code.lines().find(|line| line.contains(name)).unwrap();
    assert!(line("long.css").contains(".gz\"") && line("long.css").contains(".br\""), "{code}");
    for name in ["short.css", "long.png"] {
        assert!(
            line(name).contains("gzip: ::core::option::Option::None, brotli: ::core::option::Option::None"),
            "{code}"
        );
    }
}

#[test]
fn what_did_not_change_is_not_written_again_and_what_is_gone_is_deleted() {
    let root = project(&[("static/a.css", "a {}"), ("static/b.css", "b {}")]);
    let out = TempDir::new().unwrap();
    let embed = || Collection::read(root.path()).unwrap().embed(out.path()).unwrap();
    let blobs = || fs::read_dir(out.path().join("narrows_assets")).unwrap().count();
    embed();
    let written = fs::metadata(out.path().join("narrows_assets.rs")).unwrap().modified().unwrap();
    embed();
    assert_eq!(fs::metadata(out.path().join("narrows_assets.rs")).unwrap().modified().unwrap(), written);
    let before = blobs();
    fs::remove_file(root.path().join("static/b.css")).unwrap();
    embed();
    assert!(blobs() < before);
    assert!(!code(out.path()).contains("b.css"));
}

#[test]
fn what_is_compressed_is_the_content() {
    let long = "body { color: red }\n".repeat(100);
    let (root, out) = (project(&[("static/long.css", &long)]), TempDir::new().unwrap());
    Collection::read(root.path()).unwrap().embed(out.path()).unwrap();
    let blob = |ending: &str| {
        let blobs = fs::read_dir(out.path().join("narrows_assets")).unwrap();
        let mut paths = blobs.map(|blob| blob.unwrap().path());
        fs::read(paths.find(|path| path.extension().is_some_and(|it| it == ending)).unwrap()).unwrap()
    };
    let (mut gzip, mut brotli) = (String::new(), Vec::new());
    flate2::read::GzDecoder::new(&blob("gz")[..]).read_to_string(&mut gzip).unwrap();
    brotli::BrotliDecompress(&mut &blob("br")[..], &mut brotli).unwrap();
    assert_eq!((gzip.as_bytes(), &brotli[..]), (long.as_bytes(), long.as_bytes()));
}
