use std::process::ExitCode;

use narrows_django::Database;

use super::Command;
use crate::project::{Migrator, Project, ProjectError};

/// `migrate`, `makemigrations` and `showmigrations`.
pub(super) async fn run(
    command: Command,
    project: &Project,
    database_url: &str,
    args: Vec<String>,
) -> Result<ExitCode, ProjectError> {
    let migrator = Migrator::new(&project.apps).adopting(project.adopts_tables());
    let database = match command {
        // It looks for rows at the most, and is for a machine without the database too.
        Command::MakeMigrations => Database::connect_lazy(database_url)?,
        _ => Database::connect(database_url).await?,
    };
    migrator.run(command.name(), args, &database).await
}
