use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

use clap::Args;

use super::{FindError, Project, cargo};

/// What follows a command of the project's program.
#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Pass {
    /// As the project's program takes them; `--help` lists them
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENTS")]
    arguments: Vec<OsString>,
}

/// Why a command did not reach the project's program.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PassError {
    #[error(transparent)]
    Find(#[from] FindError),
    #[error("cargo cannot be run: {0}")]
    Cargo(io::Error),
}

impl Pass {
    /// Becomes the project's program with this command.
    pub(crate) fn run(self, command: &str) -> Result<ExitCode, PassError> {
        Err(to_program(&Project::here()?, command, &self.arguments))
    }
}

/// Builds the project and becomes its program with this command, at the same terminal. Returns only when it cannot.
pub(crate) fn to_program(project: &Project, command: &str, arguments: &[impl AsRef<OsStr>]) -> PassError {
    let mut cargo = Command::new(cargo());
    cargo.arg("run");
    // Nobody is to wait for minutes and see nothing.
    if was_built(project) {
        cargo.arg("--quiet");
    }
    cargo.arg("--manifest-path").arg(project.manifest()).arg("--").arg(command);
    PassError::Cargo(cargo.args(arguments).current_dir(project.root()).exec())
}

/// Whether there is a folder of what was compiled: cargo's default is one beside the project or its workspace.
fn was_built(project: &Project) -> bool {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(folder) => project.root().join(folder).is_dir(),
        None => project.root().ancestors().any(|folder| folder.join("target/debug").is_dir()),
    }
}
