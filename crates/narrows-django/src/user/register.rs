//! New users.

use std::fmt;

use axum::response::{IntoResponse, Response};
use chrono::Utc;
use http::StatusCode;
use sea_orm::sea_query::{Alias, Expr, Query};
use sea_orm::{ConnectionTrait, DbErr, SqlErr};
use serde::Deserialize;

use super::authenticate::LogInError;
use super::key::Key;
use super::name::{self, NameProblem};
use super::{KeyKind, User};
use crate::accounts::Accounts;
use crate::database::{DatabaseError, time_value};
use crate::password::{About, Busy, PasswordProblem, PasswordRules};

/// Who registers: what a form says.
#[derive(Clone, PartialEq, Eq, Deserialize)]
pub struct NewUser {
    /// What to log in with: letters, numbers, `@`, `.`, `+`, `-` and `_`, 150 at most. It is kept in its form NFKC.
    pub username: String,
    /// It can be empty.
    #[serde(default)]
    pub email: String,
    /// The password.
    pub password: String,
}

impl fmt::Debug for NewUser {
    /// Without the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut d = f.debug_struct("NewUser");
        d.field("username", &self.username).field("email", &self.email).finish_non_exhaustive()
    }
}

/// Why somebody is not registered.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RegisterError {
    /// The form is not good, for all of these reasons: a 422.
    #[error("{}", join(names, passwords))]
    Problems {
        /// What is wrong with the name or the email.
        names: Vec<NameProblem>,
        /// What is wrong with the password.
        passwords: Vec<PasswordProblem>,
    },
    /// Somebody has the name: a 409.
    #[error("somebody has that name already")]
    Taken,
    /// The model's key is a text, and is not the name: only the site knows what it should be. A 500.
    #[error("a user model whose key is a text of its own has no way to make one")]
    NoKey,
    /// Too many passwords are being hashed: a 503.
    #[error(transparent)]
    Busy(#[from] Busy),
    /// The database is away: a 503.
    #[error("the accounts cannot be reached")]
    Unavailable(#[from] DatabaseError),
}

impl Accounts {
    /// Registers a user.
    ///
    /// # Errors
    /// When the name, the email or the password is not a good one, or somebody has the name – also when two ask for it
    /// at once – and when the database is away.
    ///
    /// # Cancel safety
    /// Given up, the user may be there, or not.
    pub async fn register(&self, new: &NewUser) -> Result<User, RegisterError> {
        self.create(new, false, &self.inner().log_in.rules).await
    }

    /// Registers a user who may do everything, as `manage.py createsuperuser` does.
    ///
    /// # Errors
    /// As [`Accounts::register`].
    ///
    /// # Cancel safety
    /// As [`Accounts::register`].
    pub async fn create_superuser(&self, new: &NewUser) -> Result<User, RegisterError> {
        self.create(new, true, &self.inner().log_in.rules).await
    }

    pub(crate) async fn create(
        &self,
        new: &NewUser,
        superuser: bool,
        rules: &PasswordRules,
    ) -> Result<User, RegisterError> {
        let (username, email) = good(new, rules)?;
        // Before the costs of a hash. Whoever comes in between is found by the unique index.
        if self.user_by_name(&username).await?.is_some() {
            return Err(RegisterError::Taken);
        }
        let password = self.hash(&new.password).await?;
        self.insert(&username, &email, &password, superuser).await?;
        let user = self.user_by_name(&username).await?;
        // Somebody may have deleted the row already.
        user.ok_or(RegisterError::Taken)
    }

    async fn insert(
        &self,
        username: &str,
        email: &str,
        password: &str,
        superuser: bool,
    ) -> Result<(), RegisterError> {
        let users = self.users();
        let (model, backend) = (users.model, users.backend());
        let mut columns =
            vec![(model.username.as_str(), Expr::val(username)), ("password", Expr::val(password))];
        let now = Expr::val(time_value(Utc::now(), backend));
        let optional = [
            (&model.email, Expr::val(email)),
            (&model.first_name, Expr::val("")),
            (&model.last_name, Expr::val("")),
            (&model.is_staff, Expr::val(superuser)),
            (&model.is_superuser, Expr::val(superuser)),
            (&model.is_active, Expr::val(true)),
            (&model.date_joined, now),
        ];
        let optional = optional.into_iter().filter_map(|(column, value)| Some((column.as_deref()?, value)));
        columns.extend(optional.filter(|(column, _)| *column != model.username));
        match Key::generate(model.key_kind) {
            Some(key) => columns.push((model.key.as_str(), key.expr(backend))),
            None if model.key_kind == KeyKind::Text && model.key != model.username => {
                return Err(RegisterError::NoKey);
            }
            None => {}
        }
        let (columns, values): (Vec<_>, Vec<_>) = columns.into_iter().unzip();
        let mut insert = Query::insert();
        insert.into_table(Alias::new(&model.table)).columns(columns.into_iter().map(Alias::new));
        insert.values(values).expect("there are as many values as columns");
        let insert = async move |connection: sea_orm::DatabaseConnection| match connection
            .execute(&insert)
            .await
        {
            Ok(_) => Ok(true),
            Err(error) if matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_))) => Ok(false),
            Err(error) => Err::<_, DbErr>(error),
        };
        if users.database.run(insert).await? { Ok(()) } else { Err(RegisterError::Taken) }
    }
}

/// The name and the email in their one form.
fn good(new: &NewUser, rules: &PasswordRules) -> Result<(String, String), RegisterError> {
    let (username, email) = (name::username(&new.username), name::email(&new.email));
    let about = About { username: &new.username, email: &new.email, ..About::default() };
    let passwords = rules.check(&new.password, &about);
    match (username, email) {
        (Ok(username), Ok(email)) if passwords.is_empty() => Ok((username, email)),
        (username, email) => {
            let names = [username.err(), email.err()].into_iter().flatten().collect();
            Err(RegisterError::Problems { names, passwords })
        }
    }
}

impl IntoResponse for RegisterError {
    fn into_response(self) -> Response {
        let text = format!("{self}\n");
        match self {
            Self::Problems { .. } => (StatusCode::UNPROCESSABLE_ENTITY, text).into_response(),
            Self::Taken => (StatusCode::CONFLICT, text).into_response(),
            Self::NoKey => {
                tracing::error!("{}", text.trim_end());
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
            Self::Busy(busy) => LogInError::from(busy).into_response(),
            Self::Unavailable(error) => LogInError::from(error).into_response(),
        }
    }
}

fn join(names: &[NameProblem], passwords: &[PasswordProblem]) -> String {
    let names = names.iter().map(ToString::to_string);
    names.chain(passwords.iter().map(ToString::to_string)).collect::<Vec<_>>().join("; ")
}
