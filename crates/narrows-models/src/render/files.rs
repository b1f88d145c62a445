//! Files, written all or none, and never over what somebody else wrote.

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

/// Writes all of them. If one fails, all is as it was.
pub(crate) fn write(changes: &[Change]) -> Result<(), WriteError> {
    let mut undo = Undo::default();
    let written = write_all(changes, &mut undo);
    if written.is_err() {
        undo.all();
    }
    written
}

fn write_all(changes: &[Change], undo: &mut Undo) -> Result<(), WriteError> {
    let failed = |change: &Change, source| WriteError { file: change.file.clone(), source };
    // What may fail for want of space comes first, beside the files.
    let mut staged = Vec::new();
    for change in changes {
        let temporary = stage(change, undo).map_err(|source| failed(change, source))?;
        staged.push((change, temporary));
    }
    // New files before the lists that name them.
    staged.sort_by_key(|(change, _)| change.replaces);
    for (change, temporary) in staged {
        let placed =
            if change.replaces { replace(change, &temporary, undo) } else { add(change, &temporary, undo) };
        placed.map_err(|source| failed(change, source))?;
    }
    Ok(())
}

/// The whole text in a file beside.
fn stage(change: &Change, undo: &mut Undo) -> io::Result<PathBuf> {
    let folder = change.file.parent().unwrap_or(Path::new("."));
    undo.folders.extend(folder.ancestors().take_while(|folder| !folder.exists()).map(Path::to_owned));
    fs::create_dir_all(folder)?;
    let name = change.file.file_name().unwrap_or_default().to_string_lossy();
    let temporary = folder.join(format!(".{name}.{}.tmp", std::process::id()));
    let mut file = OpenOptions::new().write(true).create_new(true).open(&temporary)?;
    undo.files.push(temporary.clone());
    file.write_all(change.text.as_bytes())?;
    file.sync_all()?;
    Ok(temporary)
}

fn replace(change: &Change, temporary: &Path, undo: &mut Undo) -> io::Result<()> {
    match File::open(&change.file) {
        Ok(mut file) => {
            let mut before = Vec::new();
            io::Read::read_to_end(&mut file, &mut before)?;
            fs::set_permissions(temporary, file.metadata()?.permissions())?;
            undo.replaced.push((change.file.clone(), before));
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => undo.files.push(change.file.clone()),
        Err(error) => return Err(error),
    }
    fs::rename(temporary, &change.file)
}

fn add(change: &Change, temporary: &Path, undo: &mut Undo) -> io::Result<()> {
    // A link fails where there is such a file, which a rename would replace.
    match fs::hard_link(temporary, &change.file) {
        Ok(()) => {
            undo.files.push(change.file.clone());
            return fs::remove_file(temporary);
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(error),
        // Some file systems have no links.
        Err(_) if change.file.exists() => return Err(io::ErrorKind::AlreadyExists.into()),
        Err(_) => {}
    }
    fs::rename(temporary, &change.file)?;
    undo.files.push(change.file.clone());
    Ok(())
}

/// What takes back what was done so far.
#[derive(Debug, Default)]
struct Undo {
    /// Those that were made, the innermost first.
    folders: Vec<PathBuf>,
    files: Vec<PathBuf>,
    /// What stood in files that have another text now.
    replaced: Vec<(PathBuf, Vec<u8>)>,
}

impl Undo {
    /// As far as it goes: the first failure is what is told.
    fn all(self) {
        for (file, before) in self.replaced {
            let _ignored = fs::write(file, before);
        }
        for file in self.files {
            let _ignored = fs::remove_file(file);
        }
        for folder in self.folders {
            let _ignored = fs::remove_dir(folder);
        }
    }
}
