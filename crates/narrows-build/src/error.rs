use std::io;
use std::path::{Path, PathBuf};

/// Why templates and static files cannot be collected.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CollectError {
    /// A file or a folder cannot be read.
    #[error("{}: {source}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// What was made cannot be written.
    #[error("{}: {source}", path.display())]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A name that cannot be one in an address.
    #[error("{}: the name is not UTF-8, or has a backslash or a control character in it", path.display())]
    Name {
        /// Which.
        path: PathBuf,
    },
    /// A link that leads out of the folder that it is in.
    #[error("{}: this link leads out of {}, to {}", path.display(), folder.display(), target.display())]
    Link {
        /// Which.
        path: PathBuf,
        /// Where it is.
        folder: PathBuf,
        /// Where it leads.
        target: PathBuf,
    },
    /// A pipe, a socket or a device.
    #[error("{}: this is neither a file nor a folder", path.display())]
    NoFile {
        /// Which.
        path: PathBuf,
    },
    /// A folder in itself, by links, or folders deeper than anybody's.
    #[error("{}: folders in folders without an end", path.display())]
    Depth {
        /// Which.
        path: PathBuf,
    },
    /// A template that is not UTF-8.
    #[error("{}: a template has to be UTF-8, and byte {} is not", path.display(), source.valid_up_to())]
    Text {
        /// Which.
        path: PathBuf,
        /// Where.
        source: std::str::Utf8Error,
    },
    /// A template that cannot be parsed.
    #[error("{}:{line}: {message}", path.display())]
    Template {
        /// Which.
        path: PathBuf,
        /// In which line, from 1.
        line: usize,
        /// What is wrong.
        message: String,
    },
}

impl CollectError {
    pub(crate) fn read(path: &Path, source: io::Error) -> Self {
        Self::Read { path: path.to_owned(), source }
    }

    pub(crate) fn write(path: &Path, source: io::Error) -> Self {
        Self::Write { path: path.to_owned(), source }
    }
}
