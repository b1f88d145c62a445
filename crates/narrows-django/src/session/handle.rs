use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::store::{Change, Expires, Put};
use super::{SaveError, SessionCookie, Store, Values, codec, expiry, key};
use crate::accounts::Accounts;
use crate::database::DatabaseError;

/// What the server keeps for one browser. Clones are cheap and all the same.
///
/// As an extractor it never fails for a bad cookie: that is an empty session. A socket that asks for one belongs to it.
///
/// ```
/// use narrows_django::Session;
///
/// async fn visits(session: Session) -> Result<String, serde_json::Error> {
///     let visits = session.get::<u32>("visits").unwrap_or_default() + 1;
///     session.insert("visits", visits)?;
///     Ok(format!("visit {visits}"))
/// }
/// ```
///
/// What changed is saved with the answer, as a whole: of two requests at the same time the later answer wins, as in
/// Django. A socket's handshake is an answer, too; afterwards its consumer calls [`save`](Self::save). What is in a
/// session is as it was when it was first asked for in this request, or at the handshake.
#[derive(Clone)]
pub struct Session(Arc<Shared>);

struct Shared {
    accounts: Accounts,
    state: Mutex<State>,
    /// Held while the store is asked: one load, and saves one after the other.
    asking: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct State {
    /// What the browser said, or what the store made of it. For a session in its cookie the cookie's text.
    key: Option<String>,
    values: Values,
    /// Whether `values` are those of the store.
    loaded: bool,
    modified: bool,
    /// Whether an extractor asked for it: the answer then depends on it.
    accessed: bool,
    /// Whether it was saved through this handle: the browser is told again of its cookie.
    saved: bool,
    /// Counts what modified it: a save leaves what came during it for the next one.
    changes: u64,
    flushes: u64,
    /// Deleted at the next save, and in any case with the answer.
    flushed: Vec<String>,
    /// The key before `cycle_key`, deleted once the session has the next one.
    replaced: Option<String>,
    /// When what was loaded or saved ends.
    expires: Option<DateTime<Utc>>,
}

/// A save on its way, and how the session was when it began.
struct Save {
    change: Change,
    /// The keys that the change deletes.
    gone: Vec<String>,
    is_new: bool,
    /// When what is put ends.
    expires: Option<DateTime<Utc>>,
    changes: u64,
    flushes: u64,
}

impl Session {
    /// The one with this key, or cookie's text, without asking for it yet.
    pub(crate) fn new(accounts: Accounts, cookie: Option<&str>) -> Self {
        let possible = |text: &&str| match accounts.store() {
            Store::Cookies => !text.is_empty(),
            Store::Rows(_) | Store::Files(_) => key::can_be_key(text),
        };
        let key = cookie.filter(possible).map(str::to_owned);
        let state = Mutex::new(State { key, ..State::default() });
        Self(Arc::new(Shared { accounts, state, asking: tokio::sync::Mutex::default() }))
    }

    /// Asks for what is in it, once.
    pub(crate) async fn load(&self) -> Result<(), DatabaseError> {
        if self.state().loaded {
            return Ok(());
        }
        let _asking = self.0.asking.lock().await;
        let key = match &*self.state() {
            State { loaded: true, .. } => return Ok(()),
            state => state.key.clone(),
        };
        let found = match &key {
            Some(key) => self.find(key).await?,
            None => None,
        };
        let mut state = self.state();
        state.loaded = true;
        match found {
            Some((values, expires)) => {
                state.values = values;
                state.expires = Some(expires);
            }
            // An unknown key is not kept: nobody chooses the key that somebody else will have.
            None => state.key = None,
        }
        Ok(())
    }

    async fn find(&self, key: &str) -> Result<Option<(Values, DateTime<Utc>)>, DatabaseError> {
        let (accounts, cookie) = (&self.0.accounts, self.cookie());
        let now = Utc::now();
        if let Store::Cookies = accounts.store() {
            let values = codec::decode_cookie(key, accounts.keys(), cookie.age);
            return Ok(values.map(|values| {
                let expires = expiry::date(&values, cookie, now);
                (values, expires)
            }));
        }
        let Some(kept) = accounts.store().read(key).await? else { return Ok(None) };
        // An empty file is one that is being made.
        let values =
            if kept.text.is_empty() { Values::new() } else { codec::decode(&kept.text, accounts.keys()) };
        let expires = match kept.expires {
            Expires::At(time) => time,
            Expires::SavedAt(saved) => expiry::date(&values, cookie, saved),
        };
        if expires > now {
            return Ok(Some((values, expires)));
        }
        let over = Change { delete: vec![key.to_owned()], put: None };
        match accounts.store().apply(over).await {
            Ok(_) => Ok(None),
            Err(SaveError::Unavailable(error)) => Err(error),
            Err(SaveError::Deleted | SaveError::Content(_)) => Ok(None),
        }
    }

