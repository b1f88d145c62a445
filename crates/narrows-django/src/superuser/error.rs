use std::fmt;

use crate::{DatabaseError, RegisterError};

/// Why there is no new superuser.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SuperuserError {
    /// Nobody says where the accounts are.
    #[error("say where the accounts are, with --database-url or DATABASE_URL")]
    NoDatabase,
    /// The database is away.
    #[error("{}", Chain(.0))]
    Database(#[from] DatabaseError),
    /// It has no tables for accounts.
    #[error("this database has no tables for accounts; --create-tables makes them")]
    NoTables,
    /// It has no table of the site's own user model, which only the site can make.
    #[error("this database has no table {0}")]
    NoTable(String),
    /// There is nobody to ask.
    #[error(
        "there is no terminal to ask at; give --no-input, and DJANGO_SUPERUSER_USERNAME and DJANGO_SUPERUSER_PASSWORD"
    )]
    NoTerminal,
    /// There is nobody to ask, and no name.
    #[error(
        "with --no-input the name is taken from --username or DJANGO_SUPERUSER_USERNAME, and there is none"
    )]
    NoUsername,
    /// There is nobody to ask, and no password.
    #[error("with --no-input the password is taken from DJANGO_SUPERUSER_PASSWORD, and there is none")]
    NoPassword,
    /// The password is too easy to guess.
    #[error("{0}; --weak-password takes it anyway")]
    Weak(String),
    /// Somebody has the name.
    #[error("there is a user {0} already")]
    Taken(String),
    /// The user cannot be made.
    #[error("{}", Chain(.0))]
    Refused(#[source] RegisterError),
    /// Whoever was asked gave up.
    #[error("cancelled; nobody was made")]
    Cancelled,
    /// The terminal is gone.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// An error with what caused it, on one line.
pub(super) struct Chain<'a, E>(pub(super) &'a E);

impl<E: std::error::Error> fmt::Display for Chain<'_, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut source = self.0.source();
        while let Some(error) = source {
            write!(f, ": {error}")?;
            source = error.source();
        }
        Ok(())
    }
}
