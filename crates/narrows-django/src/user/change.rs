//! Changes to users: passwords, and who may what.

use std::time::Instant;

use sea_orm::sea_query::{Alias, UpdateStatement};

use super::log_in::{HASH, ID, set};
use super::throttle::Throttled;
use super::{User, UserId};
use crate::accounts::Accounts;
use crate::database::DatabaseError;
use crate::password::{About, Busy, PasswordProblem, unusable};
use crate::session::{SaveError, Session};
use crate::signing::session_auth_hash;

/// Why a password is not changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChangePasswordError {
    /// The old password is not the user's, or was just changed by somebody else.
    #[error("the old password is wrong")]
    Wrong,
    /// The old password was guessed too often.
    #[error(transparent)]
    Throttled(#[from] Throttled),
    /// The new password is not a good one, for all of these reasons.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Problems(Vec<PasswordProblem>),
    /// The user is gone.
    #[error("the user is gone")]
    Gone,
    /// Too many passwords are being hashed.
    #[error(transparent)]
    Busy(#[from] Busy),
    /// The database is away.
    #[error("the accounts cannot be reached")]
    Unavailable(#[from] DatabaseError),
    /// The password was changed, but this session could not be saved, and has ended.
    #[error("the password was changed, and the session has ended")]
    Session(#[from] SaveError),
}

impl Accounts {
    /// Changes a user's password, where the user knows the old one; the result is the user with the new one.
    ///
    /// This session goes on under a new key, which its browser must get with the answer; its sockets go on until their
    /// next check, and then have to come back with it. All other sessions of the user end, and the sockets with them.
    ///
    /// # Errors
    /// When the old password is wrong or was guessed too often, the new one is not a good one, or the database is away.
    ///
    /// # Cancel safety
    /// Given up, the password may have changed, and then this session may have ended.
    pub async fn change_password(
        &self,
        session: &Session,
        user: &User,
        old: &str,
        new: &str,
    ) -> Result<User, ChangePasswordError> {
        // The account alone: only who is logged in gets here, from wherever.
        let attempt = self.inner().log_in.throttle.begin(&user.username, None, Instant::now())?;
        // What an extractor read may be of before another change.
        let current = match self.user_by_id(&user.id).await {
            Ok(current) => current,
            Err(error) => {
                attempt.undone();
                return Err(error.into());
            }
        };
        let Some(user) = current else { return Err(ChangePasswordError::Gone) };
        match self.verify(Some(user.password.clone()), old).await {
            Ok(verified) if verified.matches => attempt.succeeded(),
            Ok(_) => return Err(ChangePasswordError::Wrong),
            Err(busy) => {
                attempt.undone();
                return Err(busy.into());
            }
        }
        let user = self.write_password(user, new).await?;
        let mut kept = None;
        if session.get::<String>(ID).as_deref() == Some(user.id.as_str()) {
            // Its sockets are known by this one.
            kept = session.key();
            session.cycle_key();
            set(session, HASH, &session_auth_hash(&user.password, self.keys().current()));
            session.save().await?;
        }
        self.end_user(&user.id, kept.as_deref()).await;
        Ok(user)
    }

    /// Gives a user another password, whatever the old one was: after a reset, or by the hand of somebody who may. All
    /// sessions of the user end, and the sockets with them.
    ///
    /// # Errors
    /// When it is not a good one, or the database is away.
    ///
    /// # Cancel safety
    /// Given up, the password may have changed, or not.
    pub async fn set_password(&self, user: &User, new: &str) -> Result<User, ChangePasswordError> {
        let current = self.user_by_id(&user.id).await?.ok_or(ChangePasswordError::Gone)?;
        let user = self.write_password(current, new).await?;
        self.end_user(&user.id, None).await;
        Ok(user)
    }

    /// Takes a user's password away: they log in by other ways, or not at all. All sessions of the user end, and the
    /// sockets with them. Says whether the user is there.
    ///
    /// # Errors
    /// When the database is away.
    ///
    /// # Cancel safety
    /// Given up, it may have happened, or not.
    pub async fn set_unusable_password(&self, id: &UserId) -> Result<bool, DatabaseError> {
        let there = self
            .change(id, |update| {
                update.value("password", unusable());
            })
            .await?;
        self.end_user(id, None).await;
        Ok(there)
    }

    /// Says whether a user may log in. Who may not is logged out everywhere at once, and the sockets end. Says whether
    /// the user is there, and has a column for it.
    ///
    /// # Errors
    /// When the database is away.
    ///
    /// # Cancel safety
    /// Given up, it may have happened, or not.
    pub async fn set_active(&self, id: &UserId, active: bool) -> Result<bool, DatabaseError> {
        let there = self.set_flags(id, [&self.inner().model.is_active], active).await?;
        if !active {
            self.end_user(id, None).await;
        }
        Ok(there)
    }

    /// Lets a user do everything, and use the admin. Says whether the user is there, and has columns for it.
    ///
    /// # Errors
    /// When the database is away.
    ///
    /// # Cancel safety
    /// Given up, it may have happened, or not.
    pub async fn make_superuser(&self, id: &UserId) -> Result<bool, DatabaseError> {
        let model = &self.inner().model;
        self.set_flags(id, [&model.is_superuser, &model.is_staff], true).await
    }

    async fn write_password(&self, user: User, new: &str) -> Result<User, ChangePasswordError> {
        let about = About {
            username: &user.username,
            email: &user.email,
            first_name: &user.first_name,
            last_name: &user.last_name,
        };
        let problems = self.inner().log_in.rules.check(new, &about);
        if !problems.is_empty() {
            return Err(ChangePasswordError::Problems(problems));
        }
        let text = self.hash(new).await?;
        if self.replace_password(&user, &text).await? {
            Ok(User { password: text, ..user })
        } else {
            Err(ChangePasswordError::Wrong)
        }
    }

    async fn set_flags<const N: usize>(
        &self,
        id: &UserId,
        columns: [&Option<String>; N],
        value: bool,
    ) -> Result<bool, DatabaseError> {
        let columns: Vec<_> = columns.into_iter().flatten().collect();
        if columns.is_empty() {
            return Ok(false);
        }
        let change = |update: &mut UpdateStatement| {
            for column in columns {
                update.value(Alias::new(column), value);
            }
        };
        self.change(id, change).await
    }

    async fn change(
        &self,
        id: &UserId,
        change: impl FnOnce(&mut UpdateStatement),
    ) -> Result<bool, DatabaseError> {
        self.users().update(id, change).await
    }
}
