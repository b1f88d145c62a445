//! What a project's program does.

mod check;
mod models;
mod superuser;

use std::process::ExitCode;

use narrows::serve::settings::Loaded;
use narrows_django::AccountSettings;

use crate::project::{Project, ProjectError};

const MIGRATE: &str = "\
Applies the migrations that are missing, of all apps or of one, or goes back.

Usage: migrate [APP [NAME]] [OPTIONS] [SETTINGS]

  APP             this app alone, with what it comes after
  --to NAME|zero  up to this migration of the app, forwards or back; zero takes all back
  --plan          changes nothing; shows what would be done
  --sql           changes nothing; shows the statements too
  --check         as --plan; exits with 1 where something is missing
  --fake          changes only the record of what is applied
  --fake-initial  only records a first migration whose tables are there already
";

const SHOW_MIGRATIONS: &str = "\
Lists the migrations of all apps, and which are applied.

Usage: showmigrations [APP]... [SETTINGS]
";

const CREATE_SUPERUSER: &str = "\
Makes a user who may do everything. At a terminal it asks for what is not said.

Usage: createsuperuser [OPTIONS] [SETTINGS]

  --username NAME  [DJANGO_SUPERUSER_USERNAME]  the name to log in with
  --email ADDRESS  [DJANGO_SUPERUSER_EMAIL]     the e-mail address; it may be empty
  --no-input       asks nothing; the password is taken from DJANGO_SUPERUSER_PASSWORD
  --weak-password  takes a password that is too easy to guess, too
  --create-tables  makes the tables of the accounts where they are missing
";

/// A command of the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Command {
    Serve,
    Migrate,
    MakeMigrations,
    ShowMigrations,
    CreateSuperuser,
    ClearSessions,
    Worker,
    Check,
}

impl Command {
    pub(crate) const ALL: [Self; 8] = [
        Self::Serve,
        Self::Migrate,
        Self::MakeMigrations,
        Self::ShowMigrations,
        Self::CreateSuperuser,
        Self::ClearSessions,
        Self::Worker,
        Self::Check,
    ];

    /// The one of this name; `None` is `help`.
    pub(crate) fn named(name: &str) -> Result<Option<Self>, ProjectError> {
        if name == "help" {
            return Ok(None);
        }
        match Self::ALL.into_iter().find(|command| command.name() == name) {
            Some(command) => Ok(Some(command)),
            None => Err(ProjectError::NoCommand { given: name.to_owned(), near: near(name) }),
        }
    }

    pub(crate) fn name(self) -> &'static str {
        self.usage().0.split(' ').next().unwrap_or_default()
    }

    pub(crate) fn usage(self) -> (&'static str, &'static str) {
        match self {
            Self::Serve => ("serve", "Serve the site; what is done without a command"),
            Self::Migrate => ("migrate [APP]", "Apply the migrations that are missing"),
            Self::MakeMigrations => {
                ("makemigrations [APP]", "Write migrations for what changed in the models")
            }
            Self::ShowMigrations => ("showmigrations [APP]", "List the migrations, and which are applied"),
            Self::CreateSuperuser => ("createsuperuser", "Make a user who may do everything"),
            Self::ClearSessions => {
                ("clearsessions", "Delete the sessions that are over; once a day is often enough")
            }
            Self::Worker => ("worker", "Run the workers, and nothing else"),
            Self::Check => ("check", "Say what is wrong with the site, before it goes into production"),
        }
    }

    /// Whether it takes more than settings.
    pub(crate) fn takes_arguments(self) -> bool {
        match self {
            Self::Serve | Self::ClearSessions | Self::Worker | Self::Check => false,
            Self::Migrate | Self::MakeMigrations | Self::ShowMigrations | Self::CreateSuperuser => true,
        }
    }

    /// What `--help` says after the command, where it takes more than settings. `makemigrations` says it itself.
    pub(crate) fn help(self) -> Option<&'static str> {
        match self {
            Self::Serve | Self::ClearSessions | Self::Worker | Self::Check | Self::MakeMigrations => None,
            Self::Migrate => Some(MIGRATE),
            Self::ShowMigrations => Some(SHOW_MIGRATIONS),
            Self::CreateSuperuser => Some(CREATE_SUPERUSER),
        }
    }

    pub(crate) async fn run(
        self,
        project: Project,
        rest: Vec<String>,
        loaded: Loaded,
    ) -> Result<ExitCode, ProjectError> {
        match self {
            Self::Serve => project.open(loaded).await?.serve().await?,
            Self::Worker => project.open_worker(loaded).await?.work().await?,
            Self::Check => return check::run(project, loaded).await,
            Self::CreateSuperuser => superuser::run(project, &loaded, &rest).await?,
            Self::ClearSessions => {
                let cleared = project.open_accounts(&loaded).await?.clear_expired_sessions().await?;
                println!("Deleted sessions that were over: {cleared}");
            }
            Self::MakeMigrations => return models::make(&project, &rest),
            Self::Migrate | Self::ShowMigrations => {
                return models::run(self, &project, &url(&project, &loaded)?, rest).await;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn url(project: &Project, loaded: &Loaded) -> Result<String, ProjectError> {
    project.database_url(loaded, &AccountSettings::read(loaded)?)
}

/// The command that a slip of the finger was meant to be.
fn near(name: &str) -> Option<&'static str> {
    let letters = |text: &str| {
        let mut letters: Vec<char> = text.chars().filter(|c| c.is_alphanumeric()).collect();
        letters.sort_unstable();
        letters
    };
    let given = letters(name);
    Command::ALL.into_iter().map(Command::name).find(|command| {
        let there = letters(command);
        there == given || command.starts_with(name) || (name.len() > 3 && name.starts_with(command))
    })
}
