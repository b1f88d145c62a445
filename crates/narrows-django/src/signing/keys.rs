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
    ///
    /// Everybody knows the empty one, with which Django does not start. Here a key that only this process knows takes
    /// its place, with a warning: what was signed is void after a restart, and nobody can forge it.
    pub fn new(secret_key: &str) -> Self {
        let current: Arc<str> = if secret_key.is_empty() {
            tracing::warn!("the secret key is empty; one that only this process knows takes its place");
            format!("{:032x}{:032x}", rand::random::<u128>(), rand::random::<u128>()).into()
        } else {
            secret_key.into()
        };
        Self { current, fallbacks: Arc::default() }
    }

    /// With keys that only verify; empty ones are none.
    #[must_use]
    pub fn fallbacks<S: Into<String>>(mut self, fallbacks: impl IntoIterator<Item = S>) -> Self {
        self.fallbacks = fallbacks.into_iter().map(Into::into).filter(|key| !key.is_empty()).collect();
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
