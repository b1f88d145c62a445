//! `makemigrations`: the models compared with the migrations, and what differs written as a migration.

mod args;
mod notes;
mod order;
mod plan;
#[cfg(test)]
mod tests;
mod write;

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fmt::Write;
use std::io;
use std::path::{Path, PathBuf};

use args::Args;
pub use args::ArgsError;
use plan::Needs;

use crate::ModelError;
use crate::commands::AppModels;
use crate::diff::{self, DiffError};
use crate::models::Reading;
use crate::question::{Prompt, Terminal, Unanswered};
pub use crate::render::files::WriteError;
pub use crate::render::folder::FolderError;
pub use crate::render::list::ListError;
use crate::render::{Planned, names};
use crate::schema::Schema;
use crate::snapshot::SnapshotError;
use crate::state::StateError;

/// What was done, for people, and the code with which the program ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Lines for stdout.
    pub report: String,
    /// 0, or 1 where `--check` found something.
    pub code: u8,
}

/// Why no migrations were made. Nothing was written then.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MakeError {
    /// The command line is wrong.
    #[error(transparent)]
    Args(#[from] ArgsError),
    /// There is no such app.
    #[error("there is no app `{name}`; there are {}", list(known))]
    NoApp {
        /// What was said.
        name: String,
        /// Those that there are.
        known: Vec<String>,
    },
    /// An entity cannot be read.
    #[error("the models of `{app}` cannot be read")]
    Model {
        /// The app.
        app: String,
        /// Why.
        source: Box<ModelError>,
    },
    /// Two apps have one table.
    #[error("the table `{table}` is in the models of `{one}` and of `{other}`: one of them must not have it")]
    Shared {
        /// The table.
        table: String,
        /// An app.
        one: String,
        /// The other.
        other: String,
    },
    /// The snapshot, or the migrations, are of no use.
    #[error("the migrations of `{app}` do not hold together")]
    Snapshot {
        /// The app.
        app: String,
        /// Why.
        source: Box<SnapshotError>,
    },
    /// Two branches each added a migration of one number.
    #[error(
        "in the migrations of `{app}`: `{one}` and `{other}` have one number, most likely of two branches. \
             Leave the one that databases have, and make the other the next: in its file, the name of the file, the \
             `mod` line and the end of the list; then `makemigrations --snapshot`"
    )]
    Branches {
        /// The app.
        app: String,
        /// A migration.
        one: String,
        /// The other.
        other: String,
    },
    /// There are no steps to what the models say.
    #[error("no migration of `{app}` was made")]
    Diff {
        /// The app.
        app: String,
        /// Why.
        source: Box<DiffError>,
    },
    /// A flag is of no use.
    #[error(transparent)]
    Unused(#[from] Box<Unanswered>),
    /// A table went from one app to another.
    #[error(
        "the table `{table}` goes from the app `{from}` to `{to}`: the one would drop it with its rows, and the \
             other make it anew. Leave it in `{from}`, or give it another `table_name` in `{to}` and take the rows \
             over by `.sql(…)`"
    )]
    Moved {
        /// The table.
        table: String,
        /// The app that had it.
        from: String,
        /// The app that has it.
        to: String,
    },
    /// Another app's table points at what is to be dropped.
    #[error(
        "`{by}` of the app `{app}` points at `{table}`, which is to be dropped, or at columns of it that are: change the \
             models of both, and make their migrations in one run"
    )]
    PointedAt {
        /// The table.
        table: String,
        /// The table that points.
        by: String,
        /// Its app.
        app: String,
    },
    /// A table points at one that no migration makes yet.
    #[error(
        "the models of `{by}` point at `{table}` of the app `{app}`, which no migration makes yet: name `{app}` too, or \
             no app at all"
    )]
    Unmade {
        /// The table.
        table: String,
        /// Its app.
        app: String,
        /// The app that points.
        by: String,
    },
    /// The planned steps do not fit.
    #[error("the models do not hold together")]
    State(#[from] StateError),
    /// It is not known where they go.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The list of migrations cannot be changed.
    #[error("`{}` cannot be changed; add to it by hand: {todo}", file.display())]
    List {
        /// The file.
        file: PathBuf,
        /// Why.
        source: ListError,
        /// What to add.
        todo: String,
    },
    /// The list has been changed since the program was built.
    #[error("`{}` lists {found} migrations, and this program was built with {built}: build it again", file.display())]
    Stale {
        /// The file.
        file: PathBuf,
        /// How many are there.
        found: usize,
        /// How many the program knows.
        built: usize,
    },
    /// A file cannot be read.
    #[error("`{}` cannot be read", file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// Makes migrations for these apps by a command line (what comes after `makemigrations`), and asks at the terminal if
/// somebody sits at it.
///
/// ```
/// use narrows_models::commands::{AppModels, make};
/// use narrows_models::{Migrations, Models};
///
/// let apps = [AppModels::new("chat", Models::new(), Migrations::default())];
/// assert_eq!(make::run(&apps, &["--check".to_owned()])?.report, "No changes detected.\n");
/// # Ok::<(), make::MakeError>(())
/// ```
///
/// # Errors
/// When the command line, the models or the migrations are wrong, a question was not answered, or a file cannot be written.
pub fn run(apps: &[AppModels], args: &[String]) -> Result<Outcome, MakeError> {
    let mut terminal = Terminal::found();
    run_with(apps, args, terminal.as_mut().map(|terminal| -> &mut dyn Prompt { terminal }))
}

/// The same, and asks this one.
///
/// # Errors
/// As for [`run`].
pub fn run_with(
    apps: &[AppModels],
    args: &[String],
    prompt: Option<&mut dyn Prompt>,
) -> Result<Outcome, MakeError> {
    let args = Args::parse(args)?;
    if args.help {
        return Ok(Outcome { report: args::HELP.to_owned(), code: 0 });
    }
    let chosen = chosen(apps, &args.apps)?;
    for app in &chosen {
        check_branches(app)?;
    }
    // Where a checkout was moved, the program is most likely run inside it.
    let here = env::current_dir().unwrap_or_default();
    if args.snapshot {
        return write::snapshots(&chosen, &args, &here);
    }
    let planned = if args.empty { empty(&chosen, &args)? } else { compared(apps, &chosen, &args, prompt)? };
    let notes = if args.empty { Vec::new() } else { notes::of(apps, &chosen, &planned)? };
    if planned.is_empty() {
        let of = if args.apps.is_empty() { String::new() } else { format!(" in {}", list(&args.apps)) };
        return Ok(Outcome { report: format!("No changes detected{of}.\n"), code: 0 });
    }
    let written = write::migrations(&chosen, &planned, &args, &here)?;
    let mut report = written;
    for note in notes {
        let _infallible = writeln!(report, "Note: {note}.");
    }
    Ok(Outcome { report, code: u8::from(args.check) })
}

/// The apps that were named, or all.
fn chosen<'a>(apps: &'a [AppModels], named: &[String]) -> Result<Vec<&'a AppModels>, MakeError> {
    if let Some(name) = named.iter().find(|name| apps.iter().all(|app| app.name != **name)) {
        let known = apps.iter().map(|app| app.name.clone()).collect();
        return Err(MakeError::NoApp { name: name.clone(), known });
    }
    Ok(apps.iter().filter(|app| named.is_empty() || named.contains(&app.name)).collect())
}

