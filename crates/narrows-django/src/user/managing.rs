//! What the program needs that manages users by rows of its own.

use super::change::ChangePasswordError;
use super::name::{self, NameProblem};
use super::{UserId, UserModel};
use crate::accounts::Accounts;
use crate::password::About;

impl Accounts {
    /// Which table and columns hold the users.
    pub fn user_model(&self) -> &UserModel {
        &self.inner().model
    }

    /// A name to log in with, in its one form.
    ///
    /// # Errors
    /// When nobody can have it.
    pub fn good_username(&self, name: &str) -> Result<String, NameProblem> {
        name::username(name)
    }

    /// An address, with its domain in lower case; it can be empty.
    ///
    /// # Errors
    /// When it is none.
    pub fn good_email(&self, address: &str) -> Result<String, NameProblem> {
        name::email(address)
    }

    /// The text that a new password is kept as, if it is a good one.
    ///
    /// Whoever writes it into the table [ends the user's sockets](Self::end_sockets) then; sessions end by themselves.
    ///
    /// # Errors
    /// When it is not, or too many are hashed just now.
    ///
    /// # Cancel safety
    /// Cancel safe.
    pub async fn hash_password(
        &self,
        password: &str,
        about: &About<'_>,
    ) -> Result<String, ChangePasswordError> {
        let problems = self.inner().log_in.rules.check(password, about);
        if problems.is_empty() {
            Ok(self.hash(password).await?)
        } else {
            Err(ChangePasswordError::Problems(problems))
        }
    }

    /// Ends a user's sockets on every node. Those that cannot be told now find out at their next check.
    ///
    /// # Cancel safety
    /// Given up, it may have happened, or not.
    pub async fn end_sockets(&self, id: &UserId) {
        self.end_user(id, None).await;
    }
}
