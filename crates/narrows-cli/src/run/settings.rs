use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use toml::{Table, Value};

use super::process::program;
use super::sockets::Addresses;

/// What the program's settings say about where it listens.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) addresses: Addresses,
    /// Whether somebody chose over which time closes are spread.
    pub(super) is_drain_chosen: bool,
}

/// Why they are not known.
#[derive(Debug, thiserror::Error)]
pub(super) enum SettingsError {
    #[error("the program cannot be started: {0}")]
    Start(#[from] io::Error),
    /// It has said why.
    #[error("the program does not take its settings")]
    Refused,
    #[error("the program's settings cannot be read: {0}")]
    Answer(String),
}

/// Asks the program, which knows all the places that settings come from.
pub(super) fn ask(path: &Path, root: &Path, arguments: &[OsString]) -> Result<Said, SettingsError> {
    let mut command = program(path, root);
    let output = command
        .arg("serve")
        .args(arguments)
        .arg("--print-config")
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()?;
    if !output.status.success() {
        return Err(SettingsError::Refused);
    }
    read(&String::from_utf8_lossy(&output.stdout)).map_err(SettingsError::Answer)
}

fn read(printed: &str) -> Result<Said, String> {
    let settings: Table = printed.parse().map_err(|error: toml::de::Error| error.to_string())?;
    let list = |name: &str| -> Vec<String> {
        let items = settings.get(name).and_then(Value::as_array);
        items.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let addresses =
        Addresses { bind: list("bind"), unix: list("unix").into_iter().map(PathBuf::from).collect() };
    // Each line ends with where the value comes from.
    let drain = printed.lines().find(|line| line.starts_with("drain_window "));
    let is_drain_chosen = drain.is_some_and(|line| !line.ends_with("# the default"));
    Ok(Said { addresses, is_drain_chosen })
}
