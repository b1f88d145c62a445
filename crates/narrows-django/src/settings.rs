use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use narrows::serve::settings::{Loaded, Program, Setting};

use crate::accounts::{Accounts, AccountsBuilder};
use crate::database::Database;
use crate::sesame::{Packer, Sesame, SesameSettings, SesameSettingsError};
use crate::session::{SameSite, SessionCookie, SessionEngine};
use crate::signing::SecretKeys;
use crate::user::{KeyKind, UserModel};

/// Django's `SESSION_COOKIE_AGE`.
const TWO_WEEKS: Duration = Duration::from_secs(14 * 24 * 60 * 60);

/// A site's accounts as a program's flags, environment or file say them.
///
/// ```
/// use narrows::serve::settings::{Command, Program, Settings};
/// use narrows_django::{AccountSettings, SessionEngine};
///
/// let program = AccountSettings::add_to(Program::new("chat", "1.0.0"));
/// let environment = [("DATABASE_URL", "postgres://db/site"), ("SECRET_KEY", "of the Django site")];
/// let Command::Run(loaded) = Settings::load(&program, ["--session-engine=cached_db"], environment)? else {
///     return Ok(());
/// };
/// let settings = AccountSettings::read(&loaded)?;
/// assert_eq!(settings.database_url.as_deref(), Some("postgres://db/site"));
/// assert_eq!(settings.engine, SessionEngine::CachedDatabase);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// With [`keys`](Self::keys) and a [`Database`], [`accounts`](Self::accounts) makes the accounts of them.
#[derive(Clone)]
#[non_exhaustive]
pub struct AccountSettings {
    /// Where the database is: `sqlite://path`, `postgres://…` or `mysql://…`. Default none.
    pub database_url: Option<String>,
    /// The secret keys: Django's `SECRET_KEY` and `SECRET_KEY_FALLBACKS`. Default none.
    pub keys: Option<SecretKeys>,
    /// How sessions are kept. Default in the database.
    pub engine: SessionEngine,
    /// Their cookie. Default Django's.
    pub cookie: SessionCookie,
    /// Where users are. Default the table `auth_user`.
    pub model: UserModel,
    /// How tokens of django-sesame are made. Default as there.
    pub sesame: SesameSettings,
}

impl AccountSettings {
    /// Adds the settings to a program: `database_url`, which is read from the bare variable `DATABASE_URL` too, and those
    /// named after Django's own. `secret_key` and `secret_key_fallbacks` are the server's: one secret is enough for both.
    ///
    /// # Panics
    /// When the program has a setting of such a name already.
    #[must_use]
    pub fn add_to(program: Program) -> Program {
        let user = UserModel::default();
        let database = Setting::text(
            "database_url",
            "",
            "The accounts' database: sqlite://path, postgres://…, mysql://…",
        );
        program
            .setting(database.variable("DATABASE_URL").secret())
            .setting(Setting::choice(
                "session_engine",
                &["db", "cached_db", "signed_cookies", "file"],
                "db",
                "How sessions are kept: the last word of SESSION_ENGINE",
            ))
            .setting(Setting::text("session_file_path", "", "Where they are with the engine file: SESSION_FILE_PATH"))
            .setting(Setting::text("session_cookie_name", "sessionid", "Its cookie: SESSION_COOKIE_NAME"))
            .setting(Setting::duration("session_cookie_age", TWO_WEEKS, "For how long it holds: SESSION_COOKIE_AGE"))
            .setting(Setting::switch("session_cookie_secure", "Over TLS alone: SESSION_COOKIE_SECURE"))
            .setting(Setting::choice(
                "session_cookie_samesite",
                &["lax", "strict", "none", "unset"],
                "lax",
                "On which requests from other sites it is sent: SESSION_COOKIE_SAMESITE; False there is unset here",
            ))
            .setting(Setting::text("session_cookie_domain", "", "Whose subdomains see it, too: SESSION_COOKIE_DOMAIN"))
            .setting(Setting::text("user_table", &user.table, "The table of the users: AUTH_USER_MODEL"))
            .setting(Setting::text("user_key", &user.key, "The column of their primary key"))
            .setting(Setting::choice(
                "user_key_kind",
                &["integer", "big_integer", "uuid", "text"],
                "integer",
                "What type that is",
            ))
            .setting(Setting::text("username_column", &user.username, "The column of their names: USERNAME_FIELD"))
            .setting(Setting::text("sesame_token_name", "sesame", "A token's name in a link: SESAME_TOKEN_NAME"))
            .setting(Setting::duration(
                "sesame_max_age",
                Duration::ZERO,
                "How long a token is believed: SESAME_MAX_AGE; off is for ever",
            ))
            .setting(Setting::switch("sesame_one_time", "A log-in ends the tokens before it: SESAME_ONE_TIME"))
            .setting(Setting::text("sesame_key", "", "SESAME_KEY: another one ends all tokens").secret())
    }

