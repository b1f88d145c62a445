use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use jsonwebtoken::jwk::Jwk;
use serde::Deserialize;
use serde_json::Value;

use super::key::{JwtKey, JwtKeyError};

/// A set of keys has a few KiB.
const MAX_FILE_BYTES: u64 = 1024 * 1024;

/// The keys in a file (RFC 7517), read again when the file changes.
#[derive(Debug)]
pub(super) struct Jwks {
    path: PathBuf,
    look_every: Duration,
    loaded: Mutex<Loaded>,
}

#[derive(Debug)]
struct Loaded {
    keys: Arc<[JwtKey]>,
    version: Version,
    looked: Instant,
}

/// By what a change is seen.
type Version = (SystemTime, u64);

#[derive(Deserialize)]
struct Set {
    /// As values: a key of a type that is not known does not spoil the others (RFC 7517, 5).
    keys: Vec<Value>,
}

impl Jwks {
    pub(super) fn open(path: &Path, look_every: Duration) -> Result<Self, JwtKeyError> {
        let version = version(path).map_err(JwtKeyError::File)?;
        let loaded = Loaded { keys: load(path)?, version, looked: Instant::now() };
        Ok(Self { path: path.to_owned(), look_every, loaded: Mutex::new(loaded) })
    }

    pub(super) fn keys(&self) -> Arc<[JwtKey]> {
        self.lock().keys.clone()
    }

    /// Whether it is time to look whether the file has changed. Whoever is told so looks.
    pub(super) fn is_due(&self) -> bool {
        let mut loaded = self.lock();
        let due = loaded.looked.elapsed() >= self.look_every;
        if due {
            loaded.looked = Instant::now();
        }
        due
    }

    /// Reads the file again if it has changed. Where it cannot be read, the keys stay. It blocks.
    pub(super) fn refresh(&self) {
        let changed = match version(&self.path) {
            Ok(version) => version != self.lock().version,
            Err(_) => true,
        };
        if changed && let Err(error) = self.reload() {
            tracing::warn!(
                path = %self.path.display(),
                error = &error as &dyn std::error::Error,
                "the file of keys cannot be read; the old ones stay"
            );
        }
    }

    /// Reads the file again. It blocks.
    pub(super) fn reload(&self) -> Result<(), JwtKeyError> {
        // The version first: what changes in between is seen next time.
        let version = version(&self.path).map_err(JwtKeyError::File)?;
        let keys = load(&self.path)?;
        let mut loaded = self.lock();
        (loaded.keys, loaded.version) = (keys, version);
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Loaded> {
        self.loaded.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn version(path: &Path) -> std::io::Result<Version> {
    let metadata = std::fs::metadata(path)?;
    Ok((metadata.modified()?, metadata.len()))
}

fn load(path: &Path) -> Result<Arc<[JwtKey]>, JwtKeyError> {
    let file = std::fs::File::open(path).map_err(JwtKeyError::File)?;
    let mut json = Vec::new();
    file.take(MAX_FILE_BYTES + 1).read_to_end(&mut json).map_err(JwtKeyError::File)?;
    if json.len() as u64 > MAX_FILE_BYTES {
        return Err(JwtKeyError::TooLarge);
    }
    let set: Set = serde_json::from_slice(&json).map_err(JwtKeyError::foreign)?;
    let mut keys = Vec::new();
    for key in set.keys {
        // Of a type that is not known.
        let Ok(jwk) = serde_json::from_value::<Jwk>(key) else { continue };
        keys.extend(JwtKey::from_jwk(&jwk)?);
    }
    if keys.is_empty() { Err(JwtKeyError::NoKey) } else { Ok(keys.into()) }
}
