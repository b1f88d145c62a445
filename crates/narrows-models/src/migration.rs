//! Migrations: steps from one schema to the next, as `makemigrations` writes them and `migrate` takes them.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use sea_orm::{DatabaseTransaction, DbErr};

pub use crate::builder::{ColumnChange, DropColumn, MigrationFn};
pub use crate::schema::{Action, Column, ForeignKey, Index, Kind, Literal, Table};

/// A step that every database can take, forwards and backwards.
#[derive(Debug, Clone)]
#[non_exhaustive]
#[allow(missing_docs, reason = "what the fields are is said of each variant")]
pub enum Operation {
    /// Makes a table with all that belongs to it.
    CreateTable { name: String, table: Table },
    /// Drops a table.
    DropTable { name: String },
    /// Gives a table another name.
    RenameTable { from: String, to: String },
    /// Adds a column; `fill` is what the rows get that are there, where it is not their default. Backwards it is dropped.
    AddColumn { table: String, column: Column, fill: Option<Literal> },
    /// Drops a column; `fill` is what the rows get when this is taken back and the column holds no NULL.
    DropColumn { table: String, name: String, fill: Option<Literal> },
    /// Gives a column another name.
    RenameColumn { table: String, from: String, to: String },
    /// Changes type, length, NULL or default of the column of this name; `fill` takes the place of NULLs, where it may
    /// hold none any more; `undo_fill` the same backwards.
    AlterColumn { table: String, column: Column, fill: Option<Literal>, undo_fill: Option<Literal> },
    /// Adds an index or a unique constraint.
    AddIndex { table: String, index: Index },
    /// Drops one.
    DropIndex { table: String, name: String },
    /// Adds a foreign key.
    AddForeignKey { table: String, key: ForeignKey },
    /// Drops one.
    DropForeignKey { table: String, name: String },
    /// Runs SQL of the site's own.
    Sql(Sql),
    /// Runs code of the site's own.
    Run(Run),
}

/// SQL for each direction; without one nothing is done forwards, and there is no way back.
#[derive(Debug, Clone, Default)]
pub struct Sql {
    /// Forwards.
    pub forwards: Option<SqlText>,
    /// Backwards.
    pub backwards: Option<SqlText>,
}

/// SQL, for all databases or for each its own.
#[derive(Debug, Clone)]
#[non_exhaustive]
#[allow(missing_docs, reason = "what the fields are is said of each variant")]
pub enum SqlText {
    /// The same for all.
    Any(String),
    /// Different.
    Each { sqlite: String, postgres: String, mysql: String },
}

/// A function of the site's own, which changes rows.
pub type RunFn = Arc<
    dyn for<'a> Fn(&'a DatabaseTransaction) -> Pin<Box<dyn Future<Output = Result<(), DbErr>> + Send + 'a>>
        + Send
        + Sync,
>;

/// Code for each direction; without one nothing is done forwards, and there is no way back.
#[derive(Clone, Default)]
pub struct Run {
    /// Forwards.
    pub forwards: Option<RunFn>,
    /// Backwards.
    pub backwards: Option<RunFn>,
}

impl fmt::Debug for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Run")
    }
}

/// One migration of an app.
#[derive(Debug, Clone)]
pub struct Migration {
    pub(crate) name: String,
    pub(crate) operations: Vec<Operation>,
    /// Migrations of other apps that come before it: `(app, name)`.
    pub(crate) after: Vec<(String, String)>,
}

impl Migration {
    /// A migration of this name, such as `0002_add_age`, which does nothing yet.
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), operations: Vec::new(), after: Vec::new() }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its steps, in order.
    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// Comes after a migration of another app, whose tables it points at.
    #[must_use]
    pub fn after(mut self, app: &str, name: &str) -> Self {
        self.after.push((app.to_owned(), name.to_owned()));
        self
    }

    /// Adds a step.
    #[must_use]
    pub fn operation(mut self, operation: Operation) -> Self {
        self.operations.push(operation);
        self
    }
}

/// The migrations of one app, in order.
#[derive(Debug, Clone, Default)]
pub struct Migrations {
    pub(crate) all: Vec<Migration>,
    /// The package's folder and the file of the list, as the compiler knew them, with `|` between them.
    pub(crate) source: String,
    /// The text of `snapshot.json` beside them, as it was when the program was built.
    pub(crate) snapshot: String,
}

impl Migrations {
    /// These migrations, whose list is in this file, as `CARGO_MANIFEST_DIR|file!()`, with the text of the snapshot beside
    /// it. Use the macro [`migrations!`](crate::migrations).
    pub fn new(source: &str, snapshot: &str, all: Vec<Migration>) -> Self {
        Self { all, source: source.to_owned(), snapshot: snapshot.to_owned() }
    }

    /// Their names, in order.
    pub fn names(&self) -> Vec<String> {
        self.all.iter().map(|migration| migration.name.clone()).collect()
    }

    /// The migrations themselves, in order.
    pub fn into_all(self) -> Vec<Migration> {
        self.all
    }
}

/// The migrations of an app, in order: `migrations![m0001_initial, m0002_person_age]`, in `mod.rs` of their folder.
/// `makemigrations` adds to the list.
///
/// Each name is a module there whose function `migration` returns it; `snapshot.json` is beside them.
///
/// An app without migrations yet says `migrations!()` beside its models, such as in `src/chat/mod.rs`; the first
/// `makemigrations` makes the folder `src/chat/migrations`, and writes `migrations::all()` in the macro's place.
#[macro_export]
macro_rules! migrations {
    // A macro, as the folder and the snapshot are found beside the file that it stands in.
    () => {
        $crate::Migrations::new(concat!(env!("CARGO_MANIFEST_DIR"), "|", file!()), "", Vec::new())
    };
    ($($name:ident),+ $(,)?) => {
        $crate::Migrations::new(
            concat!(env!("CARGO_MANIFEST_DIR"), "|", file!()),
            include_str!("snapshot.json"),
            vec![$($name::migration()),+],
        )
    };
}
