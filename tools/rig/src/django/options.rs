use std::path::Path;

use serde_json::{Map, Value, json};

use super::Django;
use crate::python::PythonProcess;

/// What stands in the settings of a [`Django`].
#[derive(Clone, Debug)]
pub struct DjangoOptions {
    database: String,
    user_model: &'static str,
    cache: Option<String>,
    channel_layers: Map<String, Value>,
    apps: Vec<&'static str>,
    settings: Map<String, Value>,
}

impl DjangoOptions {
    pub(crate) fn new(database: &str) -> Self {
        let this = Self {
            database: database.to_owned(),
            user_model: "auth.User",
            cache: None,
            channel_layers: Map::new(),
            apps: Vec::new(),
            settings: Map::new(),
        };
        this.secret_key(Django::SECRET_KEY)
    }

    /// `SECRET_KEY`; [`Django::SECRET_KEY`] otherwise.
    #[must_use]
    pub fn secret_key(self, key: &str) -> Self {
        self.set("SECRET_KEY", key)
    }

    /// `SECRET_KEY_FALLBACKS`.
    #[must_use]
    pub fn secret_key_fallbacks(self, keys: &[&str]) -> Self {
        self.set("SECRET_KEY_FALLBACKS", keys)
    }

    /// `SESSION_ENGINE`: `db`, which it is otherwise, `cached_db`, `cache`, `signed_cookies`, or `file`, see
    /// [`session_files`](Self::session_files).
    #[must_use]
    pub fn session_engine(self, name: &str) -> Self {
        self.set("SESSION_ENGINE", format!("django.contrib.sessions.backends.{name}"))
    }

    /// The engine `file`, in this folder.
    #[must_use]
    pub fn session_files(self, folder: &Path) -> Self {
        self.session_engine("file").set("SESSION_FILE_PATH", folder.to_string_lossy())
    }

    /// `SESSION_COOKIE_NAME`; `sessionid` otherwise.
    #[must_use]
    pub fn cookie_name(self, name: &str) -> Self {
        self.set("SESSION_COOKIE_NAME", name)
    }

    /// Django's cache is in this Redis; it is in the memory of the process otherwise.
    #[must_use]
    pub fn redis_cache(mut self, url: &str) -> Self {
        self.cache = Some(url.to_owned());
        self
    }

    /// `PASSWORD_HASHERS`, the one that writes first: `PBKDF2PasswordHasher`, `Argon2PasswordHasher` and so on.
    #[must_use]
    pub fn hashers(self, names: &[&str]) -> Self {
        let paths: Vec<String> =
            names.iter().map(|name| format!("django.contrib.auth.hashers.{name}")).collect();
        self.set("PASSWORD_HASHERS", paths)
    }

    /// `PASSWORD_HASHERS` for all six algorithms of Django's, PBKDF2 over SHA-256 first, as in Django but at almost no cost:
    /// 1000 iterations of PBKDF2, and the like.
    #[must_use]
    pub fn quick_hashers(self) -> Self {
        let names = ["PBKDF2", "PBKDF2SHA1", "Argon2", "BCryptSHA256", "BCrypt", "Scrypt"];
        self.set("PASSWORD_HASHERS", names.map(|name| format!("quick.{name}")).to_vec())
    }

    /// Users whose primary key is a UUID, in `uuid_users_user`.
    #[must_use]
    pub fn uuid_users(self) -> Self {
        self.user_model("uuid_users.User")
    }

    /// Users whose primary key has 64 bits, in `big_users_user`.
    #[must_use]
    pub fn big_users(self) -> Self {
        self.user_model("big_users.User")
    }

    /// Users who log in with an email address and have no other name, in `email_users_user`.
    #[must_use]
    pub fn email_users(self) -> Self {
        self.user_model("email_users.User")
    }

    /// With the tokens of Django REST framework, in `authtoken_token`.
    #[must_use]
    pub fn rest_tokens(mut self) -> Self {
        self.apps.extend(["rest_framework", "rest_framework.authtoken"]);
        self
    }

    /// The default channel layer: the core one of channels_redis on this Redis.
    #[must_use]
    pub fn channel_layer(mut self, url: &str) -> Self {
        let layer = json!({"BACKEND": "channels_redis.core.RedisChannelLayer", "CONFIG": {"hosts": [url]}});
        self.channel_layers.insert("default".to_owned(), layer);
        self
    }

    /// Any other setting.
    #[must_use]
    pub fn set(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.settings.insert(name.to_owned(), value.into());
        self
    }

    /// Starts the site, whose database may still be empty; `None` where `cargo xtask install` has not made its virtual
    /// environment.
    ///
    /// # Panics
    ///
    /// When it is missing and [`programs::required`].
    #[must_use]
    pub fn start(self) -> Option<Django> {
        let options = json!({
            "database": self.database,
            "user_model": self.user_model,
            "cache": self.cache,
            "channel_layers": self.channel_layers,
            "apps": self.apps,
            "settings": self.settings,
        });
        PythonProcess::start("website.py", Some(&options)).map(Django::new)
    }

    /// The same, with all tables made by Django's migrations.
    ///
    /// # Panics
    ///
    /// As [`start`](Self::start), and when Django cannot make the tables.
    #[must_use]
    pub fn migrated(self) -> Option<Django> {
        let django = self.start()?;
        django.migrate().wait().unwrap_or_else(|error| panic!("no tables: {error}"));
        Some(django)
    }

    fn user_model(mut self, name: &'static str) -> Self {
        self.user_model = name;
        self
    }
}
