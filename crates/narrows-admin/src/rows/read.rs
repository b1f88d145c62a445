use std::collections::{BTreeMap, HashMap};

use narrows_models::sea_orm::sea_query::{
    Alias, Asterisk, Condition, Expr, ExprTrait, Func, Order, Query, SelectStatement,
};
use narrows_models::sea_orm::{ConnectionTrait, DbBackend, DbErr, QueryResult};

use super::Key;
use crate::model::{Label, Model};
use crate::value::{self, Cell};

/// Rows are counted up to here; beyond, there are more.
pub(crate) const MANY: u64 = 10_000;

/// A row, as far as it was asked for.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) key: Key,
    pub(crate) label: String,
    cells: BTreeMap<usize, Cell>,
}

impl Row {
    /// What a field holds; it must have been selected.
    pub(crate) fn cell(&self, field: usize) -> &Cell {
        self.cells.get(&field).unwrap_or(&None)
    }
}

/// Which fields are read.
#[derive(Debug)]
pub(crate) struct Selection<'a> {
    model: &'a Model,
    fields: Vec<usize>,
    short: bool,
    backend: DbBackend,
}

impl<'a> Selection<'a> {
    /// These, with long texts cut off, as lists need them.
    pub(crate) fn short(
        model: &'a Model,
        fields: impl IntoIterator<Item = usize>,
        backend: DbBackend,
    ) -> Self {
        Self::new(model, fields, true, backend)
    }

    /// All fields but secrets, whole.
    pub(crate) fn whole(model: &'a Model, backend: DbBackend) -> Self {
        let fields = (0..model.fields.len()).filter(|at| !model.fields[*at].secret);
        Self::new(model, fields, false, backend)
    }

    fn new(
        model: &'a Model,
        fields: impl IntoIterator<Item = usize>,
        short: bool,
        backend: DbBackend,
    ) -> Self {
        let mut fields: Vec<usize> = fields.into_iter().chain(model.key.iter().copied()).collect();
        if let Label::Field(label) = model.label {
            fields.push(label);
        }
        fields.sort_unstable();
        fields.dedup();
        Self { model, fields, short, backend }
    }

    /// The statement, without a condition.
    pub(crate) fn statement(&self) -> SelectStatement {
        let mut select = match &self.model.label {
            Label::Own { select, .. } => (**select).clone(),
            _ => Query::select().from(self.model.table_ref()).to_owned(),
        };
        for at in &self.fields {
            // A key is needed as it is.
            let short = self.short && !self.model.key.contains(at);
            let value = value::select(&self.model.fields[*at], self.backend, short);
            select.expr_as(value, Alias::new(alias(*at)));
        }
        select
    }

    /// Reads a row of the statement.
    pub(crate) fn read(&self, row: &QueryResult) -> Result<Row, DbErr> {
        let model = self.model;
        let mut cells = BTreeMap::new();
        for at in &self.fields {
            cells.insert(*at, value::read(&model.fields[*at], row, &alias(*at), self.backend)?);
        }
        let text = |at: &usize| cells.get(at).cloned().flatten();
        let key = Key(model.key.iter().map(|at| text(at).unwrap_or_default()).collect());
        let label = match &model.label {
            Label::Field(at) => text(at).map(|label| value::shortened(&label, value::SHORT as usize)),
            Label::Key => None,
            // SQLite keeps anything anywhere: a row that its type cannot read is called by its key.
            Label::Own { of, .. } => of(row).ok(),
        };
        let label = label.filter(|label| !label.trim().is_empty());
        let label = label.unwrap_or_else(|| format!("{} {}", model.singular, key.plain()));
        Ok(Row { key, label, cells })
    }

    /// The rows of a statement made of [`statement`](Self::statement).
    pub(crate) async fn all<C: ConnectionTrait>(
        &self,
        connection: &C,
        select: &SelectStatement,
    ) -> Result<Vec<Row>, DbErr> {
        let rows = connection.query_all(select).await?;
        rows.iter().map(|row| self.read(row)).collect()
    }
}

/// No column is called so.
fn alias(field: usize) -> String {
    format!("narrows_{field}")
}

/// The whole row with this key.
pub(crate) async fn one<C: ConnectionTrait>(
    connection: &C,
    model: &Model,
    key: &Key,
    lock: bool,
) -> Result<Option<Row>, DbErr> {
    let backend = connection.get_database_backend();
    let Some(condition) = key.condition(model, backend) else { return Ok(None) };
    let selection = Selection::whole(model, backend);
    let mut select = selection.statement();
    select.cond_where(condition).limit(1);
    // A transaction that writes has SQLite's one lock already.
    if lock && backend != DbBackend::Sqlite {
        select.lock_exclusive();
    }
    let row = connection.query_one(&select).await?;
    row.map(|row| selection.read(&row)).transpose()
}

/// The whole rows with these keys, by their keys.
pub(crate) async fn some<C: ConnectionTrait>(
    connection: &C,
    model: &Model,
    keys: &[Key],
    lock: bool,
) -> Result<Vec<Row>, DbErr> {
    let backend = connection.get_database_backend();
    let selection = Selection::whole(model, backend);
    let mut select = selection.statement();
    select.cond_where(Key::any(model, keys, backend));
    for field in &model.key {
        select.order_by_expr(model.fields[*field].column(), Order::Asc);
    }
    if lock && backend != DbBackend::Sqlite {
        select.lock_exclusive();
    }
    selection.all(connection, &select).await
}

/// How many rows there are, up to [`MANY`] and one.
pub(crate) async fn count<C: ConnectionTrait>(
    connection: &C,
    model: &Model,
    condition: Condition,
    at_most: u64,
) -> Result<u64, DbErr> {
    let some = Query::select()
        .expr_as(Expr::val(1), Alias::new("one"))
        .from(model.table_ref())
        .cond_where(condition)
        .limit(at_most + 1)
        .to_owned();
    let count = Query::select()
        .expr(Func::count(Expr::col(Asterisk)))
        .from_subquery(some, Alias::new("some"))
        .to_owned();
    let row = connection.query_one(&count).await?;
    let count: i64 = row.map(|row| row.try_get_by_index(0)).transpose()?.unwrap_or_default();
    Ok(u64::try_from(count).unwrap_or_default())
}

/// The labels and keys of the rows that have these values in this field.
pub(crate) async fn labels<C: ConnectionTrait>(
    connection: &C,
    model: &Model,
    field: usize,
    values: Vec<String>,
) -> Result<HashMap<String, Row>, DbErr> {
    let backend = connection.get_database_backend();
    let column = &model.fields[field];
    let values: Vec<Expr> =
        values.into_iter().filter_map(|value| value::bind(column, &Some(value), backend)).collect();
    if values.is_empty() {
        return Ok(HashMap::new());
    }
    let selection = Selection::short(model, [field], backend);
    let mut select = selection.statement();
    select.and_where(column.column().is_in(values)).limit(MANY);
    let rows = selection.all(connection, &select).await?;
    Ok(rows.into_iter().filter_map(|row| Some((row.cell(field).clone()?, row))).collect())
}
