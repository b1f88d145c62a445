use std::error::Error;
use std::time::Duration;

use sea_orm::DbErr;

use crate::dialect::DialectError;
use crate::state::Irreversible;

/// Why migrations were not applied or taken back.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the fields are what the sentence of their variant names")]
pub enum MigrateError {
    /// An app is named that is not there.
    #[error("there is no app `{app}` with migrations here; there are: {known}")]
    NoApp { app: String, known: String },
    /// A migration is named that is not there.
    #[error("the app `{app}` has no migration `{name}`; it has: {known}")]
    NoMigration { app: String, name: String, known: String },
    /// The beginning of a name that several migrations have.
    #[error("`{name}` is the beginning of several migrations of `{app}`: {found}")]
    Ambiguous { app: String, name: String, found: String },
    /// An app is there twice, or a migration of it.
    #[error("`{what}` is there twice")]
    Twice { what: String },
    /// A migration comes after one that is not there.
    #[error("{migration} comes after {after}, which is not there")]
    UnknownAfter { migration: String, after: String },
    /// Migrations come after each other.
    #[error("migrations come after each other: {circle}")]
    Circular { circle: String },
    /// A migration was put before one that is applied.
    #[error(
        "{applied} is applied, but {missing}, which comes before it, is not: give the new one a later place, or record it with `--fake`"
    )]
    OutOfOrder { applied: String, missing: String },
    /// The database knows a migration that the program does not, and further ones are to be applied.
    #[error(
        "{gone} is applied in this database and not in this program: is it older than its database? {pending} is not applied on top of it"
    )]
    Gone { gone: String, pending: String },
    /// Another process migrates, for too long.
    #[error("another process migrates this database, and did not end within {}{}", seconds(.waited), held_by(.holder))]
    Locked { waited: Duration, holder: Option<String> },
    /// A migration cannot be taken back.
    #[error("{migration} cannot be taken back: operation {operation}, {what}")]
    Irreversible {
        migration: String,
        operation: usize,
        what: String,
        #[source]
        source: Box<Irreversible>,
    },
    /// What the program makes by itself stays.
    #[error("{migration} is made by the program, and never taken back")]
    Stays { migration: String },
    /// An operation does not fit those before it, or this database.
    #[error("operation {operation} of {migration}, {what}, does not fit")]
    DoesNotFit {
        migration: String,
        operation: usize,
        what: String,
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// `--fake-initial`, with tables that are not those of the migration.
    #[error("{migration} is not recorded as applied, as what is there is something else: {difference}")]
    Differs { migration: String, difference: String },
    /// An operation was refused, by us or by the database.
    #[error("{migration} failed at {place}; {left}")]
    Failed {
        migration: String,
        /// Which operation it is, and what it does.
        place: String,
        /// What the database holds now.
        left: String,
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// What the program makes by itself was not made.
    #[error("{migration} failed")]
    Made {
        migration: String,
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// A migration that failed on its way in one direction is to go the other way, from the middle of an operation.
    #[error(
        "{migration} stopped in the middle of operation {operation}, going {direction}: it has to go that way first"
    )]
    Turned { migration: String, operation: usize, direction: &'static str },
    /// A migration that failed half-way was changed in what is done of it already.
    #[error(
        "{migration} stopped half-way, at operation {operation}, and what is done of it has been changed since: \
             change it back, or finish it by hand and record it with `--fake`"
    )]
    Changed { migration: String, operation: usize },
    /// The database did not answer as it should.
    #[error("the database did not answer as it should")]
    Database(#[source] Box<dyn Error + Send + Sync>),
    /// Code of a migration panicked, or the program ends.
    #[error("the migration was broken off: {0}")]
    BrokenOff(String),
}

impl From<DbErr> for MigrateError {
    fn from(error: DbErr) -> Self {
        Self::Database(Box::new(error))
    }
}

/// Why an operation was refused before the database was asked.
#[derive(Debug, thiserror::Error)]
pub(super) enum StepError {
    #[error("{0}")]
    Refused(String),
    #[error(transparent)]
    Database(#[from] DbErr),
    #[error(transparent)]
    Dialect(#[from] DialectError),
    #[error("its code panicked: {0}")]
    Panic(String),
}

/// An error with those that it came of, as a line.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        let more = source.to_string();
        // Some have the text of their source in theirs.
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        next = source.source();
    }
    text
}

fn seconds(waited: &Duration) -> String {
    format!("{} s", waited.as_secs_f32())
}

fn held_by(holder: &Option<String>) -> String {
    holder.as_ref().map_or_else(String::new, |holder| format!(": {holder}"))
}
