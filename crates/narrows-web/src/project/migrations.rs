use std::process::ExitCode;

use narrows_django::{Database, DatabaseError};
use narrows_models::Commands;
use narrows_models::commands::{AppModels, make};
use narrows_models::migrate::Notice;

use super::{Chain, ProjectError};
use crate::App;

/// What Django's tables are called among the migrations; models that point at users come after it. No app of a project has this
/// name, as one may well be called `accounts`.
const DJANGO: (&str, &str) = ("django", "0001_initial");

/// The models and migrations of the project's apps, in order.
#[derive(Debug)]
pub(crate) struct Migrator {
    apps: Vec<AppModels>,
    /// Whether tables from before the first migration are taken as they are.
    adopts: bool,
}

impl Migrator {
    pub(crate) fn new(apps: &[App]) -> Self {
        // An app that is pages alone has nothing to list.
        let with_tables = apps.iter().filter(|app| app.has_tables);
        let models = |app: &App| AppModels::new(app.name, app.models.clone(), app.migrations.clone());
        Self { apps: with_tables.map(models).collect(), adopts: false }
    }

    pub(crate) fn adopting(mut self, adopts: bool) -> Self {
        self.adopts = adopts;
        self
    }

    /// Django's tables first, as models may point at its users.
    fn commands(&self, database: &Database) -> Commands {
        let made = database.clone();
        let commands = Commands::new().made(DJANGO.0, DJANGO.1, move || {
            let database = made.clone();
            async move { database.create_tables().await }
        });
        let add = |commands: Commands, app: &AppModels| {
            commands.app(&app.name, app.models.clone(), app.migrations.clone())
        };
        self.apps.iter().fold(commands, add)
    }

    /// Applies all that is missing.
    pub(crate) async fn apply(&self, database: &Database) -> Result<(), ProjectError> {
        let migrator = self.commands(database).migrator(database.connection()).on_notice(tell);
        let migrator = migrator.fake_initial(self.adopts);
        // On the database's own thread, where the connections that are opened for it stay.
        let done = database.run_long(|_| async { Ok::<_, DatabaseError>(migrator.migrate().await) }).await?;
        let report = done.map_err(|error| ProjectError::Migrations(Box::new(error)))?;
        for (app, migration) in &report.gone {
            tracing::warn!(
                app,
                migration,
                "a migration is applied in this database, and not in this program"
            );
        }
        Ok(())
    }

    /// What is missing in the database, or in the migrations, a line each.
    pub(crate) async fn missing(&self, database: &Database) -> Result<Vec<String>, ProjectError> {
        let status = self.commands(database).migrator(database.connection()).status().await;
        let status = status.map_err(|error| ProjectError::Migrations(Box::new(error)))?;
        let mut missing: Vec<String> = status
            .iter()
            .filter(|migration| !migration.applied)
            .map(|migration| format!("migrations: {}.{} is not applied", migration.app, migration.name))
            .collect();
        missing.extend(self.unmade().iter().map(|line| format!("models: {line}")));
        Ok(missing)
    }

    /// What models say and migrations do not, a line each.
    pub(crate) fn unmade(&self) -> Vec<String> {
        match make::run(&self.apps, &["--check".to_owned()]) {
            Ok(outcome) if outcome.code == 0 => Vec::new(),
            Ok(outcome) => {
                let lines = outcome.report.lines().map(str::trim).filter(|line| !line.is_empty());
                lines.map(str::to_owned).collect()
            }
            Err(error) => vec![Chain(&error).to_string()],
        }
    }

    /// Does what `makemigrations` says.
    pub(crate) fn make(&self, args: &[String]) -> Result<ExitCode, ProjectError> {
        let outcome = make::run(&self.apps, args).map_err(|error| ProjectError::Command(Box::new(error)))?;
        print!("{}", outcome.report);
        Ok(ExitCode::from(outcome.code))
    }

    /// Does what another command says.
    pub(crate) async fn run(
        &self,
        command: &'static str,
        args: Vec<String>,
        database: &Database,
    ) -> Result<ExitCode, ProjectError> {
        let mut words: Vec<String> = std::iter::once(command.to_owned()).chain(args).collect();
        if self.adopts && command == "migrate" && !words.iter().any(|word| word == "--fake-initial") {
            words.push("--fake-initial".to_owned());
        }
        let done = self.commands(database).run(database.connection(), &words).await;
        done.map_err(|error| ProjectError::Command(Box::new(error)))
    }
}

fn tell(notice: Notice) {
    match notice {
        Notice::Waiting { holder } => {
            let holder = holder.as_deref().unwrap_or("another process");
            tracing::info!(holder, "waiting for the one that migrates");
        }
        Notice::Ended(done) => {
            tracing::info!(app = done.app, migration = done.name, took = ?done.took, "migrated");
        }
        _ => {}
    }
}
