use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{fs, io};

/// A virtual environment with what `requirements.txt` names.
pub(crate) struct Python {
    folder: PathBuf,
}

/// Why there is no such environment, or a command in it failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PythonError {
    #[error("{program} cannot be run; Python 3 with venv is needed, or --python to say where it is")]
    Missing { program: String, source: io::Error },
    #[error("{command} failed:\n{output}")]
    Failed { command: String, output: String },
    #[error("{path} cannot be read or written")]
    File { path: String, source: io::Error },
}

impl Python {
    /// Makes it where it is not there, or was made from another list.
    pub(crate) fn prepare(python: &str, folder: &Path, requirements: &Path) -> Result<Self, PythonError> {
        let file = |path: &Path| {
            let path = path.display().to_string();
            move |source| PythonError::File { path, source }
        };
        let wanted = fs::read(requirements).map_err(file(requirements))?;
        let this = Self { folder: folder.to_owned() };
        // A copy of the list is the last thing that is made.
        let installed = folder.join("installed.txt");
        if fs::read(&installed).is_ok_and(|installed| installed == wanted) {
            return Ok(this);
        }
        tracing::info!(folder = %folder.display(), "Python packages are being installed, once");
        run(Command::new(python).args(["-m", "venv"]).arg(folder))?;
        let mut pip = Command::new(this.python());
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"]).arg(requirements);
        run(&mut pip)?;
        fs::write(&installed, wanted).map_err(file(&installed))?;
        Ok(this)
    }

    /// Its interpreter.
    pub(crate) fn python(&self) -> PathBuf {
        self.folder.join("bin/python")
    }
}

/// Runs a command to its end, and shows what it said only where it failed.
pub(crate) fn run(command: &mut Command) -> Result<(), PythonError> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|source| PythonError::Missing { program, source })?;
    if output.status.success() {
        return Ok(());
    }
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let words: Vec<_> = words.map(OsStr::to_string_lossy).collect();
    let output = [output.stdout, output.stderr].concat();
    Err(PythonError::Failed {
        command: words.join(" "),
        output: String::from_utf8_lossy(&output).trim().to_owned(),
    })
}
