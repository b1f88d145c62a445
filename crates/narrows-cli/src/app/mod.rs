//! `narrows app`: another app for a project.

mod register;

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use self::register::{add_app, add_module};
use crate::new::files;
use crate::new::folder::{FolderError, NewFolder};
use crate::new::name::{self, NameError};
use crate::project::{FindError, Project};

/// Add an app to the project: its folder in src, its tests, and its line in src/lib.rs.
#[derive(Debug, Args)]
pub(crate) struct App {
    /// The name of the app, of its folder and its module
    name: String,
}

/// Why there is no new app.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AppError {
    #[error(transparent)]
    Find(#[from] FindError),
    #[error(
        "the name {0:?} does not do: use up to 40 small letters (a to z) and digits, with single _ between them, \
         beginning with a letter"
    )]
    Letters(String),
    #[error(transparent)]
    Name(#[from] NameError),
    #[error("the project has a crate or an app of the name {0} already")]
    Taken(String),
    #[error("{} is there already; nothing was written", .0.display())]
    Occupied(PathBuf),
    #[error(transparent)]
    Folder(#[from] FolderError),
    #[error("{}: {source}", .path.display())]
    Io { path: PathBuf, source: io::Error },
}

/// Apps that other crates bring along, and what stands beside apps in a project.
const OTHERS: [&str; 9] =
    ["accounts", "admin", "django", "lib", "main", "bin", "project", "it", "narrows_web"];

impl App {
    pub(crate) fn run(self) -> Result<ExitCode, AppError> {
        let project = Project::here()?;
        let name = self.name;
        check(&name, &project)?;
        let src = project.root().join("src");
        let tests = project.root().join("tests/it");
        for path in [src.join(&name), src.join(format!("{name}.rs")), tests.join(format!("{name}.rs"))] {
            if path.symlink_metadata().is_ok() {
                return Err(AppError::Occupied(path));
            }
        }
        let folder = NewFolder::new(&src.join(&name))?;
        for (path, text) in files::app(&name) {
            folder.write(&path, &text)?;
        }
        folder.finish()?;
        println!("Made the app {name} in src/{name}.");

        let lib = src.join("lib.rs");
        let line = format!(".app({name}::app())");
        if !edit(&lib, |text| add_app(&add_module(text, "pub mod", &name)?, &name))? {
            println!("\nsrc/lib.rs is not as `narrows new` writes it. Add to it yourself:\n");
            println!("    pub mod {name};\n    {line}    // to the project\n");
        }
        let is_tested = edit(&tests.join("main.rs"), |text| add_module(text, "mod", &name))?;
        if is_tested {
            let path = tests.join(format!("{name}.rs"));
            let text = files::app_tests(&name, &project.name().replace('-', "_"));
            std::fs::write(&path, text).map_err(|source| AppError::Io { path, source })?;
            println!("Its tests are in tests/it/{name}.rs.");
        } else {
            println!("It has no tests: there is no tests/it/main.rs with a list of modules.");
        }
        println!("It is at /{name}/ when the site runs.");
        Ok(ExitCode::SUCCESS)
    }
}

fn check(name: &str, project: &Project) -> Result<(), AppError> {
    let is_legal = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.len() <= 40
        && name.split('_').all(name::is_word);
    if !is_legal {
        return Err(AppError::Letters(name.to_owned()));
    }
    name::refuse(name, name)?;
    if OTHERS.contains(&name) || project.has_crate(name) {
        return Err(AppError::Taken(name.to_owned()));
    }
    Ok(())
}

/// Changes a file, which is there whole before and after. `false` where it is not understood, or not there.
fn edit(path: &PathBuf, change: impl FnOnce(&str) -> Option<String>) -> Result<bool, AppError> {
    let failed = |source| AppError::Io { path: path.clone(), source };
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(source) => return Err(failed(source)),
    };
    let Some(changed) = change(&text) else { return Ok(false) };
    let draft = path.with_extension("rs.tmp");
    std::fs::write(&draft, changed).and_then(|()| std::fs::rename(&draft, path)).map_err(failed)?;
    Ok(true)
}
