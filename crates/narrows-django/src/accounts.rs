use std::sync::{Arc, Weak};

use narrows::{Channels, IdentityCheck};

use crate::check::AccountsCheck;
use crate::database::Database;
use crate::session::{Changed, SessionCookie, SessionEngine, SessionLayer, Store};
use crate::signing::SecretKeys;
use crate::user::{LogInSettings, UserModel};

/// A site's accounts. Clones are cheap and all the same.
#[derive(Clone)]
pub struct Accounts(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) keys: SecretKeys,
    pub(crate) database: Database,
    pub(crate) engine: SessionEngine,
    pub(crate) store: Store,
    pub(crate) session_changed: Option<Changed>,
    pub(crate) cookie: SessionCookie,
    pub(crate) model: UserModel,
    pub(crate) log_in: LogInSettings,
    /// Where sockets are ended.
    pub(crate) channels: Option<Channels>,
    /// Says which sockets still hold. One for all, so that they are asked about together.
    pub(crate) check: Option<Arc<dyn IdentityCheck>>,
}

impl Accounts {
    /// The accounts of a site with these keys, which a Django site has as `SECRET_KEY` and `SECRET_KEY_FALLBACKS`, in
    /// this database.
    pub fn builder(keys: SecretKeys, database: Database) -> AccountsBuilder {
        let (engine, cookie) = (SessionEngine::default(), SessionCookie::default());
        let store = Store::new(&engine, &database, &cookie);
        AccountsBuilder(Inner {
            keys,
            database,
            engine,
            store,
            session_changed: None,
            cookie,
            model: UserModel::default(),
            log_in: LogInSettings::default(),
            channels: None,
            check: None,
        })
    }

    /// What goes around the routes whose handlers ask for a session or a user.
    pub fn layer(&self) -> SessionLayer {
        SessionLayer::new(self.clone())
    }

    /// The database.
    pub fn database(&self) -> &Database {
        &self.0.database
    }

    /// The keys.
    pub fn keys(&self) -> &SecretKeys {
        &self.0.keys
    }

    /// The name of the session's cookie: `sessionid`, unless it was [set](AccountsBuilder::cookie).
    pub fn cookie_name(&self) -> &str {
        &self.0.cookie.name
    }

    pub(crate) fn cookie(&self) -> &SessionCookie {
        &self.0.cookie
    }

    pub(crate) fn store(&self) -> &Store {
        &self.0.store
    }

    pub(crate) fn session_changed(&self, key: &str) {
        if let Some(changed) = &self.0.session_changed {
            changed(key);
        }
    }

    /// The accounts, if any clone of them is left.
    pub(crate) fn upgrade(accounts: &Weak<Inner>) -> Option<Self> {
        accounts.upgrade().map(Self)
    }

    /// Says of sockets whether their session and their user are still what they were: for an extractor of your own that
    /// binds an [`Identity`](narrows::Identity).
    ///
    /// Of an identity with a session it asks whether the session is there and is still the user's, with a password that
    /// has not changed since. One without a session needs the [hash](crate::signing::session_auth_hash) of the user's
    /// password as its proof. Ten thousand of them are a handful of queries.
    pub fn identity_check(&self) -> Arc<dyn IdentityCheck> {
        self.0.check.clone().expect("whoever builds accounts gives them a check")
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.0
    }
}

/// Accounts on their way.
#[must_use = "`.build()` makes the accounts"]
pub struct AccountsBuilder(Inner);

impl AccountsBuilder {
    /// How sessions are kept: Django's `SESSION_ENGINE`. Default [`SessionEngine::Database`].
    pub fn sessions(mut self, engine: SessionEngine) -> Self {
        self.0.engine = engine;
        self
    }

    /// Told the key of each session that was saved or deleted here, after it was.
    ///
    /// A Django process with `cached_db` reads its cache first, and would not see the change before its entry expires:
    /// delete `:1:django.contrib.sessions.cached_db` and the key there. It is called between a request and its answer,
    /// so what takes time belongs into a task.
    pub fn on_session_change(mut self, changed: impl Fn(&str) + Send + Sync + 'static) -> Self {
        self.0.session_changed = Some(Arc::new(changed));
        self
    }

    /// The session's cookie: Django's `SESSION_COOKIE_…`.
    pub fn cookie(mut self, cookie: SessionCookie) -> Self {
        self.0.cookie = cookie;
        self
    }

    /// Where users are: Django's `AUTH_USER_MODEL`. Default the table `auth_user`.
    pub fn user_model(mut self, model: UserModel) -> Self {
        self.0.model = model;
        self
    }

    /// The node whose sockets end with their sessions.
    pub fn channels(mut self, channels: &Channels) -> Self {
        self.0.channels = Some(channels.clone());
        self
    }

    pub(crate) fn log_in_mut(&mut self) -> &mut LogInSettings {
        &mut self.0.log_in
    }

    /// Makes the accounts.
    pub fn build(mut self) -> Accounts {
        self.0.store = Store::new(&self.0.engine, &self.0.database, &self.0.cookie);
        Accounts(Arc::new_cyclic(|accounts| {
            self.0.check = Some(Arc::new(AccountsCheck::new(accounts.clone())));
            self.0
        }))
    }
}
