use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// A folder that is written beside its place, and comes to it whole or not at all.
#[derive(Debug)]
pub(crate) struct NewFolder {
    place: PathBuf,
    within: TempDir,
}

const INNER: &str = "new";

/// Why there is no new folder.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FolderError {
    #[error("{} is there already, and not empty; nothing was written", .0.display())]
    Occupied(PathBuf),
    #[error("{} cannot be made: {source}", .place.display())]
    Io { place: PathBuf, source: io::Error },
}

impl NewFolder {
    /// A folder to come to this place, which is free or an empty folder.
    pub(crate) fn new(place: &Path) -> Result<Self, FolderError> {
        let failed = |source| FolderError::Io { place: place.to_owned(), source };
        match fs::read_dir(place).map(|mut entries| entries.next().is_none()) {
            Ok(true) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            // A file, or a folder that is not ours to read.
            Ok(_) | Err(_) => return Err(FolderError::Occupied(place.to_owned())),
        }
        let place = std::path::absolute(place).map_err(failed)?;
        let parent = place.parent().unwrap_or(&place);
        fs::create_dir_all(parent).map_err(failed)?;
        // On the same file system, so that it can be renamed.
        let within = tempfile::Builder::new().prefix(".narrows-new-").tempdir_in(parent).map_err(failed)?;
        // A folder as any that is made here: the temporary one is for its owner alone.
        fs::create_dir(within.path().join(INNER)).map_err(failed)?;
        Ok(Self { place, within })
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
        fs::rename(self.path(), &self.place).map_err(|source| self.failed(source))
    }

    fn failed(&self, source: io::Error) -> FolderError {
        FolderError::Io { place: self.place.clone(), source }
    }
}
