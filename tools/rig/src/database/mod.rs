mod mariadb;
mod postgres;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tempfile::TempDir;

pub use mariadb::MariaDb;
pub use postgres::Postgres;

/// The user that clients log in as, and its password.
const USER: &str = "rig";
const PASSWORD: &str = "of-a-test";

/// The server that runs, if one does.
type Running<T> = Mutex<Weak<T>>;

/// The one that runs, or a new one.
fn shared<T>(running: &Running<T>, start: impl FnOnce() -> Option<T>) -> Option<Arc<T>> {
    // Whoever waits here waits for the start; one that failed leaves nothing.
    let mut running = running.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(server) = running.upgrade() {
        return Some(server);
    }
    let server = Arc::new(start()?);
    *running = Arc::downgrade(&server);
    Some(server)
}

/// A folder of the servers' own.
fn folder() -> TempDir {
    let folder = tempfile::Builder::new().prefix("rig-").tempdir();
    folder.unwrap_or_else(|error| panic!("no temporary folder: {error}"))
}

/// Runs a program to its end and gives what it printed.
fn run(command: &mut Command) -> Result<String, String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.output().unwrap_or_else(|error| panic!("cannot start {name}: {error}"));
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned());
    }
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Err(format!("{name}: {}\n{}{}", output.status, text(&output.stdout), text(&output.stderr)))
}

/// A program on `PATH`, or in one of these folders, where systems keep it for services alone.
fn look_up(name: &str, folders: &[PathBuf]) -> Option<PathBuf> {
    programs::find(name).or_else(|| {
        let paths = folders.iter().map(|folder| folder.join(name));
        paths.filter_map(|path| programs::find(&path.to_string_lossy())).next()
    })
}

/// All of these, or the test is left out.
fn need<const N: usize>(names: [&str; N], folders: &[PathBuf]) -> Option<[PathBuf; N]> {
    let paths = names.map(|name| look_up(name, folders).unwrap_or_else(|| name.into()));
    let texts = paths.each_ref().map(|path| path.to_string_lossy());
    programs::need(texts.each_ref().map(AsRef::as_ref))
}

/// What stands after the last slash of a URL.
fn name_in(url: &str) -> &str {
    url.rsplit('/').next().expect("a split has a last part")
}

/// Who owns a path: 0 for what root has made.
fn owner(path: &Path) -> u32 {
    use std::os::unix::fs::MetadataExt;
    path.metadata().unwrap_or_else(|error| panic!("no {}: {error}", path.display())).uid()
}
