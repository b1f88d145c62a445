//! What a project's program does.

mod check;
mod models;
mod superuser;

use std::process::ExitCode;

use narrows::serve::settings::Loaded;
use narrows_django::AccountSettings;

use crate::project::{Project, ProjectError};

/// A command of the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Command {
    Serve,
    Migrate,
    MakeMigrations,
    ShowMigrations,
    CreateSuperuser,
    Worker,
    Check,
}

impl Command {
    pub(crate) const ALL: [Self; 7] = [
        Self::Serve,
        Self::Migrate,
        Self::MakeMigrations,
        Self::ShowMigrations,
        Self::CreateSuperuser,
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
            Self::Worker => ("worker", "Run the workers, and nothing else"),
            Self::Check => ("check", "Say what is wrong with the site, before it goes into production"),
        }
    }

    /// Whether it takes more than settings.
    pub(crate) fn takes_arguments(self) -> bool {
        match self {
            Self::Serve | Self::Worker | Self::Check => false,
            Self::Migrate | Self::MakeMigrations | Self::ShowMigrations | Self::CreateSuperuser => true,
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
            Self::CreateSuperuser => superuser::run(&url(&project, &loaded)?, &rest).await?,
            Self::Migrate | Self::MakeMigrations | Self::ShowMigrations => {
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
