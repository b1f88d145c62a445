//! In and out (`django.contrib.auth.login` and `logout`), and whose a session is (`get_user`).

use chrono::Utc;
use subtle::ConstantTimeEq;

use super::{User, UserId};
use crate::accounts::Accounts;
use crate::database::{DatabaseError, time_value};
use crate::session::{SaveError, Session};
use crate::signing::{AuthHash, session_auth_hash, verify_session_auth_hash};

/// What Django calls the user's part of a session.
pub(crate) const ID: &str = "_auth_user_id";
pub(crate) const BACKEND: &str = "_auth_user_backend";
pub(crate) const HASH: &str = "_auth_user_hash";

impl Accounts {
    /// Logs a user in: the session is theirs from here on, here and on a Django site with the same table.
    ///
    /// What was in it stays, under a new key; but where it was another user's, or theirs from before a change of
    /// password, it is emptied first.
    ///
    /// # Errors
    /// When the database is away. The session is unchanged then.
    ///
    /// # Cancel safety
    /// Given up, the user may have been logged in, or not.
    pub async fn log_in(&self, session: &Session, user: &User) -> Result<(), SaveError> {
        self.note_log_in(user).await?;
        let hash = session_auth_hash(&user.password, self.keys().current());
        match session.get::<String>(ID) {
            None => session.cycle_key(),
            Some(id) => {
                let same_hash = session.get::<String>(HASH).is_some_and(|old| equal(&old, &hash));
                if id != user.id.as_str() || !same_hash {
                    self.log_out(session).await?;
                }
            }
        }
        set(session, ID, user.id.as_str());
        set(session, BACKEND, self.inner().log_in.backend());
        set(session, HASH, &hash);
        session.save().await
    }

    /// Logs out whoever the session is of: it is emptied and deleted, and its sockets end on every node.
    ///
    /// # Errors
    /// When the database is away: the session goes on then.
    ///
    /// # Cancel safety
    /// Given up, it may have happened, or not; sockets that were not ended yet end at their next check.
    pub async fn log_out(&self, session: &Session) -> Result<(), SaveError> {
        let key = session.key();
        session.flush();
        session.save().await?;
        if let Some(key) = key {
            self.end_session(&key).await;
        }
        Ok(())
    }

    /// The user that a session says it is of, if it still is.
    ///
    /// A session with the hash of an old password is emptied; one with a hash by an old key is given a new one, and a
    /// new key of its own.
    ///
    /// # Errors
    /// When the database is away: nobody is logged out.
    pub(crate) async fn session_user(&self, session: &Session) -> Result<Option<User>, DatabaseError> {
        let (Some(id), Some(backend)) = (session.get::<String>(ID), session.get::<String>(BACKEND)) else {
            return Ok(None);
        };
        if !self.inner().log_in.backends.contains(&backend) {
            return Ok(None);
        }
        let user = self.user_by_id(&UserId::new(&id)).await?;
        let Some(user) = user.filter(|user| user.is_active) else { return Ok(None) };
        let hash = session.get::<String>(HASH).unwrap_or_default();
        match verify_session_auth_hash(&hash, &user.password, self.keys()) {
            Some(AuthHash::Current) => Ok(Some(user)),
            Some(AuthHash::Fallback) => {
                session.cycle_key();
                set(session, HASH, &session_auth_hash(&user.password, self.keys().current()));
                match session.save().await {
                    Ok(()) => Ok(Some(user)),
                    Err(SaveError::Unavailable(error)) => Err(error),
                    // Logged out meanwhile.
                    Err(SaveError::Deleted | SaveError::Content(_)) => Ok(None),
                }
            }
            None => {
                session.flush();
                Ok(None)
            }
        }
    }

    async fn note_log_in(&self, user: &User) -> Result<(), DatabaseError> {
        let users = self.users();
        let now = time_value(Utc::now(), users.backend());
        users
            .update(&user.id, |update| {
                update.value("last_login", now);
            })
            .await?;
        Ok(())
    }

    /// Ends a session's sockets. Those that cannot be told now find out at their next check.
    pub(crate) async fn end_session(&self, key: &str) {
        if let Some(channels) = &self.inner().channels
            && let Err(error) = channels.end_session(key).await
        {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "a session's sockets are not told of its end"
            );
        }
    }

    /// Ends a user's sockets, likewise, but for those of one session.
    pub(crate) async fn end_user(&self, id: &UserId, except: Option<&str>) {
        let Some(channels) = &self.inner().channels else { return };
        let told = match except {
            Some(key) => channels.end_user_except(id.as_str(), key).await,
            None => channels.end_user(id.as_str()).await,
        };
        if let Err(error) = told {
            tracing::warn!(error = &error as &dyn std::error::Error, "a user's sockets are not told to end");
        }
    }
}

pub(super) fn set(session: &Session, key: &str, value: &str) {
    session.insert(key, value).expect("a text can be written as JSON");
}

fn equal(one: &str, other: &str) -> bool {
    one.as_bytes().ct_eq(other.as_bytes()).into()
}
