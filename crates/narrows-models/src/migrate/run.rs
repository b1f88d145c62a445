//! A migration, carried out.

use std::any::Any;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;

use super::error::{MigrateError, StepError};
use super::record::{self, Progress};
use super::session::Session;
use super::sqlite;
use super::violations::Violations;
use super::work::{Step, Task};
use crate::dialect::Statement;
use crate::migration::{Operation, RunFn};

/// Where a migration is, for errors.
pub(super) struct Place<'a> {
    pub(super) app: &'a str,
    pub(super) name: &'a str,
    pub(super) forwards: bool,
    pub(super) operations: &'a [Operation],
}

/// All tasks, within a transaction that the caller ends.
pub(super) async fn at_once(
    session: &Session,
    place: &Place<'_>,
    tasks: &[Task<'_>],
) -> Result<(), MigrateError> {
    for task in tasks {
        for step in &task.steps {
            take(session, step)
                .await
                .map_err(|source| place.failed(task, "nothing of it is left", source))?;
        }
    }
    Ok(())
}

/// All tasks, each statement for itself, with a note of how far it is: for databases that end a transaction when a table
/// is changed.
pub(super) async fn one_by_one(
    session: &Session,
    place: &Place<'_>,
    tasks: &[Task<'_>],
    from: Option<Progress>,
) -> Result<(), MigrateError> {
    let begin = if place.forwards { 0 } else { place.operations.len() };
    let mut at = from.unwrap_or_else(|| place.progress(begin));
    if at.operations != place.print(&at) {
        let operation = at.done + usize::from(at.forwards);
        return Err(MigrateError::Changed { migration: place.label(), operation });
    }
    if at.forwards != place.forwards {
        if at.statements > 0 || at.unsure {
            return Err(place.turned(&at));
        }
        at.forwards = place.forwards;
    }
    let done = at.done;
    let is_left = |task: &&Task<'_>| if place.forwards { task.number >= done } else { task.number < done };
    for task in tasks.iter().filter(is_left) {
        // What only looks comes first, and is of no use once something was changed.
        let (looks, changes): (Vec<_>, Vec<_>) = task.steps.iter().partition(|step| step.only_looks());
        if at.statements == 0 && !at.unsure {
            for look in looks {
                take(session, look).await.map_err(|source| place.failed(task, &place.left(&at), source))?;
            }
        }
        for step in changes.into_iter().skip(at.statements) {
            one(session, place, task, step, &mut at).await?;
        }
        at.done = if place.forwards { task.number + 1 } else { task.number };
        at.statements = 0;
        place.save(session, &mut at).await?;
    }
    Ok(())
}

/// One statement. A change of rows is committed with the note that it is done; a change of a table is committed by the
/// database before there is a note, so there is one that it was begun.
async fn one(
    session: &Session,
    place: &Place<'_>,
    task: &Task<'_>,
    step: &Step<'_>,
    at: &mut Progress,
) -> Result<(), MigrateError> {
    let unsure = std::mem::replace(&mut at.unsure, true);
    place.save(session, at).await?;
    at.unsure = false;
    session.execute("START TRANSACTION").await?;
    let taken = take(session, step).await;
    // Of several statements, or of code, what is there already says nothing of the rest.
    let is_ours = matches!(step, Step::Statement(_));
    let taken = if unsure && is_ours { taken.or_else(was_done) } else { taken };
    if let Err(source) = taken {
        let noted = async {
            session.rollback().await?;
            place.save(session, at).await
        };
        if let Err(error) = noted.await {
            // Where the connection is gone, that is not what it began with.
            tracing::warn!(error = &error as &dyn std::error::Error, "how far a migration is was not noted");
        }
        return Err(place.failed(task, &place.left(at), source));
    }
    at.statements += 1;
    place.save(session, at).await?;
    Ok(session.commit().await?)
}

impl Place<'_> {
    /// No more rows point at nothing than before.
    pub(super) async fn check_foreign_keys(
        &self,
        session: &Session,
        mut before: Violations,
    ) -> Result<(), MigrateError> {
        let renames = self.operations.iter().filter_map(|operation| match operation {
            Operation::RenameTable { from, to } if self.forwards => Some((from, to)),
            Operation::RenameTable { from, to } => Some((to, from)),
            _ => None,
        });
        let mut renames: Vec<_> = renames.collect();
        if !self.forwards {
            renames.reverse();
        }
        for (from, to) in renames {
            before = before.renamed(from, to);
        }
        match Violations::read(session).await?.since(&before) {
            None => Ok(()),
            Some(what) => Err(MigrateError::Failed {
                migration: self.label(),
                place: "the check of foreign keys at its end".to_owned(),
                left: "nothing of it is left".to_owned(),
                source: what.into(),
            }),
        }
    }

    fn label(&self) -> String {
        format!("{}.{}", self.app, self.name)
    }

    /// Nothing of the next operation is done.
    pub(super) fn progress(&self, done: usize) -> Progress {
        let operations = String::new();
        let at = Progress { done, statements: 0, forwards: self.forwards, operations, unsure: false };
        Progress { operations: self.print(&at), ..at }
    }

    /// The fingerprint of the operations that are in effect, as far as they can be told apart.
    fn print(&self, at: &Progress) -> String {
        let begun = at.forwards && (at.statements > 0 || at.unsure);
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        for operation in self.operations.iter().take(at.done + usize::from(begun)) {
            // FNV-1a: the same in every build.
            for byte in format!("{operation:?};").bytes() {
                hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
            }
        }
        format!("{hash:016x}")
    }

    async fn save(&self, session: &Session, at: &mut Progress) -> Result<(), MigrateError> {
        at.operations = self.print(at);
        Ok(record::save_progress(session, self.app, self.name, at).await?)
    }

    fn failed(&self, task: &Task<'_>, left: &str, source: StepError) -> MigrateError {
        MigrateError::Failed {
            migration: self.label(),
            place: format!("operation {} of {}, {}", task.number + 1, self.operations.len(), task.what),
            left: left.to_owned(),
            source: Box::new(source),
        }
    }

    fn turned(&self, at: &Progress) -> MigrateError {
        MigrateError::Turned {
            migration: self.label(),
            operation: if at.forwards { at.done + 1 } else { at.done },
            direction: if at.forwards { "forwards" } else { "backwards" },
        }
    }

    fn left(&self, at: &Progress) -> String {
        let stays = match at.done {
            0 => "no operation is in effect".to_owned(),
            1 => "operation 1 is in effect".to_owned(),
            done => format!("operations 1 to {done} are in effect"),
        };
        let part = if at.statements > 0 { ", and a part of this one" } else { "" };
        format!(
            "{stays}{part}, as this database cannot take back changes of tables: the next `migrate` goes on here"
        )
    }
}

async fn take(session: &Session, step: &Step<'_>) -> Result<(), StepError> {
    match step {
        Step::Statement(Statement::Sql(sql)) if sqlite::drops_table(session, sql) => {
            sqlite::with_views(session, async { Ok(session.execute(sql).await?) }).await
        }
        Step::Statement(Statement::Sql(sql)) | Step::Script(sql) => Ok(session.execute(sql).await?),
        Step::Statement(Statement::If { query, sql }) => {
            if session.has_row(query).await? {
                session.execute(sql).await?;
            }
            Ok(())
        }
        Step::Statement(Statement::Refuse { query, why }) => {
            if session.has_row(query).await? {
                Err(StepError::Refused(why.clone()))
            } else {
                Ok(())
            }
        }
        Step::Statement(Statement::Rebuild(rebuild)) => sqlite::rebuild(session, rebuild).await,
        Step::Run(code) => run(session, code).await,
    }
}

/// Code of the site's own.
async fn run(session: &Session, code: &RunFn) -> Result<(), StepError> {
    let done = caught(async { code(session.transaction()).await }).await;
    Ok(done.map_err(StepError::Panic)??)
}

/// What comes of it, or what it said when it panicked: the connection still has to be put right.
pub(super) async fn caught<F: Future>(running: F) -> Result<F::Output, String> {
    let mut running = pin!(running);
    poll_fn(|context| match catch_unwind(AssertUnwindSafe(|| running.as_mut().poll(context))) {
        Ok(polled) => polled.map(Ok),
        Err(panic) => Poll::Ready(Err(said(panic))),
    })
    .await
}

fn said(panic: Box<dyn Any + Send>) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("without a word").to_owned()
}

/// A statement that was begun by a process that did not come back: an answer that it is done already is as good as
/// doing it. <https://mariadb.com/kb/en/mariadb-error-codes/>
fn was_done(error: StepError) -> Result<(), StepError> {
    // Table, column, key or foreign key is there already; table, column, key or foreign key is gone.
    const DONE: [u16; 8] = [1050, 1060, 1061, 1826, 1051, 1054, 1091, 1146];
    match &error {
        StepError::Database(source) if number(source).is_some_and(|number| DONE.contains(&number)) => Ok(()),
        // MariaDB's word for a foreign key that is there; 121 is InnoDB's own number of a duplicate key.
        StepError::Database(source)
            if number(source) == Some(1005) && source.to_string().contains("errno: 121") =>
        {
            Ok(())
        }
        _ => Err(error),
    }
}

/// The number of an error of MySQL.
#[cfg(feature = "mysql")]
fn number(error: &sea_orm::DbErr) -> Option<u16> {
    let error = super::session::database_error(error)?;
    Some(error.try_downcast_ref::<sea_orm::sqlx::mysql::MySqlDatabaseError>()?.number())
}

#[cfg(not(feature = "mysql"))]
fn number(_: &sea_orm::DbErr) -> Option<u16> {
    None
}
