use std::collections::HashMap;

use axum::extract::FromRequestParts;
use chrono::{DateTime, Utc};
use http::request::Parts;
use narrows::Identity;

use super::layer::Asked;
use super::{Session, Store, Values, codec};
use crate::accounts::Accounts;
use crate::database::DatabaseError;
use crate::error::Refused;

impl<S: Send + Sync> FromRequestParts<S> for Session {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Refused> {
        let Asked(session) = parts.extensions.get::<Asked>().cloned().ok_or(Refused::NoLayer)?;
        session.set_accessed(true);
        session.load().await?;
        if parts.extensions.get::<Identity>().is_none()
            && let Some(identity) = session.accounts().identity_of_session(&session)
        {
            identity.bind_to_cookie(parts, &session.accounts().cookie().name);
        }
        Ok(session)
    }
}

impl Session {
    /// The session and the user of a request whose answer does not depend on them yet: whoever uses them says `vary: cookie` itself.
    #[doc(hidden)]
    pub async fn of_reader<S: Send + Sync>(
        parts: &mut Parts,
        state: &S,
    ) -> Result<(Self, Option<crate::User>), Refused> {
        let Asked(session) = parts.extensions.get::<Asked>().cloned().ok_or(Refused::NoLayer)?;
        let before = session.was_accessed();
        let user = crate::MaybeUser::from_request_parts(parts, state).await;
        session.set_accessed(before);
        Ok((session, user?.0))
    }
}

/// How many sessions are decoded, or compared with their users, before others have their turn on the thread: a check is
/// for thousands at once, and runs where connections are served.
pub(crate) const AT_ONCE: usize = 64;

/// What is kept of some sessions: what is in each, and when it ends.
pub(crate) type Found = HashMap<String, (Values, DateTime<Utc>)>;

impl Accounts {
    /// The session with this key, outside of a request: for work in the background, or a test. Where there is none it is
    /// a new one.
    ///
    /// # Errors
    /// When the database is away.
    ///
    /// # Cancel safety
    /// Cancel safe.
    pub async fn session(&self, key: Option<&str>) -> Result<Session, DatabaseError> {
        let session = Session::new(self.clone(), key);
        session.load().await?;
        Ok(session)
    }

    /// Deletes what is kept of sessions that are over, as Django's `clearsessions` does, and says how many that were. A
    /// site does it once a day or so.
    ///
    /// # Errors
    /// When the database is away.
    ///
    /// # Cancel safety
    /// Cancel safe.
    pub async fn clear_expired_sessions(&self) -> Result<u64, DatabaseError> {
        match self.store() {
            Store::Rows(rows) => rows.clear_expired().await,
            Store::Cookies => Ok(0),
            Store::Files(files) => {
                let mut cleared = 0;
                for key in files.keys().await? {
                    // One that is over is deleted when it is loaded.
                    cleared += u64::from(self.session(Some(&key)).await?.expires().is_none());
                }
                Ok(cleared)
            }
        }
    }

    /// The sessions with these keys, without those that are not there or over.
    pub(crate) async fn sessions_by_keys(&self, keys: &[&str]) -> Result<Found, DatabaseError> {
        match self.store() {
            Store::Rows(rows) => {
                let found = rows.read_many(keys.iter().map(|key| (*key).to_owned()).collect()).await?;
                let mut decoded = Found::with_capacity(found.len());
                for (key, (text, expires)) in found {
                    decoded.insert(key, (codec::decode(&text, self.keys()), expires));
                    if decoded.len().is_multiple_of(AT_ONCE) {
                        tokio::task::yield_now().await;
                    }
                }
                Ok(decoded)
            }
            Store::Files(_) => {
                let mut found = Found::new();
                for key in keys {
                    let session = self.session(Some(key)).await?;
                    found.extend(session.into_found(key));
                }
                Ok(found)
            }
            Store::Cookies => Ok(Found::new()),
        }
    }

    /// Whose a connection is that came with this session: `None` where the session was never saved.
    pub(crate) fn identity_of_session(&self, session: &Session) -> Option<Identity> {
        let identity = Identity::new().until(session.expires()?).checked_by(self.identity_check(), "");
        Some(match session.key() {
            Some(key) => identity.with_session(key),
            None => identity,
        })
    }
}