    /// A value, where there is one of that shape.
    pub fn get<T: DeserializeOwned>(&self, key: &str) -> Option<T> {
        self.state().values.get(key)
    }

    /// Sets a value.
    ///
    /// # Errors
    /// When it cannot be written as JSON.
    pub fn insert<T: Serialize>(&self, key: &str, value: T) -> Result<(), serde_json::Error> {
        let mut state = self.state();
        state.values.insert(key, &value)?;
        state.touch();
        Ok(())
    }

    /// Takes a value out.
    pub fn remove(&self, key: &str) -> Option<Value> {
        let mut state = self.state();
        let removed = state.values.remove(key);
        if removed.is_some() {
            state.touch();
        }
        removed
    }

    /// Whether there is such a value.
    pub fn contains(&self, key: &str) -> bool {
        self.state().values.contains(key)
    }

    /// The names of all values, Django's own among them.
    pub fn keys(&self) -> Vec<String> {
        self.state().values.names().map(str::to_owned).collect()
    }

    /// Takes all values out, and keeps the key.
    pub fn clear(&self) {
        let mut state = self.state();
        state.values.clear();
        state.touch();
    }

    /// Empties it; its row is deleted and its cookie, too, with the answer, whatever that is. What Django calls `flush`.
    /// What is put in afterwards makes a new session.
    pub fn flush(&self) {
        let mut state = self.state();
        state.values.clear();
        state.touch();
        let gone: Vec<String> = [state.key.take(), state.replaced.take()].into_iter().flatten().collect();
        state.flushed.extend(gone);
        state.flushes += 1;
        state.expires = None;
    }

    /// Gives it another key and keeps what is in it, when it is saved: against session fixation.
    pub fn cycle_key(&self) {
        let mut state = self.state();
        state.touch();
        if let Some(key) = state.key.take() {
            // Cycled twice before a save, it still has one row.
            state.replaced.get_or_insert(key);
        }
    }

    /// Lets it end after so much time without a save, whatever [`SessionCookie::age`] says.
    pub fn expire_after(&self, time: Duration) {
        // Nought would be the browser's end.
        let time = time.max(Duration::from_secs(1));
        self.set_expiry(&expiry::after(time));
    }

    /// Lets it end at this time.
    pub fn expire_at(&self, time: SystemTime) {
        self.set_expiry(&expiry::at(time.into()));
    }

    /// Lets its cookie end with the browser. The server keeps it for [`SessionCookie::age`] after a save.
    pub fn expire_at_browser_close(&self) {
        self.set_expiry(&0.into());
    }

    /// Lets it end as the site says.
    pub fn expire_by_default(&self) {
        self.remove(expiry::KEY);
    }

    /// For how long it will hold when it is saved now: Django's `get_expiry_age`. Nothing where it is over.
    pub fn expiry_age(&self) -> Duration {
        let age = expiry::age(&self.state().values, self.cookie(), Utc::now());
        Duration::from_secs(u64::try_from(age).unwrap_or_default())
    }

    /// Whether its cookie ends with the browser: Django's `get_expire_at_browser_close`.
    pub fn expires_at_browser_close(&self) -> bool {
        expiry::at_browser_close(&self.state().values, self.cookie())
    }

    /// When what is kept of it ends, where anything is.
    pub fn expires(&self) -> Option<SystemTime> {
        self.state().expires.map(Into::into)
    }

    /// Whether something in it changed that is not saved.
    pub fn is_modified(&self) -> bool {
        self.state().modified
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.state().values.is_empty()
    }

    /// Its key, if it was saved before. A session in its cookie has none.
    pub fn key(&self) -> Option<String> {
        match self.0.accounts.store() {
            Store::Cookies => None,
            Store::Rows(_) | Store::Files(_) => self.state().key.clone(),
        }
    }

