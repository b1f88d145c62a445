use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// A folder that is written beside its place, and comes to it whole or not at all.
#[derive(Debug)]
pub(crate) struct NewFolder {
    place: PathBuf,
    /// Whether there is a folder in its place, for what is written. It stays the one it is: somebody may be in it.
    is_there: bool,
    within: TempDir,
}

const INNER: &str = "new";
/// What may be in a folder to which something comes: a repository without a file.
const REPOSITORY: &str = ".git";

/// Why there is no new folder.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FolderError {
    #[error("{} is there already, and not empty; nothing was written", .0.display())]
    Occupied(PathBuf),
    #[error("{} cannot be made: {source}", .place.display())]
    Io { place: PathBuf, source: io::Error },
}

impl NewFolder {
    /// A folder to come to this place, which is free, or a folder with nothing but a repository in it.
    pub(crate) fn new(place: &Path) -> Result<Self, FolderError> {
        let failed = |source| FolderError::Io { place: place.to_owned(), source };
        let is_free =
            |entry: io::Result<fs::DirEntry>| entry.is_ok_and(|entry| entry.file_name() == REPOSITORY);
        let is_there = match fs::read_dir(place).map(|mut entries| entries.all(is_free)) {
            Ok(true) => true,
            Err(error) if error.kind() == io::ErrorKind::NotFound => false,
            // A file, or a folder that is not ours to read.
            Ok(_) | Err(_) => return Err(FolderError::Occupied(place.to_owned())),
        };
        let place = std::path::absolute(place).map_err(failed)?;
        let beside = if is_there { &place } else { place.parent().unwrap_or(&place) };
        fs::create_dir_all(beside).map_err(failed)?;
        // On the same file system, so that it can be renamed.
        let within = tempfile::Builder::new().prefix(".narrows-new-").tempdir_in(beside).map_err(failed)?;
        // A folder as any that is made here: the temporary one is for its owner alone.
        fs::create_dir(within.path().join(INNER)).map_err(failed)?;
        Ok(Self { place, is_there, within })
    }

    /// Where it is until it is done.
    pub(crate) fn path(&self) -> PathBuf {
        self.within.path().join(INNER)
    }

    /// Where it will be.
    pub(crate) fn place(&self) -> &Path {
        &self.place
    }

    /// Writes a file, and makes the folders on the way.
    pub(crate) fn write(&self, path: &str, text: &str) -> Result<(), FolderError> {
        let path = self.path().join(path);
        let parent = path.parent().unwrap_or(&path);
        let written = fs::create_dir_all(parent).and_then(|()| fs::write(&path, text));
        written.map_err(|source| self.failed(source))
    }

    /// Puts it into its place.
    pub(crate) fn finish(self) -> Result<(), FolderError> {
        let done = if self.is_there { self.fill() } else { fs::rename(self.path(), &self.place) };
        done.map_err(|source| self.failed(source))
    }

    /// Moves all of it into the folder that is there, or nothing.
    fn fill(&self) -> io::Result<()> {
        let mut moved = Vec::new();
        for entry in fs::read_dir(self.path())? {
            let from = entry?.path();
            let to = self.place.join(from.file_name().expect("an entry of a folder has a name"));
            let free = match to.symlink_metadata() {
                Ok(_) => Err(io::Error::other(format!("{} is there already", to.display()))),
                Err(_) => Ok(()),
            };
            if let Err(error) = free.and_then(|()| fs::rename(&from, &to)) {
                for (from, to) in moved {
                    fs::rename(to, from)?;
                }
                return Err(error);
            }
            moved.push((from, to));
        }
        Ok(())
    }

    fn failed(&self, source: io::Error) -> FolderError {
        FolderError::Io { place: self.place.clone(), source }
    }
}
