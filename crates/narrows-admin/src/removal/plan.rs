use std::sync::Arc;

use narrows_models::sea_orm::sea_query::{
    Alias, Condition, DeleteStatement, Expr, ExprTrait, Query, SelectStatement, UpdateStatement,
};
use narrows_models::sea_orm::{ConnectionTrait, DbErr};
use serde::Serialize;

use crate::Admin;
use crate::model::{Link, Model, OnDelete};
use crate::rows::{self, Key, Selection};
use crate::shell::Staff;

/// So far relations are followed; the database follows them to their end.
const MAX_DEPTH: usize = 6;

/// So many kinds of rows are looked at.
const MAX_GROUPS: usize = 60;

/// Rows of a kind are counted up to here.
const COUNTED: u64 = 1_000;

/// So many of them are named.
const NAMED: u64 = 10;

/// What a deletion does to other rows.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// They go with it.
    pub(super) deleted: Vec<Group>,
    /// They point at nothing then.
    pub(super) cleared: Vec<Group>,
    /// They are in its way.
    pub(super) protected: Vec<Group>,
    /// Models of which rows would go, that one may not delete.
    pub(super) forbidden: Vec<String>,
    /// The statements, those of the farthest rows first.
    steps: Vec<Step>,
    groups: usize,
}

/// Rows of one model.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Group {
    title: String,
    count: String,
    /// What some of them are called, where one may see them.
    labels: Vec<String>,
    has_more: bool,
}

#[derive(Debug)]
enum Step {
    Delete(DeleteStatement),
    Clear(UpdateStatement),
}

/// Rows that go: those of a model with this condition.
struct Going<'a> {
    model: &'a Arc<Model>,
    condition: Condition,
    /// The tables on the way to them.
    way: Vec<&'a str>,
}

impl Plan {
    /// What becomes of other rows when these go.
    pub(super) async fn make<C: ConnectionTrait>(
        connection: &C,
        admin: &Admin,
        staff: &Staff,
        model: &Arc<Model>,
        keys: &[Key],
    ) -> Result<Self, DbErr> {
        let mut plan = Self::default();
        let condition = any(model, keys, connection);
        let going = Going { model, condition, way: vec![&model.table] };
        plan.follow(connection, admin, staff, going).await?;
        Ok(plan)
    }

    /// Whether the rows can go.
    pub(super) fn is_possible(&self) -> bool {
        self.protected.is_empty() && self.forbidden.is_empty()
    }

    /// Does to the other rows what is to be done.
    pub(super) async fn carry_out<C: ConnectionTrait>(&self, connection: &C) -> Result<(), DbErr> {
        for step in &self.steps {
            match step {
                Step::Delete(delete) => connection.execute(delete).await?,
                Step::Clear(update) => connection.execute(update).await?,
            };
        }
        Ok(())
    }

    /// What goes besides, in a few words.
    pub(super) fn summary(&self) -> Option<String> {
        let groups: Vec<String> =
            self.deleted.iter().map(|group| format!("{} {}", group.count, group.title)).collect();
        (!groups.is_empty()).then(|| groups.join(", "))
    }

    async fn follow<C: ConnectionTrait>(
        &mut self,
        connection: &C,
        admin: &Admin,
        staff: &Staff,
        going: Going<'_>,
    ) -> Result<(), DbErr> {
        for child in admin.tables() {
            for link in child.links.iter().filter(|link| link.to_table == going.model.table) {
                let Some(mut condition) = pointing(child, link, &going) else { continue };
                let is_own = child.table == going.model.table;
                if is_own {
                    condition = condition.add(going.condition.clone().not());
                }
                let is_shown = admin.is_shown(child);
                let group = group(connection, staff, child, is_shown, condition.clone()).await?;
                let Some(group) = group else { continue };
                self.groups += 1;
                match link.on_delete {
                    OnDelete::Refuse => self.protected.push(group),
                    OnDelete::SetNull => {
                        self.cleared.push(group);
                        // The rows of one table all at once are the database's own matter.
                        if !is_own {
                            self.steps.push(Step::Clear(cleared(child, link, condition)));
                        }
                    }
                    OnDelete::SetDefault => self.cleared.push(group),
                    OnDelete::Cascade => {
                        self.deleted.push(group);
                        if is_shown
                            && !staff.may_do(child, "delete")
                            && !self.forbidden.contains(&child.plural)
                        {
                            self.forbidden.push(child.plural.clone());
                        }
                        let is_new = !going.way.contains(&child.table.as_str());
                        if !is_new || going.way.len() >= MAX_DEPTH || self.groups >= MAX_GROUPS {
                            continue;
                        }
                        let mut way = going.way.clone();
                        way.push(&child.table);
                        let further = Going { model: child, condition: condition.clone(), way };
                        Box::pin(self.follow(connection, admin, staff, further)).await?;
                        let delete =
                            Query::delete().from_table(child.table_ref()).cond_where(condition).to_owned();
                        self.steps.push(Step::Delete(delete));
                    }
                }
            }
        }
        Ok(())
    }
}

/// The rows with these keys.
pub(super) fn any<C: ConnectionTrait>(model: &Model, keys: &[Key], connection: &C) -> Condition {
    let backend = connection.get_database_backend();
    let mut any = Condition::any();
    for key in keys {
        // A key that no row can have finds none.
        any = any.add(key.condition(model, backend).unwrap_or_else(|| Expr::cust("1 = 0").into()));
    }
    any
}

/// The rows of a model that point by this link at what goes.
fn pointing(child: &Model, link: &Link, going: &Going<'_>) -> Option<Condition> {
    let mut targets: SelectStatement = Query::select();
    targets.from(going.model.table_ref()).cond_where(going.condition.clone());
    for column in &link.to_columns {
        targets.expr(going.model.fields[going.model.field(column)?].column());
    }
    let column = match link.fields.as_slice() {
        [field] => child.fields[*field].column(),
        fields => Expr::tuple(fields.iter().map(|field| child.fields[*field].column())),
    };
    Some(Condition::all().add(column.in_subquery(targets)))
}

fn cleared(child: &Model, link: &Link, condition: Condition) -> UpdateStatement {
    let mut update = Query::update();
    update.table(child.table_ref()).cond_where(condition);
    for field in &link.fields {
        update.value(Alias::new(&child.fields[*field].name), Expr::cust("NULL"));
    }
    update
}

/// The rows with this condition; `None`, where there is none.
async fn group<C: ConnectionTrait>(
    connection: &C,
    staff: &Staff,
    model: &Model,
    is_shown: bool,
    condition: Condition,
) -> Result<Option<Group>, DbErr> {
    let count = rows::count(connection, model, condition.clone(), COUNTED).await?;
    if count == 0 {
        return Ok(None);
    }
    let may_see = is_shown && staff.may_do(model, "view");
    let labels: Vec<String> = if may_see {
        let selection = Selection::short(model, [], connection.get_database_backend());
        let rows =
            selection.all(connection, selection.statement().cond_where(condition).limit(NAMED)).await?;
        rows.into_iter().map(|row| row.label).collect()
    } else {
        Vec::new()
    };
    Ok(Some(Group {
        title: if count == 1 { model.singular.to_lowercase() } else { model.plural.to_lowercase() },
        count: if count > COUNTED { format!("more than {COUNTED}") } else { count.to_string() },
        has_more: may_see && count > labels.len() as u64,
        labels,
    }))
}
