//! Migrations, one after another.

use std::time::{Duration, Instant};

use super::ahead::Known;
use super::error::MigrateError;
use super::graph::{Graph, NodePart};
use super::record::{self, Progress};
use super::report::{Done, Notice, Report};
use super::run::{self, Place};
use super::session::Session;
use super::violations::Violations;
use super::{Migrator, initial, work};
use crate::dialect::{self, Dialect};
use crate::schema::Schema;
use crate::state;

impl Migrator {
    pub(super) async fn go(self) -> Result<Report, MigrateError> {
        let graph = Graph::new(&self.apps)?;
        let known = self.known().await?;
        self.check(&graph, &graph.applied(&known.names))?;
        let pending = graph.steps(&self.target, &graph.applied(&known.names), &known.begun(&graph))?;
        self.refuse_gone(&graph, &known.names, &pending)?;
        if pending.is_empty() {
            // Without a lock, or a word to a database that only reads.
            return Ok(Report { done: Vec::new(), gone: graph.gone(&known.names) });
        }
        // Before a connection is held, as it may be the only one.
        let made = if self.fake { Vec::new() } else { self.make(&graph, &pending).await? };
        let mut report = Report { done: Vec::new(), gone: graph.gone(&known.names) };
        let mut session = Session::open(&self.connection, self.lock_wait).await?;
        let gone = run::caught(self.go_on(&mut session, &graph, &made, &mut report)).await;
        if gone.is_err() {
            // It may have been in a transaction, or not.
            drop(session.rollback().await);
        }
        let closed = session.close().await;
        gone.map_err(MigrateError::BrokenOff)??;
        closed?;
        Ok(report)
    }

    /// One migration after another. What is applied is looked up before each: where each has its own lock, another process
    /// may have been faster.
    async fn go_on(
        &self,
        session: &mut Session,
        graph: &Graph<'_>,
        made: &[(usize, Duration)],
        report: &mut Report,
    ) -> Result<(), MigrateError> {
        session.lock(&self.tell).await?;
        if !record::is_prepared(session).await? {
            session.begin(&self.tell).await?;
            let prepared = record::prepare(session).await;
            self.end(session, prepared.map_err(MigrateError::from)).await?;
        }
        for _ in 0..=2 * graph.nodes.len() {
            let known = Known::read(session).await?;
            let applied = graph.applied(&known.names);
            self.check(graph, &applied)?;
            let steps = graph.steps(&self.target, &applied, &known.begun(graph))?;
            self.refuse_gone(graph, &known.names, &steps)?;
            let Some((at, forwards)) = steps.first().copied() else { return Ok(()) };
            let took = made.iter().find(|(made, _)| *made == at).map(|(_, took)| *took);
            let done = self.one(session, graph, &known, at, forwards, took).await?;
            report.done.extend(done);
        }
        Err(MigrateError::BrokenOff("another process takes back what this one applies".to_owned()))
    }

    /// One migration, in a transaction where the database can. `None` where another process was faster.
    async fn one(
        &self,
        session: &mut Session,
        graph: &Graph<'_>,
        known: &Known,
        at: usize,
        forwards: bool,
        made: Option<Duration>,
    ) -> Result<Option<Done>, MigrateError> {
        let node = &graph.nodes[at];
        let is_made = matches!(node.part, NodePart::Made(_));
        if is_made && !forwards && !self.fake {
            return Err(MigrateError::Stays { migration: node.label() });
        }
        let applied = graph.applied(&known.names);
        let from = known.progress.get(&(node.app.to_owned(), node.name.to_owned())).cloned();
        let mut faked = self.fake;
        let mut tasks = Vec::new();
        if !self.fake && !is_made {
            let mut without = applied.clone();
            without[at] = false;
            let before = graph.schema(&without)?;
            if forwards && self.fake_initial && from.is_none() {
                faked = initial::is_there(session, graph, at).await?;
            }
            if !faked {
                let in_effect = from.as_ref().map(|from| from.done);
                tasks = work::tasks(graph, at, forwards, session.dialect, &before, in_effect)?;
                check_torn(session.dialect, graph, at, forwards, &before)?;
            }
        }
        let looks_away = session.dialect == Dialect::Sqlite && work::drops_tables(&tasks);
        let enforced = looks_away && session.enforced_foreign_keys().await?;
        if looks_away {
            session.enforce_foreign_keys(false).await?;
        }
        let begun = Instant::now();
        let place = Place { app: node.app, name: node.name, forwards, operations: node.operations() };
        let resumes_at = from.as_ref().map(|from| from.done + usize::from(from.forwards));
        let done = self.within(session, &place, &tasks, known, from, resumes_at, looks_away).await;
        if enforced {
            session.enforce_foreign_keys(true).await?;
        }
        if !done? {
            return Ok(None);
        }
        let done = Done {
            app: node.app.to_owned(),
            name: node.name.to_owned(),
            forwards,
            faked,
            took: begun.elapsed() + made.unwrap_or_default(),
        };
        (self.tell)(Notice::Ended(done.clone()));
        Ok(Some(done))
    }