    /// Saves it now. With an answer that is not a server's error it is saved anyway when it changed.
    ///
    /// What is empty and was never saved is not saved now, either. A session in its cookie can only be saved with an
    /// answer.
    ///
    /// # Errors
    /// When it was deleted meanwhile, or the database is away.
    ///
    /// # Cancel safety
    /// What was begun is done to its end, but of a new key this handle may not learn: better not dropped.
    pub async fn save(&self) -> Result<(), SaveError> {
        let _asking = self.0.asking.lock().await;
        let accounts = &self.0.accounts;
        let begun = self.begin_save()?;
        let in_cookie = match (accounts.store(), &begun.change.put) {
            (Store::Cookies, Some(put)) => Some(put.text.clone()),
            _ => None,
        };
        let put = accounts.store().apply(begun.change).await?;
        if in_cookie.is_none() {
            begun.gone.iter().chain(&put).for_each(|key| accounts.session_changed(key));
        }
        let mut state = self.state();
        state.saved = true;
        state.flushed.retain(|key| !begun.gone.contains(key));
        if state.replaced.as_ref().is_some_and(|key| begun.gone.contains(key)) {
            state.replaced = None;
        }
        if state.changes == begun.changes {
            state.modified = false;
        }
        if state.flushes == begun.flushes {
            if let Some(text) = in_cookie {
                state.key = Some(text);
            } else if begun.is_new {
                state.key = put;
            }
            state.expires = begun.expires;
        } else if begun.is_new {
            // Flushed while it was written, under a key that the flush could not know.
            state.flushed.extend(put);
        }
        Ok(())
    }

    fn begin_save(&self) -> Result<Save, serde_json::Error> {
        let state = self.state();
        let expires = expiry::date(&state.values, self.cookie(), Utc::now());
        let mut delete = state.flushed.clone();
        // A new session that was emptied again has nothing to keep.
        let put = if state.loaded && (state.key.is_some() || !state.values.is_empty()) {
            let text = self.encode(&state.values)?;
            Some(Put { key: state.key.clone(), text, expires, replaces: state.replaced.clone() })
        } else {
            delete.extend(state.replaced.clone());
            None
        };
        let replaces = put.iter().filter_map(|put| put.replaces.as_ref());
        Ok(Save {
            gone: delete.iter().chain(replaces).cloned().collect(),
            is_new: put.as_ref().is_some_and(|put| put.key.is_none()),
            expires: put.is_some().then_some(expires),
            change: Change { delete, put },
            changes: state.changes,
            flushes: state.flushes,
        })
    }

    fn encode(&self, values: &Values) -> Result<String, serde_json::Error> {
        let keys = self.0.accounts.keys();
        match self.0.accounts.store() {
            Store::Cookies => codec::encode_cookie(values, keys),
            Store::Rows(_) | Store::Files(_) => codec::encode(values, keys),
        }
    }

    /// Deletes what was flushed, and nothing else: an answer that is an error saves nothing, but a log-out holds.
    pub(super) async fn save_flushes(&self) -> Result<(), SaveError> {
        let _asking = self.0.asking.lock().await;
        let delete = self.state().flushed.clone();
        if delete.is_empty() {
            return Ok(());
        }
        self.0.accounts.store().apply(Change { delete: delete.clone(), put: None }).await?;
        self.state().flushed.retain(|key| !delete.contains(key));
        delete.iter().for_each(|key| self.0.accounts.session_changed(key));
        Ok(())
    }

    /// Whether it was saved in this request.
    pub(super) fn was_saved(&self) -> bool {
        self.state().saved
    }

    /// Whether it was asked for in this request.
    pub(crate) fn was_accessed(&self) -> bool {
        self.state().accessed
    }

    pub(crate) fn set_accessed(&self, accessed: bool) {
        self.state().accessed = accessed;
    }

    /// How often it was changed in this request.
    pub(crate) fn changes(&self) -> u64 {
        self.state().changes
    }

    /// Whether there is neither a key nor a value: `is_empty` of Django.
    pub(super) fn is_nothing(&self) -> bool {
        let state = self.state();
        state.key.is_none() && state.replaced.is_none() && state.values.is_empty()
    }

    /// What its cookie says, after a save.
    pub(super) fn cookie_value(&self) -> Option<String> {
        self.state().key.clone()
    }

    /// The seconds of its cookie, or none where it ends with the browser.
    pub(super) fn cookie_age(&self, now: DateTime<Utc>) -> Option<i64> {
        let state = self.state();
        let at_browser_close = expiry::at_browser_close(&state.values, self.cookie());
        (!at_browser_close).then(|| expiry::age(&state.values, self.cookie(), now))
    }

    /// What was found under this key.
    pub(super) fn into_found(self, key: &str) -> Option<(String, (Values, DateTime<Utc>))> {
        let state = self.state();
        Some((key.to_owned(), (state.values.clone(), state.expires?)))
    }

    pub(crate) fn accounts(&self) -> &Accounts {
        &self.0.accounts
    }

    fn cookie(&self) -> &SessionCookie {
        self.0.accounts.cookie()
    }

    fn set_expiry(&self, expiry: &Value) {
        self.insert(expiry::KEY, expiry).expect("texts and whole numbers are JSON");
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn touch(&mut self) {
        self.modified = true;
        self.changes += 1;
    }
}

impl fmt::Debug for Session {
    /// Without key and values, which are secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state();
        f.debug_struct("Session").field("modified", &state.modified).finish_non_exhaustive()
    }
}
