use std::env;
use std::io::Write;
use std::path::{Path, PathBuf};

/// The path of a program on `PATH`; a name with a slash in it is a path already.
#[must_use]
pub fn find(name: &str) -> Option<PathBuf> {
    let runs = |path: &Path| path.metadata().is_ok_and(|data| data.is_file() && executable(&data));
    if name.contains('/') {
        return Some(PathBuf::from(name)).filter(|path| runs(path));
    }
    env::split_paths(&env::var_os("PATH")?).map(|folder| folder.join(name)).find(|path| runs(path))
}

/// Finds the programs that a test needs, or leaves the test out ([`leave_out`]).
///
/// # Panics
///
/// When one is missing and [`required`].
#[must_use]
pub fn need<const N: usize>(names: [&str; N]) -> Option<[PathBuf; N]> {
    let missing: Vec<&str> = names.iter().copied().filter(|name| find(name).is_none()).collect();
    if !missing.is_empty() {
        leave_out(&format!("{} not found; cargo xtask install gets all programs", missing.join(", ")));
        return None;
    }
    Some(names.map(|name| find(name).expect("looked up above")))
}

/// Whether a test that lacks a program must fail: `NARROWS_REQUIRE=all`.
#[must_use]
pub fn required() -> bool {
    env::var("NARROWS_REQUIRE").is_ok_and(|value| value == "all")
}

/// Says that the running test was left out and why; the test returns after it.
///
/// # Panics
///
/// When [`required`].
pub fn leave_out(why: &str) {
    let thread = std::thread::current();
    let test = thread.name().unwrap_or("a test");
    assert!(!required(), "{test} must not be left out: {why}");
    // Not eprintln!, which the test runner keeps to itself when the test passes. Where standard error is
    // closed, nobody is there to be told.
    let _ = writeln!(std::io::stderr(), "left out: {test}: {why}");
}

#[cfg(unix)]
fn executable(data: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    data.permissions().mode() & 0o111 != 0
}

#[cfg(not(unix))]
fn executable(_data: &std::fs::Metadata) -> bool {
    true
}
