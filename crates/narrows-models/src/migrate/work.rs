//! What is to be done for a migration, in one direction, before anything is.

use super::error::MigrateError;
use super::graph::Graph;
use super::{BoxError, describe};
use crate::dialect::{Dialect, DialectError, Statement};
use crate::migration::{Operation, RunFn};
use crate::schema::Schema;
use crate::state;

/// What is to be done for one operation of a migration.
pub(super) struct Task<'a> {
    /// Its place in the migration.
    pub(super) number: usize,
    pub(super) what: String,
    pub(super) steps: Vec<Step<'a>>,
}

pub(super) enum Step<'a> {
    Statement(Statement),
    /// SQL of the site's own, several statements too.
    Script(String),
    Run(&'a RunFn),
}

impl Step<'_> {
    pub(super) fn only_looks(&self) -> bool {
        matches!(self, Step::Statement(Statement::Refuse { .. }))
    }
}

/// The tasks of a migration that meets this schema, in the order in which they are done. Of one that stopped half-way only
/// so many operations are in effect, and to be taken back.
pub(super) fn tasks<'a>(
    graph: &Graph<'a>,
    at: usize,
    forwards: bool,
    dialect: Dialect,
    schema: &Schema,
    in_effect: Option<usize>,
) -> Result<Vec<Task<'a>>, MigrateError> {
    let operations = graph.operations(at);
    let mut states = vec![schema.clone()];
    let mut tasks = Vec::new();
    for (number, operation) in operations.iter().enumerate() {
        let before = &states[number];
        let mut after = before.clone();
        let wrong = |source: BoxError| graph.does_not_fit(at, number, operation, source);
        state::apply(&mut after, operation).map_err(|source| wrong(source.into()))?;
        if forwards {
            let steps = steps(dialect, before, operation).map_err(|source| wrong(source.into()))?;
            tasks.push(Task {
                number,
                what: describe(operation),
                steps: with_code(operation, forwards, dialect, steps),
            });
        }
        states.push(after);
    }
    if forwards {
        return Ok(tasks);
    }
    let in_effect = in_effect.unwrap_or(operations.len());
    for (number, operation) in operations.iter().enumerate().take(in_effect).rev() {
        let reversed = operation.reversed(&states[number]).map_err(|source| MigrateError::Irreversible {
            migration: graph.nodes[at].label(),
            operation: number + 1,
            what: describe(operation),
            source: Box::new(source),
        })?;
        let mut now = states[number + 1].clone();
        let mut all = Vec::new();
        for back in &reversed {
            let wrong = |source: BoxError| graph.does_not_fit(at, number, back, source);
            all.extend(steps(dialect, &now, back).map_err(|source| wrong(source.into()))?);
            state::apply(&mut now, back).map_err(|source| wrong(source.into()))?;
        }
        let what = format!("back from: {}", describe(operation));
        tasks.push(Task { number, what, steps: with_code(operation, forwards, dialect, all) });
    }
    Ok(tasks)
}

fn steps(dialect: Dialect, before: &Schema, operation: &Operation) -> Result<Vec<Statement>, DialectError> {
    dialect.statements(before, operation)
}

fn with_code<'a>(
    operation: &'a Operation,
    forwards: bool,
    dialect: Dialect,
    steps: Vec<Statement>,
) -> Vec<Step<'a>> {
    match operation {
        Operation::Run(run) => {
            let code = if forwards { &run.forwards } else { &run.backwards };
            code.iter().map(Step::Run).collect()
        }
        Operation::Sql(sql) => {
            let text = if forwards { &sql.forwards } else { &sql.backwards };
            let text = text.as_ref().map(|text| text.of(dialect).to_owned());
            // Nothing is to be done for this database.
            text.filter(|text| !text.trim().is_empty()).into_iter().map(Step::Script).collect()
        }
        _ => steps.into_iter().map(Step::Statement).collect(),
    }
}

/// Whether SQLite has to look away from foreign keys meanwhile: dropping a table deletes its rows.
pub(super) fn drops_tables(tasks: &[Task<'_>]) -> bool {
    tasks.iter().flat_map(|task| &task.steps).any(|step| match step {
        Step::Statement(Statement::Rebuild(_)) => true,
        Step::Statement(Statement::Sql(sql)) => sql.starts_with("DROP TABLE"),
        _ => false,
    })
}
