use std::time::Duration;

/// Where to go.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Target {
    /// All migrations of all apps.
    #[default]
    Latest,
    /// All migrations of an app, with those of others that they come after.
    App(String),
    /// An app up to this migration and no further, by its name or a beginning of it.
    To {
        /// The app.
        app: String,
        /// The migration.
        name: String,
    },
    /// None of an app.
    Zero {
        /// The app.
        app: String,
    },
}

/// What was done.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Report {
    /// The migrations, in order.
    pub done: Vec<Done>,
    /// Migrations `(app, name)` of this database that this program does not have.
    pub gone: Vec<(String, String)>,
}

/// A migration that was applied or taken back.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Done {
    /// The app.
    pub app: String,
    /// Its name.
    pub name: String,
    /// Whether it was applied; it was taken back otherwise.
    pub forwards: bool,
    /// Whether only the record of it was changed.
    pub faked: bool,
    /// How long it took.
    pub took: Duration,
}

/// What would be done for a migration.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Planned {
    /// The app.
    pub app: String,
    /// Its name.
    pub name: String,
    /// Whether it would be applied; it would be taken back otherwise.
    pub forwards: bool,
    /// Its operations, in order.
    pub operations: Vec<PlannedOperation>,
}

/// What would be done for an operation.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct PlannedOperation {
    /// What it does, in words.
    pub what: String,
    /// Its statements for this database; comments where something else is done.
    pub sql: Vec<String>,
}

/// A migration, and whether it is applied.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Status {
    /// The app.
    pub app: String,
    /// Its name.
    pub name: String,
    /// Whether it is applied.
    pub applied: bool,
    /// How many of its operations are in effect, where it stopped half-way.
    pub half: Option<usize>,
    /// Whether this program has it; otherwise only the database does.
    pub known: bool,
}

/// What goes on, for [`Migrator::on_notice`](crate::Migrator::on_notice).
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Notice {
    /// Another process migrates; who, where the database says so.
    Waiting {
        /// A process or connection.
        holder: Option<String>,
    },
    /// A migration begins.
    Begins {
        /// The app.
        app: String,
        /// Its name.
        name: String,
        /// Whether it is applied; it is taken back otherwise.
        forwards: bool,
        /// The operation at which it goes on, where it stopped half-way; the first is 1.
        resumes_at: Option<usize>,
    },
    /// It is done.
    Ended(Done),
}
