use std::fmt;
use std::sync::Arc;

/// The secrets of a site: what signs, and what signed before (Django's `SECRET_KEY` and `SECRET_KEY_FALLBACKS`).
#[derive(Clone, PartialEq, Eq)]
pub struct SecretKeys {
    current: Arc<str>,
    fallbacks: Arc<[String]>,
}

impl SecretKeys {
    /// With this key and no other.
    pub fn new(secret_key: &str) -> Self {
        Self { current: secret_key.into(), fallbacks: Arc::default() }
    }

    /// With keys that only verify.
    #[must_use]
    pub fn fallbacks<S: Into<String>>(mut self, fallbacks: impl IntoIterator<Item = S>) -> Self {
        self.fallbacks = fallbacks.into_iter().map(Into::into).collect();
        self
    }

    /// The key that signs.
    pub fn current(&self) -> &str {
        &self.current
    }

    /// All keys, the one that signs first.
    pub fn all(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&*self.current).chain(self.fallbacks.iter().map(String::as_str))
    }
}

impl fmt::Debug for SecretKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretKeys").finish_non_exhaustive()
    }
}