    /// Reads what was set.
    ///
    /// # Errors
    /// [`AccountSettingsError`] names the setting that is wrong or missing.
    ///
    /// # Panics
    /// When the program does not have these settings.
    pub fn read(loaded: &Loaded) -> Result<Self, AccountSettingsError> {
        let set = |name| Some(loaded.text(name)).filter(|text| !text.is_empty());
        let fallbacks = loaded.list("secret_key_fallbacks");
        let keys = set("secret_key").map(|key| SecretKeys::new(key).fallbacks(fallbacks));
        if keys.is_none() && !fallbacks.is_empty() {
            return Err(AccountSettingsError::OnlyFallbacks);
        }
        let engine = match loaded.text("session_engine") {
            "cached_db" => SessionEngine::CachedDatabase,
            "signed_cookies" => SessionEngine::SignedCookies,
            "file" => {
                let path = set("session_file_path").ok_or(AccountSettingsError::NoFilePath)?;
                SessionEngine::Files(PathBuf::from(path))
            }
            _ => SessionEngine::Database,
        };
        let model = model(loaded);
        let sesame = sesame(loaded, &model);
        let database_url = set("database_url").map(str::to_owned);
        Ok(Self { database_url, keys, engine, cookie: cookie(loaded)?, model, sesame })
    }

    /// Accounts with these settings.
    pub fn accounts(&self, keys: SecretKeys, database: Database) -> AccountsBuilder {
        Accounts::builder(keys, database)
            .sessions(self.engine.clone())
            .cookie(self.cookie.clone())
            .user_model(self.model.clone())
    }

    /// What reads and makes the tokens of django-sesame, for [`SesameWay`](crate::ways::SesameWay).
    ///
    /// # Errors
    /// When the settings contradict each other.
    pub fn sesame(&self, keys: &SecretKeys) -> Result<Sesame, SesameSettingsError> {
        Sesame::new(self.sesame.clone(), keys)
    }
}

fn cookie(loaded: &Loaded) -> Result<SessionCookie, AccountSettingsError> {
    let (name, domain) = (loaded.text("session_cookie_name"), loaded.text("session_cookie_domain"));
    // What the cookie's own setters would panic about.
    let in_name = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if name.is_empty() || !name.bytes().all(in_name) {
        return Err(AccountSettingsError::CookieName);
    }
    let same_site = match loaded.text("session_cookie_samesite") {
        "strict" => SameSite::Strict,
        "none" => SameSite::None,
        "unset" => SameSite::Unset,
        _ => SameSite::Lax,
    };
    let cookie = SessionCookie::default()
        .name(name)
        .age(loaded.duration("session_cookie_age"))
        .secure(loaded.switch("session_cookie_secure"))
        .same_site(same_site);
    match domain.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte)) {
        true if domain.is_empty() => Ok(cookie),
        true => Ok(cookie.domain(domain)),
        false => Err(AccountSettingsError::CookieDomain),
    }
}

fn model(loaded: &Loaded) -> UserModel {
    UserModel {
        table: loaded.text("user_table").to_owned(),
        key: loaded.text("user_key").to_owned(),
        key_kind: match loaded.text("user_key_kind") {
            "big_integer" => KeyKind::BigInteger,
            "uuid" => KeyKind::Uuid,
            "text" => KeyKind::Text,
            _ => KeyKind::Integer,
        },
        username: loaded.text("username_column").to_owned(),
        ..UserModel::default()
    }
}

fn sesame(loaded: &Loaded, model: &UserModel) -> SesameSettings {
    SesameSettings {
        token_name: loaded.text("sesame_token_name").to_owned(),
        max_age: Some(loaded.duration("sesame_max_age")).filter(|age| *age > Duration::ZERO),
        one_time: loaded.switch("sesame_one_time"),
        key: loaded.text("sesame_key").to_owned(),
        packer: Packer::from(model.key_kind),
        ..SesameSettings::default()
    }
}

impl fmt::Debug for AccountSettings {
    /// Without the database's address, which may hold a password, and the keys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut d = f.debug_struct("AccountSettings");
        d.field("engine", &self.engine).field("model", &self.model).finish_non_exhaustive()
    }
}

/// Why settings make no accounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AccountSettingsError {
    /// `secret_key_fallbacks` without `secret_key`.
    #[error("secret_key_fallbacks: there is no secret_key beside them, and they sign nothing")]
    OnlyFallbacks,
    /// `session_engine` is `file`, without `session_file_path`.
    #[error("session_file_path: the session engine file needs a folder")]
    NoFilePath,
    /// `session_cookie_name`.
    #[error("session_cookie_name: no cookie can have this name")]
    CookieName,
    /// `session_cookie_domain`.
    #[error("session_cookie_domain: this is no domain")]
    CookieDomain,
}
