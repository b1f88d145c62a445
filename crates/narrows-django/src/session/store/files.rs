use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::super::SaveError;
use super::super::codec::MAX_ENCODED_BYTES;
use super::super::key::{can_be_file, new_key};
use super::{Change, Expires, Kept, NEW_KEYS, Put};
use crate::database::DatabaseError;

/// Sessions in files: the cookie's name and the key are a file's name, what it holds is what a row holds.
#[derive(Clone)]
pub(crate) struct Files {
    folder: Arc<Path>,
    prefix: Arc<str>,
}

impl Files {
    pub(super) fn new(folder: &Path, prefix: &str) -> Self {
        Self { folder: folder.into(), prefix: prefix.into() }
    }

    pub(super) async fn read(&self, key: &str) -> Result<Option<Kept>, DatabaseError> {
        if !can_be_file(key) {
            return Ok(None);
        }
        let path = self.path(key);
        blocking(move || match read(&path) {
            Ok((text, saved)) => Ok(Some(Kept { text, expires: Expires::SavedAt(saved) })),
            Err(error) if error.kind() == ErrorKind::NotFound && path.parent().is_some_and(Path::is_dir) => {
                Ok(None)
            }
            Err(error) => Err(error),
        })
        .await
    }

    pub(super) async fn apply(&self, change: Change) -> Result<Option<String>, SaveError> {
        let files = self.clone();
        let applied = blocking(move || files.apply_now(change)).await?;
        applied.map_err(|Missing| SaveError::Deleted)
    }

    /// The keys of all files that are sessions.
    pub(crate) async fn keys(&self) -> Result<Vec<String>, DatabaseError> {
        let files = self.clone();
        blocking(move || {
            let mut keys = Vec::new();
            for entry in fs::read_dir(&files.folder)? {
                let name = entry?.file_name();
                let key = name.to_str().and_then(|name| name.strip_prefix(&*files.prefix));
                keys.extend(key.filter(|key| can_be_file(key)).map(str::to_owned));
            }
            Ok(keys)
        })
        .await
    }

    fn apply_now(&self, change: Change) -> io::Result<Result<Option<String>, Missing>> {
        for key in change.delete.iter().filter(|key| can_be_file(key)) {
            delete(&self.path(key))?;
        }
        let Some(Put { key, text, replaces, .. }) = change.put else { return Ok(Ok(None)) };
        let key = match key {
            Some(key) if !can_be_file(&key) || !self.path(&key).try_exists()? => return Ok(Err(Missing)),
            Some(key) => key,
            None => self.reserve()?,
        };
        self.write(&key, &text)?;
        if let Some(replaced) = replaces.filter(|key| can_be_file(key)) {
            delete(&self.path(&replaced))?;
        }
        Ok(Ok(Some(key)))
    }

    /// An empty file with a key that no other has. Django reads it as an empty session.
    fn reserve(&self) -> io::Result<String> {
        let mut tries = 0;
        loop {
            let key = new_key();
            tries += 1;
            match create(&self.path(&key)) {
                Ok(_) => return Ok(key),
                Err(error) if error.kind() == ErrorKind::AlreadyExists && tries < NEW_KEYS => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Beside it first, so that whoever reads sees the old text or the new.
    fn write(&self, key: &str, text: &str) -> io::Result<()> {
        let path = self.path(key);
        let beside = self.folder.join(format!("{}{key}_out_{}", self.prefix, new_key()));
        let written = create(&beside)
            .and_then(|mut file| file.write_all(text.as_bytes()))
            .and_then(|()| fs::rename(&beside, &path));
        if written.is_err() {
            // The first error says more than that this one cannot be deleted either.
            let _ = fs::remove_file(&beside);
        }
        written
    }

    fn path(&self, key: &str) -> PathBuf {
        self.folder.join(format!("{}{key}", self.prefix))
    }
}

struct Missing;

fn read(path: &Path) -> io::Result<(String, DateTime<Utc>)> {
    let file = File::open(path)?;
    let saved = file.metadata()?.modified()?.into();
    let mut bytes = Vec::new();
    // A byte more than is believed, for whoever decodes to see that it is too much.
    file.take(MAX_ENCODED_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok((String::from_utf8_lossy(&bytes).into_owned(), saved))
}

/// Nobody else may read it: who has the key has the session.
fn create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn delete(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, DatabaseError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(io::Error::other(error))).map_err(DatabaseError::Files)
}
