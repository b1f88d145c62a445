//! `narrows createsuperuser`: the first user of a site, who may do everything.

use std::error::Error;
use std::process::ExitCode;

use clap::Args;
use narrows_django::superuser::CreateSuperuser as Create;

use crate::project::{self, FindError, Project};

/// Make a user who may do everything, as Django's command of this name does.
///
/// In a project it is the project's program that makes the user, as its settings, its database and its rules say. Elsewhere, or where
/// a database is named here, it is the one that is named.
///
/// At a terminal it asks for what is not said. The password is never a flag, as all users of the machine could read it:
/// with --no-input it is taken from DJANGO_SUPERUSER_PASSWORD.
#[derive(Debug, Args)]
pub(crate) struct CreateSuperuser {
    /// Where the accounts are: sqlite://path, postgres://… or mysql://…; elsewhere than in a project DATABASE_URL says it, too
    #[arg(long, value_name = "URL")]
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
        let named = |url: &String| !url.is_empty();
        let said = self.database_url.filter(named);
        if said.is_none() {
            match Project::here() {
                Ok(project) => {
                    let arguments: Vec<_> = std::env::args_os().skip(2).collect();
                    return Err(project::to_program(&project, "createsuperuser", &arguments).into());
                }
                Err(FindError::NoProject) => {}
                Err(error) => return Err(error.into()),
            }
        }
        // The prefixed one is what a program on Narrows would take first.
        let variables = ["NARROWS_DATABASE_URL", "DATABASE_URL"];
        let variables = variables.iter().filter_map(|name| std::env::var(name).ok());
        let url = said.into_iter().chain(variables).find(named).unwrap_or_default();
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
