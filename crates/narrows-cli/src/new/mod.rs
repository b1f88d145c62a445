//! `narrows new`: a project that runs.

pub(crate) mod files;
pub(crate) mod folder;
pub(crate) mod name;
mod source;
mod workspace;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use clap::Args;

use self::folder::{FolderError, NewFolder};
use self::name::{Name, NameError};
use self::source::{SourceArgs, SourceError};

/// Make a project: a site with one app, ready to run.
#[derive(Debug, Args)]
pub(crate) struct New {
    /// The name of the project, of its package and its program
    name: String,
    /// Where it is made; by default a folder of its name
    folder: Option<PathBuf>,
    #[command(flatten)]
    source: SourceArgs,
    /// Leave out the app, the accounts' pages and the admin: a site with nothing in it yet
    #[arg(long)]
    bare: bool,
    /// Make no git repository; otherwise there will be one, unless the folder is in a repository already
    #[arg(long)]
    no_git: bool,
}

/// Why there is no new project.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NewError {
    #[error(transparent)]
    Name(#[from] NameError),
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error(transparent)]
    Folder(#[from] FolderError),
}

/// Where a project lies within another workspace, cargo would refuse it.
const OWN_WORKSPACE: &str = "
# It lies in the folder of another workspace, and is not one of its members. To make it one: name it there, and take
# this away.
[workspace]
";

impl New {
    pub(crate) fn run(self) -> Result<ExitCode, NewError> {
        let name = Name::new(&self.name)?;
        let source = self.source.check()?;
        let place = self.folder.unwrap_or_else(|| name.as_str().into());
        let folder = NewFolder::new(&place)?;
        for (path, mut text) in files::project(&name, self.bare) {
            if path == "Cargo.toml" {
                text = source.apply(&text);
                if workspace::is_stranger(folder.place()) {
                    text += OWN_WORKSPACE;
                }
            }
            folder.write(&path, &text)?;
        }
        if !self.no_git {
            make_repository(&folder.path());
        }
        folder.finish()?;
        let what =
            if self.bare { "nothing in it yet" } else { "an app for chat rooms, accounts and an admin" };
        println!("Made {name}: a site with {what}. Next:\n");
        if place != Path::new(".") {
            println!("    cd {}", in_shell(&place.to_string_lossy()));
        }
        println!("    narrows run                # builds it, and serves it at http://127.0.0.1:8000/");
        if self.bare {
            println!("    narrows app NAME           # an app\n");
        } else {
            println!("    narrows createsuperuser    # somebody for http://127.0.0.1:8000/admin/\n");
        }
        println!("Its README.md says what is where.");
        Ok(ExitCode::SUCCESS)
    }
}

/// A path as it is typed.
fn in_shell(path: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "/._-+~".contains(c);
    if path.chars().all(is_plain) { path.to_owned() } else { format!("'{}'", path.replace('\'', r"'\''")) }
}

/// As `cargo new` does: a repository where there is git, and none yet. Without git there is none, and nothing is lost.
fn make_repository(folder: &Path) {
    let git = |args: &[&str]| {
        let mut git = Command::new("git");
        git.args(args).current_dir(folder).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        git.status().is_ok_and(|status| status.success())
    };
    if !git(&["rev-parse", "--is-inside-work-tree"]) && !git(&["init", "--quiet"]) {
        eprintln!("narrows: git cannot be run, so there is no repository");
    }
}
