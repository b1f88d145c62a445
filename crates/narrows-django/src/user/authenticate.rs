//! Who gives the right password (`ModelBackend.authenticate`).

use std::net::IpAddr;
use std::time::{Duration, Instant};

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::RETRY_AFTER;
use sea_orm::sea_query::{Expr, ExprTrait};
use unicode_normalization::UnicodeNormalization;

use super::User;
use super::throttle::Throttled;
use crate::accounts::Accounts;
use crate::database::DatabaseError;
use crate::password::{Busy, Verified};

/// Why somebody is not logged in.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogInError {
    /// There is no such user, or it is not the password: a 401.
    #[error("the name or the password is wrong")]
    Wrong,
    /// It is the password of somebody who may not log in. Outside it looks as if it were wrong: a 401.
    #[error("the name or the password is wrong")]
    Inactive,
    /// Too many log-ins have failed: a 429.
    #[error(transparent)]
    Throttled(#[from] Throttled),
    /// Too many others log in just now: a 503.
    #[error(transparent)]
    Busy(#[from] Busy),
    /// The database is away: a 503.
    #[error("the accounts cannot be reached")]
    Unavailable(#[from] DatabaseError),
}

impl Accounts {
    /// The user with this name and this password, who may log in. Follow it with [`Accounts::log_in`].
    ///
    /// A name that nobody has costs the same hash as a wrong password. A password that is kept by old means is kept by
    /// the current ones from then on; as with Django, the user's other sessions end with that. The address is the
    /// client's, for counting what fails; without one, all count together.
    ///
    /// # Errors
    /// When it is somebody else, or was tried too often, or cannot be found out.
    ///
    /// # Cancel safety
    /// A log-in that is given up counts as failed.
    pub async fn authenticate(
        &self,
        username: &str,
        password: &str,
        address: Option<IpAddr>,
    ) -> Result<User, LogInError> {
        // The form of Django makes the same of a name. A longer one than a column has room for is nobody's.
        let username: String = username.nfkc().take(1024).collect();
        let attempt = self.inner().log_in.throttle.begin(&username, address, Instant::now())?;
        let found = self.find(&username, password).await;
        match &found {
            Ok(_) | Err(LogInError::Inactive) => attempt.succeeded(),
            Err(LogInError::Wrong) => drop(attempt),
            Err(_) => attempt.undone(),
        }
        found
    }

    async fn find(&self, username: &str, password: &str) -> Result<User, LogInError> {
        let user = self.user_by_name(username).await?;
        let Some(user) = self.verified(user, password).await? else { return Err(LogInError::Wrong) };
        if user.is_active { Ok(user) } else { Err(LogInError::Inactive) }
    }

    /// The user, if it is the password; nobody costs one hash, too.
    async fn verified(&self, user: Option<User>, password: &str) -> Result<Option<User>, LogInError> {
        let text = user.as_ref().map(|user| user.password.clone());
        let verified = self.verify(text, password).await?;
        let Some(user) = user.filter(|_| verified.matches) else { return Ok(None) };
        if !verified.outdated {
            return Ok(Some(user));
        }
        // Who logs in need not wait for the new text, if many do.
        let Ok(text) = self.hash(password).await else { return Ok(Some(user)) };
        if self.replace_password(&user, &text).await? {
            return Ok(Some(User { password: text, ..user }));
        }
        // Somebody else changed it in the meantime: what it is now counts.
        let Some(user) = self.user_by_id(&user.id).await? else { return Ok(None) };
        let verified = self.verify(Some(user.password.clone()), password).await?;
        Ok(Some(user).filter(|_| verified.matches))
    }

    pub(super) async fn verify(&self, text: Option<String>, password: &str) -> Result<Verified, Busy> {
        let (hashing, password) = (self.inner().log_in.hashing.clone(), password.to_owned());
        let verify = move || match text {
            Some(text) => hashing.verify(&password, &text),
            None => {
                hashing.hash(&password);
                Verified { matches: false, outdated: false }
            }
        };
        self.inner().log_in.pool.run(verify).await
    }

    pub(super) async fn hash(&self, password: &str) -> Result<String, Busy> {
        let (hashing, password) = (self.inner().log_in.hashing.clone(), password.to_owned());
        self.inner().log_in.pool.run(move || hashing.hash(&password)).await
    }

    /// Writes a new text in the place of the one that the user has here; not, where it is another one by now.
    pub(super) async fn replace_password(&self, user: &User, text: &str) -> Result<bool, DatabaseError> {
        let change = |update: &mut sea_orm::sea_query::UpdateStatement| {
            update.value("password", text).and_where(Expr::col("password").eq(user.password.as_str()));
        };
        self.users().update(&user.id, change).await
    }
}

impl IntoResponse for LogInError {
    fn into_response(self) -> Response {
        let retry_after = |time: Duration| [(RETRY_AFTER, time.as_secs_f64().ceil().to_string())];
        let text = format!("{self}\n");
        match &self {
            Self::Wrong | Self::Inactive => (StatusCode::UNAUTHORIZED, text).into_response(),
            Self::Throttled(throttled) => {
                (StatusCode::TOO_MANY_REQUESTS, retry_after(throttled.retry_after), text).into_response()
            }
            Self::Busy(_) => {
                (StatusCode::SERVICE_UNAVAILABLE, retry_after(Duration::from_secs(1)), text).into_response()
            }
            Self::Unavailable(error) => {
                tracing::error!(error = error as &dyn std::error::Error, "{self}");
                (StatusCode::SERVICE_UNAVAILABLE, retry_after(Duration::from_secs(1)), text).into_response()
            }
        }
    }
}
