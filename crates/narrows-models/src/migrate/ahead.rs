//! What there is, and what would be done.

use super::error::MigrateError;
use super::graph::{Graph, Names, Node, NodePart};
use super::record::{self, Progress};
use super::report::{Planned, PlannedOperation, Status};
use super::session::Session;
use super::{Migrator, work};
use crate::dialect::{Statement, rebuild};

impl Migrator {
    pub(super) async fn look_ahead(self) -> Result<Vec<Planned>, MigrateError> {
        let graph = Graph::new(&self.apps)?;
        let session = Session::open(&self.connection, self.lock_wait).await?;
        let dialect = session.dialect;
        let known = Known::read(&session).await;
        session.close().await?;
        let known = known?;
        let mut applied = graph.applied(&known.names);
        self.check(&graph, &applied)?;
        let steps = graph.steps(&self.target, &applied, &known.begun(&graph))?;
        self.refuse_gone(&graph, &known.names, &steps)?;
        let mut planned = Vec::new();
        for (at, forwards) in steps {
            let node = &graph.nodes[at];
            applied[at] = false;
            let before = graph.schema(&applied)?;
            applied[at] = forwards;
            let operations = if self.fake {
                Vec::new()
            } else if matches!(node.part, NodePart::Made(_)) {
                vec![PlannedOperation { what: "made by the program".to_owned(), sql: Vec::new() }]
            } else {
                let half = known.progress.get(&(node.app.to_owned(), node.name.to_owned()));
                let half = half.map(|half| half.done);
                let tasks = work::tasks(&graph, at, forwards, dialect, &before, half)?;
                let is_left =
                    |task: &&work::Task<'_>| !forwards || half.is_none_or(|done| task.number >= done);
                tasks.iter().filter(is_left).map(planned_operation).collect()
            };
            planned.push(Planned {
                app: node.app.to_owned(),
                name: node.name.to_owned(),
                forwards,
                operations,
            });
        }
        Ok(planned)
    }

    pub(super) async fn look(self) -> Result<Vec<Status>, MigrateError> {
        let graph = Graph::new(&self.apps)?;
        let known = self.known().await?;
        let applied = graph.applied(&known.names);
        let gone = graph.gone(&known.names);
        let mut all = Vec::new();
        for app in &self.apps {
            for at in graph.of_app(&app.name)? {
                let node = &graph.nodes[at];
                let half = known.progress.get(&(node.app.to_owned(), node.name.to_owned()));
                all.push(Status {
                    app: app.name.clone(),
                    name: node.name.to_owned(),
                    applied: applied[at],
                    half: half.map(|half| half.done),
                    known: true,
                });
            }
            all.extend(gone.iter().filter(|(of, _)| *of == app.name).map(|(app, name)| Status {
                app: app.clone(),
                name: name.clone(),
                applied: true,
                half: None,
                known: false,
            }));
        }
        Ok(all)
    }

    /// What the database knows, read over a connection that goes back at once.
    pub(super) async fn known(&self) -> Result<Known, MigrateError> {
        let session = Session::open(&self.connection, self.lock_wait).await?;
        let known = Known::read(&session).await;
        session.close().await?;
        known
    }

    /// A record that is missing can be put there.
    pub(super) fn check(&self, graph: &Graph<'_>, applied: &[bool]) -> Result<(), MigrateError> {
        if self.fake { Ok(()) } else { graph.check(applied) }
    }

    pub(super) fn refuse_gone(
        &self,
        graph: &Graph<'_>,
        names: &Names,
        steps: &[(usize, bool)],
    ) -> Result<(), MigrateError> {
        for (app, name) in graph.gone(names) {
            if let Some((at, _)) = steps.iter().find(|(at, _)| graph.nodes[*at].app == app) {
                return Err(MigrateError::Gone {
                    gone: format!("{app}.{name}"),
                    pending: graph.nodes[*at].label(),
                });
            }
        }
        Ok(())
    }
}

/// What the database knows of migrations.
pub(super) struct Known {
    pub(super) names: Names,
    pub(super) progress: std::collections::HashMap<(String, String), Progress>,
}

impl Known {
    pub(super) async fn read(session: &Session) -> Result<Self, MigrateError> {
        Ok(Self { names: record::applied(session).await?, progress: record::progress(session).await? })
    }

    pub(super) fn begun(&self, graph: &Graph<'_>) -> Vec<bool> {
        let is_begun = |node: &Node<'_>| {
            let progress = self.progress.get(&(node.app.to_owned(), node.name.to_owned()));
            progress.is_some_and(|progress| progress.done > 0 || progress.statements > 0 || progress.unsure)
        };
        graph.nodes.iter().map(is_begun).collect()
    }
}

fn planned_operation(task: &work::Task<'_>) -> PlannedOperation {
    let mut sql = Vec::new();
    for step in &task.steps {
        match step {
            work::Step::Statement(Statement::Sql(text)) | work::Step::Script(text) => sql.push(text.clone()),
            work::Step::Statement(Statement::If { sql: text, .. }) => {
                sql.push(format!("-- where it is needed: {text}"));
            }
            work::Step::Statement(Statement::Refuse { why, .. }) => {
                sql.push(format!("-- refused where {why}"));
            }
            work::Step::Statement(Statement::Rebuild(rebuild)) => {
                sql.push(
                    "-- after PRAGMA foreign_keys = OFF, which has to come before the transaction".to_owned(),
                );
                let all = rebuild::statements(rebuild, &[], &[]);
                sql.extend(all.unwrap_or_default());
            }
            work::Step::Run(_) => sql.push("-- code of the site".to_owned()),
        }
    }
    PlannedOperation { what: task.what.clone(), sql }
}
