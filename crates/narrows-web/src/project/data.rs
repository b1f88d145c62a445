use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use rand::RngExt;
use rand::distr::Alphanumeric;

/// Characters of a secret key that is made here: with 62 to choose from, 380 bits.
const KEY_LENGTH: usize = 64;

/// The folder where the site keeps what must outlive it: its database, and its secret key.
#[derive(Debug, Clone)]
pub struct DataFolder(PathBuf);

impl DataFolder {
    /// The folder at this path, which is made where it is missing, for this user of the machine alone.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, DataFolderError> {
        let path = path.into();
        match DirBuilder::new().recursive(true).mode(0o700).create(&path) {
            Ok(()) => Ok(Self(path)),
            Err(source) => Err(DataFolderError { path, source }),
        }
    }

    /// The URL of the SQLite database in it, which is made where it is missing.
    ///
    /// # Errors
    /// When the folder's path is no UTF-8, and so cannot stand in a URL.
    pub fn database_url(&self) -> Result<String, DataFolderError> {
        self.url_of("db.sqlite3")
    }

    pub(super) fn url_of(&self, file: &str) -> Result<String, DataFolderError> {
        let path = self.0.join(file);
        let Some(text) = path.to_str() else {
            return Err(DataFolderError { path, source: io::Error::other("it is not UTF-8") });
        };
        // Without it the path would be created with the rights that the umask leaves: it holds password hashes.
        private(&path).map_err(|source| DataFolderError { path: path.clone(), source })?;
        let parts = text.split('/').map(|part| utf8_percent_encode(part, NON_ALPHANUMERIC).to_string());
        Ok(format!("sqlite://{}?mode=rwc", parts.collect::<Vec<_>>().join("/")))
    }

    /// The site's secret key: random, made once, and the same ever after, so that sessions outlive a restart.
    ///
    /// # Errors
    /// When it can neither be read nor be made.
    pub fn secret_key(&self) -> Result<String, DataFolderError> {
        let path = self.0.join("secret_key");
        read_or_make(&path).map_err(|source| DataFolderError { path, source })
    }
}

/// Makes an empty file that only its owner may read, unless there is a file.
fn private(path: &Path) -> io::Result<()> {
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// A key that nobody has had.
pub(super) fn new_key() -> String {
    rand::rng().sample_iter(Alphanumeric).take(KEY_LENGTH).map(char::from).collect()
}

fn read_or_make(path: &Path) -> io::Result<String> {
    match read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        read => return read,
    }
    let key = new_key();
    // Written under another name first: whoever finds the file finds all of it. Of several processes that begin at
    // once one makes the link, and all read what is there then.
    // In a container each of them is process 1, so the name of the draft is by chance.
    let draft = path.with_extension(format!("{:016x}.new", rand::random::<u64>()));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    let made = file.write_all(key.as_bytes()).and_then(|()| file.sync_all());
    let linked = made.and_then(|()| match fs::hard_link(&draft, path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    });
    fs::remove_file(&draft)?;
    linked?;
    read(path)
}

fn read(path: &Path) -> io::Result<String> {
    let mut key = String::new();
    File::open(path)?.read_to_string(&mut key)?;
    let key = key.trim();
    match key.is_empty() {
        true => {
            Err(io::Error::new(io::ErrorKind::InvalidData, "there is no key in it; remove it for a new one"))
        }
        false => Ok(key.to_owned()),
    }
}

/// Why the data folder cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{}: {source}", path.display())]
pub struct DataFolderError {
    path: PathBuf,
    source: io::Error,
}
