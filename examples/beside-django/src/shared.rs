//! What Django and Narrows must agree on: the environment of both.

use std::path::Path;
use std::{env, fs, io};

use narrows_django::{SecretKeys, SessionEngine};
use rand::distr::{Alphanumeric, SampleString};

/// The variables that `site/project/settings.py` reads, with their values.
#[derive(Clone)]
pub(crate) struct Shared {
    secret_key: String,
    secret_key_fallbacks: String,
    pub(crate) database_url: String,
    session_engine: String,
}

/// Why the two cannot share their settings.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SharedError {
    #[error("the secret key cannot be kept in {path}")]
    SecretKey { path: String, source: io::Error },
    #[error(
        "DATABASE_URL names a file by {0:?}, which each process would look for elsewhere; write sqlite:////path"
    )]
    RelativePath(String),
    #[error("SESSION_ENGINE is {0:?}, which Narrows does not read; db, cached_db and signed_cookies it does")]
    SessionEngine(String),
}

impl Shared {
    /// Takes them from the environment; a secret key is made once where there is none, and the database is a file.
    pub(crate) fn read(data: &Path) -> Result<Self, SharedError> {
        let variable = |name| env::var(name).ok().filter(|value| !value.is_empty());
        let secret_key = match variable("SECRET_KEY") {
            Some(key) => key,
            None => kept_key(&data.join("secret_key"))?,
        };
        let file = || format!("sqlite:///{}", data.join("db.sqlite3").display());
        Ok(Self {
            secret_key,
            secret_key_fallbacks: variable("SECRET_KEY_FALLBACKS").unwrap_or_default(),
            database_url: variable("DATABASE_URL").unwrap_or_else(file),
            session_engine: variable("SESSION_ENGINE")
                .unwrap_or_else(|| "django.contrib.sessions.backends.db".to_owned()),
        })
    }

    /// For Django's process.
    pub(crate) fn variables(&self) -> [(&'static str, &str); 4] {
        [
            ("SECRET_KEY", &self.secret_key),
            ("SECRET_KEY_FALLBACKS", &self.secret_key_fallbacks),
            ("DATABASE_URL", &self.database_url),
            ("SESSION_ENGINE", &self.session_engine),
        ]
    }

    pub(crate) fn keys(&self) -> SecretKeys {
        SecretKeys::new(&self.secret_key).fallbacks(self.secret_key_fallbacks.split_whitespace())
    }

    /// The database as Narrows is told of it: of a file on this machine Django has one more slash.
    pub(crate) fn database(&self) -> Result<String, SharedError> {
        match self.database_url.strip_prefix("sqlite:///") {
            Some(path) if path.starts_with('/') => Ok(format!("sqlite://{path}")),
            Some(path) => Err(SharedError::RelativePath(path.to_owned())),
            None => Ok(self.database_url.clone()),
        }
    }

    pub(crate) fn sessions(&self) -> Result<SessionEngine, SharedError> {
        match self.session_engine.strip_prefix("django.contrib.sessions.backends.") {
            Some("db") => Ok(SessionEngine::Database),
            Some("cached_db") => Ok(SessionEngine::CachedDatabase),
            Some("signed_cookies") => Ok(SessionEngine::SignedCookies),
            _ => Err(SharedError::SessionEngine(self.session_engine.clone())),
        }
    }
}

fn kept_key(path: &Path) -> Result<String, SharedError> {
    let failed = |source| SharedError::SecretKey { path: path.display().to_string(), source };
    match fs::read_to_string(path) {
        Ok(key) => Ok(key.trim().to_owned()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let key = Alphanumeric.sample_string(&mut rand::rng(), 64);
            write_private(path, &key).map_err(failed)?;
            Ok(key)
        }
        Err(error) => Err(failed(error)),
    }
}

/// For nobody but this user's eyes.
fn write_private(path: &Path, text: &str) -> io::Result<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())
}
