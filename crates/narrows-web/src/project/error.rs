use std::error::Error;
use std::fmt;
use std::io;

use narrows::serve::ListenError;
use narrows::serve::settings::SettingsError;
use narrows::{InvalidSettings, WorkerError};
use narrows_django::superuser::SuperuserError;
use narrows_django::{AccountSettingsError, DatabaseError};
use narrows_models::commands::CommandError;
use narrows_models::commands::make::MakeError;
use narrows_models::migrate::MigrateError;

use super::{BoxError, DataFolderError};
use crate::templates::TemplateErrors;

/// Why a project does not run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProjectError {
    /// A setting is wrong, or there is none of that name.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// A setting of the node is wrong.
    #[error(transparent)]
    Node(#[from] InvalidSettings),
    /// A setting of the accounts is wrong.
    #[error(transparent)]
    Accounts(#[from] AccountSettingsError),
    /// A setting of the channel layer is wrong.
    #[error("{0}")]
    Layer(#[source] BoxError),
    /// The filter for the log is wrong.
    #[error("log: {0}")]
    Log(#[source] BoxError),
    /// Templates that cannot be parsed.
    #[error(transparent)]
    Templates(#[from] TemplateErrors),
    /// There is no secret key, and this is no development.
    #[error("there is no secret key")]
    NoSecretKey,
    /// The data folder cannot be used.
    #[error(transparent)]
    Data(#[from] DataFolderError),
    /// The database is away.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// The migrations were not applied.
    #[error("the migrations were not applied")]
    Migrations(#[source] BoxError),
    /// A command of migrations was not done.
    #[error("{0}")]
    Command(#[source] BoxError),
    /// What was to be done before the start was not.
    #[error("the site was not prepared")]
    Prepare(#[source] BoxError),
    /// The address cannot be listened at.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// The project has no worker, and was asked to run nothing else.
    #[error("the project has no workers")]
    NoWorkers,
    /// A worker cannot run.
    #[error(transparent)]
    Worker(#[from] WorkerError),
    /// There is no new superuser.
    #[error(transparent)]
    Superuser(#[from] SuperuserError),
    /// The program has no such command.
    #[error("there is no command `{given}`{}", .near.map_or_else(String::new, |near| format!("; did you mean `{near}`?")))]
    NoCommand {
        /// What was asked for.
        given: String,
        /// The nearest one that there is.
        near: Option<&'static str>,
    },
    /// The command takes no such argument.
    #[error("`{command}` takes no argument `{given}`")]
    NoArgument {
        /// The command.
        command: &'static str,
        /// What was given.
        given: String,
    },
    /// A flag of a command has no value.
    #[error("{flag} needs a value")]
    NoValue {
        /// The flag.
        flag: String,
    },
    /// The system does not let the program run.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl ProjectError {
    /// The exit code of [`Project::run`](crate::Project::run): 2 where the command line or a setting is wrong, otherwise 1.
    pub fn exit_code(&self) -> u8 {
        let is_asked_wrongly = match self {
            Self::Settings(_) | Self::Node(_) | Self::Accounts(_) | Self::Layer(_) | Self::Log(_) => true,
            Self::NoSecretKey | Self::NoCommand { .. } | Self::NoArgument { .. } | Self::NoValue { .. } => {
                true
            }
            Self::Database(error) => {
                matches!(error, DatabaseError::Url(_) | DatabaseError::Scheme(_) | DatabaseError::Feature(_))
            }
            Self::Command(error) => is_usage(&**error),
            _ => false,
        };
        if is_asked_wrongly { 2 } else { 1 }
    }

    /// What to do about it, in a sentence or two, where there is something to do.
    pub fn advice(&self) -> Option<&'static str> {
        Some(match self {
            Self::NoSecretKey => {
                "Sessions are signed with it, and it must be the same on all nodes and after a restart: set SECRET_KEY to \
                 at least 50 random characters, for example from `openssl rand -base64 48`"
            }
            Self::Data(_) => {
                "The database and, in development, the secret key are kept there; name another folder with --data-dir"
            }
            Self::Database(_) => {
                "See to --database-url (or DATABASE_URL): sqlite:path?mode=rwc, postgres://user:password@host/name or \
                 mysql://user:password@host/name"
            }
            Self::Migrations(_) => {
                "`migrate --plan` shows what is to be done; with `migrate_at_start = false` the program starts without"
            }
            Self::Listen(ListenError::Bind { source, .. }) if source.kind() == io::ErrorKind::AddrInUse => {
                "Another program listens there; choose another address, for example --bind 127.0.0.1:8001"
            }
            Self::Superuser(SuperuserError::NoTables) => {
                "`migrate` makes them, and those of the project's models"
            }
            Self::NoWorkers => "`Project::worker` adds one",
            Self::NoCommand { near: None, .. } | Self::NoArgument { .. } => {
                "`help` lists the commands and settings"
            }
            _ => return None,
        })
    }
}

/// Whether a command of migrations was asked for what there is not.
fn is_usage(error: &(dyn Error + 'static)) -> bool {
    match error.downcast_ref::<CommandError>() {
        Some(CommandError::Usage(_)) => return true,
        Some(CommandError::Migrate(error)) => {
            return matches!(
                error,
                MigrateError::NoApp { .. }
                    | MigrateError::NoMigration { .. }
                    | MigrateError::Ambiguous { .. }
            );
        }
        _ => {}
    }
    matches!(error.downcast_ref::<MakeError>(), Some(MakeError::Args(_) | MakeError::NoApp { .. }))
}

/// An error with what caused it, on one line.
pub(crate) struct Chain<'a>(pub(crate) &'a (dyn Error + 'static));

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut said = self.0.to_string();
        f.write_str(&said)?;
        let mut source = self.0.source();
        while let Some(error) = source {
            let text = error.to_string();
            // Some say their cause in their own text.
            if !said.ends_with(&text) {
                write!(f, ": {text}")?;
            }
            said = text;
            source = error.source();
        }
        Ok(())
    }
}
