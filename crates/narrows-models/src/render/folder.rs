//! Where an app's migrations stand, from where its macro stood when the program was built.

use std::fs;
use std::path::{Path, PathBuf};

/// Why it is not known where migrations go.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FolderError {
    /// The app never said.
    #[error(
        "the app `{0}` has models and does not say where its migrations go: give it `.migrations(migrations!())` \
             beside its models, and the folder is made"
    )]
    Unsaid(String),
    /// The source is not here.
    #[error(
        "`{file}`, which has the migrations of `{app}`, is not here: run this in the project's folder, with a \
             program that was built there"
    )]
    Away {
        /// The app.
        app: String,
        /// The file, as the compiler knew it.
        file: String,
    },
    /// The source is somebody else's.
    #[error("the migrations of `{app}` are in a package that is not this project's ({}): they belong to its author", file.display())]
    Foreign {
        /// The app.
        app: String,
        /// The file.
        file: PathBuf,
    },
    /// The list stands in a file beside the folder.
    #[error("the list of the migrations of `{app}` is in `{}`: move it to `mod.rs` in the folder of the migrations, \
             with `snapshot.json`", file.display())]
    NotMod {
        /// The app.
        app: String,
        /// The file.
        file: PathBuf,
    },
}

/// The file of the macro, and the folder of the migrations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) file: PathBuf,
    pub(crate) folder: PathBuf,
    /// Whether the macro stands in the app's own file, and the folder is yet to be made.
    pub(crate) is_new: bool,
}

/// Finds the place; `source` is `CARGO_MANIFEST_DIR|file!()` of the macro, and `here` the current folder.
pub(crate) fn place(app: &str, source: &str, is_empty: bool, here: &Path) -> Result<Place, FolderError> {
    let Some((package, named)) = source.split_once('|') else {
        return Err(FolderError::Unsaid(app.to_owned()));
    };
    let away = || FolderError::Away { app: app.to_owned(), file: named.to_owned() };
    let file = find(Path::new(package), Path::new(named), here).ok_or_else(away)?;
    if is_foreign(&file) {
        return Err(FolderError::Foreign { app: app.to_owned(), file });
    }
    let parent = file.parent().unwrap_or(Path::new("")).to_owned();
    let stem = file.file_stem().unwrap_or_default().to_owned();
    let is_mod = stem == "mod";
    if is_mod && (!is_empty || parent.file_name().is_some_and(|name| name == "migrations")) {
        return Ok(Place { folder: parent, file, is_new: false });
    }
    if !is_empty || stem == "migrations" {
        return Err(FolderError::NotMod { app: app.to_owned(), file });
    }
    // Modules of a crate's root are beside it, those of any other file in a folder of its name.
    let beside = is_mod
        || stem == "lib"
        || stem == "main"
        || parent
            .file_name()
            .is_some_and(|name| ["bin", "examples", "tests", "benches"].iter().any(|root| name == *root));
    let folder = if beside { parent.join("migrations") } else { parent.join(&stem).join("migrations") };
    Ok(Place { file, folder, is_new: true })
}

/// Whether cargo fetched or vendored the file: it leaves a mark in the folder of each such package or repository.
fn is_foreign(file: &Path) -> bool {
    let marks = [".cargo-ok", ".cargo-checksum.json"];
    file.ancestors().skip(1).any(|folder| marks.iter().any(|mark| folder.join(mark).exists()))
}

/// The compiler names a file from the workspace's root, which is the package's folder or one above it; a checkout may
/// have been moved since.
fn find(package: &Path, named: &Path, here: &Path) -> Option<PathBuf> {
    if named.is_absolute() && has_macro(named) {
        return Some(named.to_owned());
    }
    for root in package.ancestors() {
        let file = root.join(named);
        if file.starts_with(package) && has_macro(&file) {
            return Some(file);
        }
    }
    // The file from the package's folder: what is left of its name without the end of the package's.
    let parts: Vec<_> = package.components().collect();
    let from_package = (0..parts.len()).find_map(|from| {
        let end: PathBuf = parts[from..].iter().collect();
        named.strip_prefix(end).ok()
    });
    here.ancestors().find_map(|root| {
        let file = [Some(named), from_package].into_iter().flatten().map(|name| root.join(name));
        file.into_iter().find(|file| !named.is_absolute() && has_macro(file))
    })
}

fn has_macro(file: &Path) -> bool {
    fs::read_to_string(file).is_ok_and(|text| text.contains("migrations!"))
}
