//! A project's folder, whose program is built anew after each migration.

use std::fs;
use std::path::PathBuf;

use narrows_models::commands::AppModels;
use narrows_models::commands::make::{self, MakeError, Outcome};
use narrows_models::diff;
use narrows_models::migration::{Migration, Table};
use narrows_models::question::{Prompt, Questions};
use narrows_models::schema::Schema;
use narrows_models::{Migrations, Models, snapshot};
use tempfile::TempDir;

pub(crate) struct Project {
    folder: TempDir,
    apps: Vec<AppModels>,
}

impl Project {
    /// A project with one app, whose models are these tables.
    pub(crate) fn new<const N: usize>(tables: [(&str, Table); N]) -> Self {
        Self::in_folder(tempfile::tempdir().unwrap(), tables)
    }

    /// The same, inside of the target folder.
    pub(crate) fn in_here<const N: usize>(tables: [(&str, Table); N]) -> Self {
        Self::in_folder(tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap(), tables)
    }

    fn in_folder<const N: usize>(folder: TempDir, tables: [(&str, Table); N]) -> Self {
        let project = Self { folder, apps: Vec::new() };
        // So that no settings of a folder above count.
        project.write("rustfmt.toml", "max_width = 100\n");
        project.app("chat", tables)
    }

    /// Adds an app without migrations.
    pub(crate) fn app<const N: usize>(mut self, name: &str, tables: [(&str, Table); N]) -> Self {
        let file = format!("src/{name}/mod.rs");
        fs::create_dir_all(self.path(&file).parent().unwrap()).unwrap();
        let text = "//! An app.\n\nmod models;\n\npub fn app() -> App {\n    App::new()\n        \
                    .models(models::all())\n        .migrations(narrows_models::migrations!())\n}\n";
        fs::write(self.path(&file), text).unwrap();
        let source = format!("{}|{file}", self.folder.path().display());
        self.apps.push(AppModels::new(name, models(tables), Migrations::new(&source, "", Vec::new())));
        self
    }

    /// Changes the models of the app `chat`.
    pub(crate) fn change<const N: usize>(&mut self, tables: [(&str, Table); N]) -> &mut Self {
        self.change_app("chat", tables)
    }

    pub(crate) fn change_app<const N: usize>(&mut self, name: &str, tables: [(&str, Table); N]) -> &mut Self {
        self.apps.iter_mut().find(|app| app.name == name).unwrap().models = models(tables);
        self
    }

    pub(crate) fn change_models(&mut self, models: Models) -> &mut Self {
        self.apps[0].models = models;
        self
    }

    /// Runs `makemigrations` with nobody at the terminal, and builds the program anew.
    pub(crate) fn make(&mut self, args: &str) -> Result<Outcome, MakeError> {
        self.make_with(args, None)
    }

    pub(crate) fn make_with(
        &mut self,
        args: &str,
        prompt: Option<&mut dyn Prompt>,
    ) -> Result<Outcome, MakeError> {
        let args: Vec<String> = args.split_whitespace().map(str::to_owned).collect();
        let outcome = make::run_with(&self.apps, &args, prompt)?;
        self.build();
        Ok(outcome)
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        fs::write(self.path(path), text).unwrap();
    }

    /// The names of the app's migrations, by their files.
    pub(crate) fn files(&self, app: &str) -> Vec<String> {
        let Ok(folder) = fs::read_dir(self.path(&format!("src/{app}/migrations"))) else { return Vec::new() };
        let names = folder.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.filter(|name| name.starts_with('m') && name != "mod.rs").collect();
        names.sort();
        names
    }

    /// Puts this list of migrations in the place of what the program was built with.
    pub(crate) fn built_with(&mut self, snapshot: &str, all: Vec<Migration>) -> &mut Self {
        let source = format!("{}|src/chat/migrations/mod.rs", self.folder.path().display());
        self.apps[0].migrations = Migrations::new(&source, snapshot, all);
        self
    }

    /// What the compiler would find; the steps of a migration are those between the snapshots.
    pub(crate) fn build(&mut self) {
        let root = self.folder.path().display().to_string();
        for at in 0..self.apps.len() {
            let name = self.apps[at].name.clone();
            let files = self.files(&name);
            if files.is_empty() {
                continue;
            }
            let before = self.apps[at].migrations.schema().unwrap();
            let text = self.read(&format!("src/{name}/migrations/snapshot.json"));
            let after = snapshot::read(&text).unwrap();
            let mut steps = steps(&before, &after);
            let known = self.apps[at].migrations.names();
            let mut all = self.apps[at].migrations.clone().into_all();
            for file in files {
                let name = file.trim_start_matches('m').trim_end_matches(".rs");
                if !known.contains(&name.to_owned()) {
                    all.push(steps.drain(..).fold(Migration::new(name), Migration::operation));
                }
            }
            let source = format!("{root}|src/{name}/migrations/mod.rs");
            self.apps[at].migrations = Migrations::new(&source, &text, all);
        }
    }
}

/// An error with all that it came of.
pub(crate) fn line(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}

fn models<const N: usize>(tables: [(&str, Table); N]) -> Models {
    tables.into_iter().fold(Models::new(), |models, (name, table)| models.table(name, table))
}

fn steps(before: &Schema, after: &Schema) -> Vec<narrows_models::migration::Operation> {
    let mut questions = Questions::new().no_rename();
    for (name, table) in &after.tables {
        for column in &table.columns {
            let value = if format!("{:?}", column.kind).contains("Date") { "now" } else { "1" };
            questions = questions.fill(name, &column.name, value);
        }
    }
    diff::steps(before, after, &[], &mut questions).unwrap()
}
