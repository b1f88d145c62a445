//! What accounts know of how users log in.

use crate::accounts::AccountsBuilder;
use crate::password::{HashThreads, Hashing, PasswordRules, Pool};

use super::throttle::{Throttle, ThrottleSettings};

/// Django's default `AUTHENTICATION_BACKENDS`.
const MODEL_BACKEND: &str = "django.contrib.auth.backends.ModelBackend";

/// How users log in.
#[derive(Debug)]
pub(crate) struct LogInSettings {
    pub(crate) hashing: Hashing,
    pub(crate) pool: Pool,
    pub(crate) rules: PasswordRules,
    pub(crate) throttle: Throttle,
    pub(crate) backends: Vec<String>,
}

impl LogInSettings {
    /// The backend that our own log-ins name.
    pub(super) fn backend(&self) -> &str {
        self.backends.first().map_or(MODEL_BACKEND, String::as_str)
    }
}

impl Default for LogInSettings {
    fn default() -> Self {
        Self {
            hashing: Hashing::default(),
            pool: Pool::new(HashThreads::default()),
            rules: PasswordRules::default(),
            throttle: Throttle::new(ThrottleSettings::default()),
            backends: vec![MODEL_BACKEND.to_owned()],
        }
    }
}

impl AccountsBuilder {
    /// How passwords are kept: Django's `PASSWORD_HASHERS`. Default PBKDF2 as in Django 6.0.
    pub fn hashing(mut self, hashing: Hashing) -> Self {
        self.log_in_mut().hashing = hashing;
        self
    }

    /// How many passwords are hashed at once, and how many wait.
    pub fn hash_threads(mut self, threads: HashThreads) -> Self {
        self.log_in_mut().pool = Pool::new(threads);
        self
    }

    /// What a new password must be: Django's `AUTH_PASSWORD_VALIDATORS`.
    pub fn password_rules(mut self, rules: PasswordRules) -> Self {
        self.log_in_mut().rules = rules;
        self
    }

    /// How many log-ins may fail.
    pub fn throttle(mut self, settings: ThrottleSettings) -> Self {
        self.log_in_mut().throttle = Throttle::new(settings);
        self
    }

    /// Whose log-ins count: Django's `AUTHENTICATION_BACKENDS`. A session that names another one is nobody's; our own
    /// log-ins name the first. Default `django.contrib.auth.backends.ModelBackend`.
    ///
    /// ```
    /// # async fn example(database: narrows_django::Database) {
    /// use narrows_django::{Accounts, SecretKeys};
    ///
    /// let accounts = Accounts::builder(SecretKeys::new("…"), database)
    ///     .backends(["django.contrib.auth.backends.ModelBackend", "allauth.account.auth_backends.AuthenticationBackend"])
    ///     .build();
    /// # }
    /// ```
    pub fn backends<S: Into<String>>(mut self, paths: impl IntoIterator<Item = S>) -> Self {
        self.log_in_mut().backends = paths.into_iter().map(Into::into).collect();
        self
    }
}
