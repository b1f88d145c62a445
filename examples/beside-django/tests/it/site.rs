use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use programs::Child;
use tempfile::TempDir;

pub(crate) const PASSWORD: &str = "a password for tests";

/// The program, with the users ada and ben; ended with this.
pub(crate) struct Site {
    pub(crate) child: Child,
    /// `127.0.0.1:` and a port.
    pub(crate) address: String,
    data: TempDir,
}

impl Site {
    /// Starts it with a Redis of its own; `None`, and the test is left out, where something is missing.
    pub(crate) fn start() -> Option<Self> {
        programs::need(["redis-server"])?;
        Self::start_with(&[])
    }

    pub(crate) fn start_with(arguments: &[&str]) -> Option<Self> {
        let venv = venv()?;
        let data = tempfile::tempdir().unwrap();
        let mut child =
            Child::start(program(&venv, data.path()).args(["--demo-password", PASSWORD]).args(arguments));
        let address = child.line("the board is at http://").trim_end_matches('/').to_owned();
        Some(Self { child, address, data })
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// One of Django's commands beside the running site, as an operator runs it.
    pub(crate) fn manage(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(venv().unwrap().join("bin/python"));
        command.arg("manage.py").args(arguments).env("SITE_DATA", self.data.path());
        command.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/site")).env("PYTHONDONTWRITEBYTECODE", "1");
        command
    }

    /// The processes of Django's server.
    pub(crate) fn servers(&self) -> Vec<u32> {
        processes(self.data.path())
            .into_iter()
            .filter(|(_, words)| !words.contains("hold.py"))
            .map(|(id, _)| id)
            .collect()
    }

    /// Ends the program at once, as a crash would; gives where its data was.
    pub(crate) fn crash(self) -> TempDir {
        drop(self.child);
        self.data
    }
}

/// The processes that were told of this folder, and are neither the program nor gone: ids, and their command lines.
pub(crate) fn processes(data: &Path) -> Vec<(u32, String)> {
    let told = format!("SITE_DATA={}", data.canonicalize().unwrap().display());
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let Ok(id) = entry.file_name().to_string_lossy().parse() else { continue };
        // A process may be gone by now.
        let read = |name: &str| fs::read(entry.path().join(name)).unwrap_or_default();
        if read("environ").split(|byte| *byte == 0).any(|variable| variable == told.as_bytes()) {
            found.push((id, String::from_utf8_lossy(&read("cmdline")).replace('\0', " ")));
        }
    }
    found
}

pub(crate) fn program(venv: &Path, data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_beside-django"));
    command.args(["--bind", "127.0.0.1:0", "--drain-window", "0s"]);
    command.arg("--venv").arg(venv).arg("--data").arg(data);
    for shared in ["SECRET_KEY", "SECRET_KEY_FALLBACKS", "DATABASE_URL", "SESSION_ENGINE", "SITE_DATA"] {
        command.env_remove(shared);
    }
    command
}

/// The virtual environment that `cargo xtask install` makes.
pub(crate) fn venv() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/beside-django/venv");
    let wanted = include_bytes!("../../site/requirements.txt");
    if fs::read(folder.join("installed.txt")).is_ok_and(|installed| installed == wanted) {
        return Some(folder);
    }
    programs::leave_out("Django is not installed; cargo xtask install does it");
    None
}
