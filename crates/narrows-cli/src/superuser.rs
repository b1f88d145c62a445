//! `narrows createsuperuser`: the first user of a site, who may do everything.

use std::error::Error;
use std::process::ExitCode;

use clap::Args;
use narrows_django::superuser::CreateSuperuser as Create;

use crate::project::{self, Project};

/// Make a user who may do everything, as Django's command of this name does.
///
/// In a project, where no database is named, it is that of the project.
///
/// At a terminal it asks for what is not said. The password is never a flag, as all users of the machine could read it:
/// with --no-input it is taken from DJANGO_SUPERUSER_PASSWORD.
#[derive(Debug, Args)]
pub(crate) struct CreateSuperuser {
    /// Where the accounts are: sqlite://path, postgres://… or mysql://…
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, value_name = "URL")]
    database_url: Option<String>,
    /// The name to log in with
    #[arg(long, env = "DJANGO_SUPERUSER_USERNAME", value_name = "NAME")]
    username: Option<String>,
    /// The e-mail address; it may be empty
    #[arg(long, env = "DJANGO_SUPERUSER_EMAIL", value_name = "ADDRESS")]
    email: Option<String>,
    /// Ask nothing
    #[arg(long, visible_alias = "noinput")]
    no_input: bool,
    /// Take a password that is too easy to guess, too
    #[arg(long)]
    weak_password: bool,
    /// Make the tables of the accounts where they are missing
    #[arg(long)]
    create_tables: bool,
}

impl CreateSuperuser {
    pub(crate) fn run(self) -> Result<ExitCode, Box<dyn Error>> {
        // The prefixed one is what a program on Narrows would take first.
        let url = std::env::var("NARROWS_DATABASE_URL").ok().filter(|url| !url.is_empty());
        let url = url.or(self.database_url).unwrap_or_default();
        // The program of a project knows its database.
        if url.is_empty()
            && let Ok(project) = Project::here()
        {
            let arguments: Vec<_> = std::env::args_os().skip(2).collect();
            return Err(project::to_program(&project, "createsuperuser", &arguments).into());
        }
        let create = Create {
            username: self.username,
            email: self.email,
            no_input: self.no_input,
            weak_password: self.weak_password,
            create_tables: self.create_tables,
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(create.run(&url))?;
        Ok(ExitCode::SUCCESS)
    }
}