fn check_branches(app: &AppModels) -> Result<(), MakeError> {
    let mut numbers = BTreeMap::new();
    for migration in &app.migrations.all {
        let Some(number) = names::number(&migration.name) else { continue };
        if let Some(one) = numbers.insert(number, migration.name.clone()) {
            let other = migration.name.clone();
            return Err(MakeError::Branches { app: app.name.clone(), one, other });
        }
    }
    Ok(())
}

/// A migration without a step for each app.
fn empty(chosen: &[&AppModels], args: &Args) -> Result<BTreeMap<String, Vec<Planned>>, MakeError> {
    let mut planned = BTreeMap::new();
    for app in chosen {
        let before = migrated(app)?;
        let asked = args.name.as_deref().or(Some("steps"));
        let name = names::name(plan::next_number(app), asked, &[], &app.name);
        let migration = Planned { name, operations: Vec::new(), after: BTreeSet::new(), before };
        planned.insert(app.name.clone(), vec![migration]);
    }
    Ok(planned)
}

/// What the models need.
fn compared(
    apps: &[AppModels],
    chosen: &[&AppModels],
    args: &Args,
    mut prompt: Option<&mut dyn Prompt>,
) -> Result<BTreeMap<String, Vec<Planned>>, MakeError> {
    let owners = owners(apps)?;
    let mut questions = args.questions();
    if args.check {
        questions = questions.assume();
    } else if !args.no_input
        && let Some(prompt) = prompt.take()
    {
        questions = questions.prompt(prompt);
    }
    let mut needs = Vec::new();
    for &app in chosen {
        let reading = reading(app)?;
        let before = migrated(app)?;
        let steps = diff::steps(&before, &reading.schema, &reading.renamed, &mut questions)
            .map_err(|source| MakeError::Diff { app: app.name.clone(), source: source.into() })?;
        if !steps.is_empty() {
            needs.push(Needs { app, before, steps });
        }
    }
    questions.all_used().map_err(Box::new)?;
    plan::plan(apps, needs, args.name.as_deref(), &owners)
}

/// The app of each table.
fn owners(apps: &[AppModels]) -> Result<BTreeMap<String, String>, MakeError> {
    let mut owners = BTreeMap::new();
    for app in apps {
        for table in reading(app)?.schema.tables.into_keys() {
            if let Some(one) = owners.insert(table.clone(), app.name.clone()) {
                return Err(MakeError::Shared { table, one, other: app.name.clone() });
            }
        }
    }
    Ok(owners)
}

fn reading(app: &AppModels) -> Result<Reading, MakeError> {
    app.models.reading().map_err(|source| MakeError::Model { app: app.name.clone(), source: source.into() })
}

fn migrated(app: &AppModels) -> Result<Schema, MakeError> {
    app.migrations.checked_schema().map_err(|source| unfit(app, source))
}

/// What the migrations add up to, whatever the snapshot says.
fn folded(app: &AppModels) -> Result<Schema, MakeError> {
    app.migrations.schema().map_err(|source| unfit(app, source))
}

fn unfit(app: &AppModels, source: SnapshotError) -> MakeError {
    MakeError::Snapshot { app: app.name.clone(), source: source.into() }
}

/// A path for people: from the folder that they are in.
fn shown(path: &Path, here: &Path) -> String {
    path.strip_prefix(here).unwrap_or(path).display().to_string()
}

fn list(names: &[String]) -> String {
    match names {
        [] => "none".to_owned(),
        names => format!("`{}`", names.join("`, `")),
    }
}