    #[expect(clippy::too_many_arguments, reason = "all that was found out about one migration")]
    async fn within(
        &self,
        session: &Session,
        place: &Place<'_>,
        tasks: &[work::Task<'_>],
        known: &Known,
        from: Option<Progress>,
        resumes_at: Option<usize>,
        looks_away: bool,
    ) -> Result<bool, MigrateError> {
        let begins = Notice::Begins {
            app: place.app.to_owned(),
            name: place.name.to_owned(),
            forwards: place.forwards,
            resumes_at,
        };
        if !session.dialect.has_transactions() {
            (self.tell)(begins);
            if !tasks.is_empty() {
                if !place.forwards && from.is_none() {
                    self.unrecord(session, place).await?;
                }
                run::one_by_one(session, place, tasks, from).await?;
            }
            session.begin(&self.tell).await?;
            let recorded = record_it(session, place).await;
            self.end(session, recorded).await?;
            return Ok(true);
        }
        session.begin(&self.tell).await?;
        let done = async {
            // The lock is taken only now.
            if record::applied(session).await? != known.names {
                return Ok(false);
            }
            (self.tell)(begins);
            let before = if looks_away { Violations::read(session).await? } else { Violations::default() };
            run::at_once(session, place, tasks).await?;
            if looks_away {
                place.check_foreign_keys(session, before).await?;
            }
            record_it(session, place).await?;
            Ok(true)
        };
        let done = done.await;
        self.end(session, done).await
    }

    /// From now on it is one that stopped half-way, with all of it in effect.
    async fn unrecord(&self, session: &Session, place: &Place<'_>) -> Result<(), MigrateError> {
        let whole = place.progress(place.operations.len());
        session.begin(&self.tell).await?;
        let unrecorded = async {
            record::save_progress(session, place.app, place.name, &whole).await?;
            Ok(record::remove(session, place.app, place.name).await?)
        };
        let unrecorded = unrecorded.await;
        self.end(session, unrecorded).await
    }

    /// Commits what went well, and nothing else.
    async fn end<T>(&self, session: &Session, done: Result<T, MigrateError>) -> Result<T, MigrateError> {
        match done {
            Ok(done) => {
                if let Err(error) = session.commit().await {
                    // What it said counts; there may be nothing to roll back.
                    drop(session.rollback().await);
                    return Err(error.into());
                }
                Ok(done)
            }
            Err(error) => {
                if let Err(rollback) = session.rollback().await {
                    tracing::warn!(
                        error = &rollback as &dyn std::error::Error,
                        "a migration could not be rolled back"
                    );
                }
                Err(error)
            }
        }
    }

    async fn make(
        &self,
        graph: &Graph<'_>,
        pending: &[(usize, bool)],
    ) -> Result<Vec<(usize, Duration)>, MigrateError> {
        let mut made = Vec::new();
        for (at, forwards) in pending {
            let node = &graph.nodes[*at];
            if let (NodePart::Made(make), true) = (&node.part, forwards) {
                let begun = Instant::now();
                make().await.map_err(|source| MigrateError::Made { migration: node.label(), source })?;
                made.push((*at, begun.elapsed()));
            }
        }
        Ok(made)
    }
}

async fn record_it(session: &Session, place: &Place<'_>) -> Result<(), MigrateError> {
    if place.forwards {
        record::add(session, place.app, place.name).await?;
    } else {
        record::remove(session, place.app, place.name).await?;
    }
    Ok(record::clear_progress(session, place.app, place.name).await?)
}

/// MySQL has no foreign key between columns of different types: both sides have to change in one migration.
fn check_torn(
    dialect: Dialect,
    graph: &Graph<'_>,
    at: usize,
    forwards: bool,
    before: &Schema,
) -> Result<(), MigrateError> {
    if dialect.has_transactions() {
        return Ok(());
    }
    let mut end = before.clone();
    let operations = graph.nodes[at].operations();
    if forwards {
        for (number, operation) in operations.iter().enumerate() {
            state::apply(&mut end, operation)
                .map_err(|source| graph.does_not_fit(at, number, operation, source))?;
        }
    }
    match (dialect::torn(&end), operations.last()) {
        (Some((table, key)), Some(last)) => {
            let why = format!(
                "at its end the foreign key `{}` of `{table}` would have sides of different types: change both in one migration",
                key.name
            );
            Err(graph.does_not_fit(at, operations.len() - 1, last, why))
        }
        _ => Ok(()),
    }
}
