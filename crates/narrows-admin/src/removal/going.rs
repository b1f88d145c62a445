//! Rows that go, as conditions: whatever their number, they are never read.

use std::sync::Arc;

use narrows_models::sea_orm::sea_query::{
    Alias, CommonTableExpression, Condition, Expr, ExprTrait, Query, SelectStatement, UnionType,
    UpdateStatement, WithClause,
};

use crate::model::{Link, Model, OnDelete};

/// Rows that go: those of a model with this condition.
pub(super) struct Going<'a> {
    pub(super) model: &'a Arc<Model>,
    pub(super) condition: Condition,
    /// The tables on the way to them.
    pub(super) way: Vec<&'a str>,
}

/// How one model points at another, with what becomes of its rows.
pub(super) fn links<'a>(
    child: &'a Model,
    to: &'a Model,
    on_delete: OnDelete,
) -> impl Iterator<Item = &'a Link> {
    child.links.iter().filter(move |link| link.to_table == to.table && link.on_delete == on_delete)
}

/// The rows of a model that point by one of these links at what goes; `None` without a link.
pub(super) fn pointing(child: &Model, links: &[&Link], going: &Going<'_>) -> Option<Condition> {
    let one = |link: &&Link| {
        let mut targets: SelectStatement = Query::select();
        targets.from(going.model.table_ref()).cond_where(going.condition.clone());
        for column in &link.to_columns {
            targets.expr(going.model.fields[going.model.field(column)?].column());
        }
        let column = match link.fields.as_slice() {
            [field] => child.fields[*field].column(),
            fields => Expr::tuple(fields.iter().map(|field| child.fields[*field].column())),
        };
        Some(column.in_subquery(targets))
    };
    let mut conditions = links.iter().filter_map(one).peekable();
    conditions.peek()?;
    let any = conditions.fold(Condition::any(), Condition::add);
    Some(Condition::all().add(any))
}

/// What goes with all that hangs on it by links of its own table; `None` where those do not point at a key of one column.
pub(super) fn tree(own: &[&Link], going: &Going<'_>) -> Option<Condition> {
    let model = going.model;
    let [key] = model.key.as_slice() else { return None };
    let key = &model.fields[*key];
    let (all, found, row) = (Alias::new(format!("narrows_tree_{}", going.way.len())), "found", "row");
    let mut points = Condition::any();
    for link in own {
        let ([field], [to]) = (link.fields.as_slice(), link.to_columns.as_slice()) else { return None };
        if *to != key.name {
            return None;
        }
        let parent = Expr::col((row, Alias::new(&model.fields[*field].name)));
        points = points.add(parent.equals((all.clone(), found)));
    }
    let first = Query::select()
        .expr_as(key.column(), found)
        .from(model.table_ref())
        .cond_where(going.condition.clone())
        .to_owned();
    let next = Query::select()
        .column((row, Alias::new(&key.name)))
        .from_as(Alias::new(&model.table), row)
        .inner_join(all.clone(), points)
        .to_owned();
    let tree = CommonTableExpression::new()
        .table_name(all.clone())
        .column(found)
        .query(first.clone().union(UnionType::Distinct, next).to_owned())
        .to_owned();
    let keys = Query::select()
        .column(found)
        .from(all)
        .with_cte(WithClause::new().recursive(true).cte(tree).to_owned())
        .to_owned();
    Some(Condition::all().add(key.column().in_subquery(keys)))
}

/// The statement that has rows point at nothing.
pub(super) fn cleared(child: &Model, link: &Link, condition: Condition) -> UpdateStatement {
    let mut update = Query::update();
    update.table(child.table_ref()).cond_where(condition);
    for field in &link.fields {
        update.value(Alias::new(&child.fields[*field].name), Expr::cust("NULL"));
    }
    update
}
