use std::fmt;

use narrows_django::{DatabaseError, RegisterError};

/// Why there is no new superuser.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("say where the accounts are, with --database-url or DATABASE_URL")]
    NoDatabase,
    #[error("{}", Chain(.0))]
    Database(#[from] DatabaseError),
    #[error("this database has no tables for accounts; --create-tables makes them")]
    NoTables,
    #[error(
        "there is no terminal to ask at; give --no-input, and DJANGO_SUPERUSER_USERNAME and DJANGO_SUPERUSER_PASSWORD"
    )]
    NoTerminal,
    #[error(
        "with --no-input the name is taken from --username or DJANGO_SUPERUSER_USERNAME, and there is none"
    )]
    NoUsername,
    #[error("with --no-input the password is taken from DJANGO_SUPERUSER_PASSWORD, and there is none")]
    NoPassword,
    #[error("{0}; --weak-password takes it anyway")]
    Weak(String),
    #[error("there is a user {0} already")]
    Taken(String),
    #[error("{}", Chain(.0))]
    Refused(#[source] RegisterError),
    #[error("cancelled; nobody was made")]
    Cancelled,
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
