use std::process::ExitCode;

use narrows_django::Database;

use super::Command;
use crate::project::{Migrator, Project, ProjectError};

/// `migrate` and `showmigrations`.
pub(super) async fn run(
    command: Command,
    project: &Project,
    database_url: &str,
    args: Vec<String>,
) -> Result<ExitCode, ProjectError> {
    let database = Database::connect(database_url).await?;
    let migrator = Migrator::new(&project.apps).adopting(project.adopts_tables());
    migrator.run(command.name(), args, &database).await
}

/// `makemigrations`, which is for a machine without the database too.
pub(super) fn make(project: &Project, args: &[String]) -> Result<ExitCode, ProjectError> {
    Migrator::new(&project.apps).make(args)
}
