//! Files, written whole or not at all, and never over what somebody else wrote.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Why a file was not written.
#[derive(Debug, thiserror::Error)]
#[error("`{}` cannot be written{}", file.display(), if source.kind() == io::ErrorKind::AlreadyExists { ": there is one already, which the list of migrations does not have; remove it, or say `--name`" } else { "" })]
pub struct WriteError {
    /// The file.
    pub file: PathBuf,
    /// Why.
    #[source]
    pub source: io::Error,
}

/// A file to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) file: PathBuf,
    pub(crate) text: String,
    /// Whether it takes the place of one that is there.
    pub(crate) replaces: bool,
}

/// Writes all of them in order. If one fails, the new ones are taken away again.
pub(crate) fn write(changes: &[Change]) -> Result<(), WriteError> {
    let mut made: Vec<&Path> = Vec::new();
    for change in changes {
        if let Err(source) = write_one(change) {
            for file in made {
                // The first failure is what matters.
                let _ignored = fs::remove_file(file);
            }
            return Err(WriteError { file: change.file.clone(), source });
        }
        if !change.replaces {
            made.push(&change.file);
        }
    }
    Ok(())
}

fn write_one(change: &Change) -> io::Result<()> {
    let folder = change.file.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let name = change.file.file_name().unwrap_or_default().to_string_lossy();
    let temporary = folder.join(format!(".{name}.{}.tmp", std::process::id()));
    let written = write_whole(&temporary, change);
    if written.is_err() {
        // Nothing of it stays; the failure itself is what is told.
        let _ignored = fs::remove_file(&temporary);
    }
    written
}

fn write_whole(temporary: &Path, change: &Change) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(temporary)?;
    file.write_all(change.text.as_bytes())?;
    file.sync_all()?;
    if change.replaces {
        if let Ok(metadata) = File::open(&change.file).and_then(|file| file.metadata()) {
            fs::set_permissions(temporary, metadata.permissions())?;
        }
        return fs::rename(temporary, &change.file);
    }
    // A link fails where there is such a file, which a rename would replace.
    match fs::hard_link(temporary, &change.file) {
        Ok(()) => fs::remove_file(temporary),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(error),
        // Some file systems have no links.
        Err(_) if !change.file.exists() => fs::rename(temporary, &change.file),
        Err(_) => Err(io::ErrorKind::AlreadyExists.into()),
    }
}
