use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use narrows_models::sea_orm::sea_query::{Condition, DeleteStatement, Query, UpdateStatement};
use narrows_models::sea_orm::{ConnectionTrait, DbErr};
use serde::Serialize;

use super::going::{Going, cleared, links, pointing, tree};
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
    pub(super) forbidden: BTreeSet<String>,
    /// Whether more may go than was looked at.
    pub(super) is_cut: bool,
    /// The statements, those of the farthest rows first.
    steps: Vec<Step>,
    groups: usize,
}

/// Rows of one model.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Group {
    #[serde(skip)]
    table: String,
    #[serde(skip)]
    found: u64,
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

/// Who asks, and where.
struct Asking<'a, C> {
    connection: &'a C,
    admin: &'a Admin,
    staff: &'a Staff,
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
        let condition = Key::any(model, keys, connection.get_database_backend());
        let going = Going { model, condition, way: vec![&model.table] };
        plan.follow(&Asking { connection, admin, staff }, going).await?;
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
        asking: &Asking<'_, C>,
        going: Going<'_>,
    ) -> Result<(), DbErr> {
        let going = self.with_its_tree(asking, going).await?;
        for child in asking.admin.tables() {
            for on_delete in [OnDelete::Refuse, OnDelete::SetNull, OnDelete::SetDefault, OnDelete::Cascade] {
                let is_own = child.table == going.model.table;
                if is_own && on_delete == OnDelete::Cascade {
                    continue;
                }
                let links: Vec<&Link> = links(child, going.model, on_delete).collect();
                let Some(mut condition) = pointing(child, &links, &going) else { continue };
                if is_own {
                    condition = condition.add(going.condition.clone().not());
                }
                if !self.add(asking, child, on_delete, condition.clone()).await? {
                    continue;
                }
                // Of a table on the way the database deletes and clears by itself, also where it takes no such statement.
                let is_new = !going.way.contains(&child.table.as_str());
                match on_delete {
                    OnDelete::SetNull if is_new => {
                        self.steps.extend(links.iter().map(|link| {
                            let rows = pointing(child, &[link], &going).expect("the link is one of them");
                            Step::Clear(cleared(child, link, rows))
                        }));
                    }
                    OnDelete::Cascade if !is_new || going.way.len() >= MAX_DEPTH || self.is_full() => {
                        self.cut(asking, child);
                    }
                    OnDelete::Cascade => {
                        let mut way = going.way.clone();
                        way.push(&child.table);
                        let further = Going { model: child, condition: condition.clone(), way };
                        Box::pin(self.follow(asking, further)).await?;
                        let delete =
                            Query::delete().from_table(child.table_ref()).cond_where(condition).to_owned();
                        self.steps.push(Step::Delete(delete));
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }

    /// The rows with those that hang on them in the same table, to the last one.
    async fn with_its_tree<'a, C: ConnectionTrait>(
        &mut self,
        asking: &Asking<'_, C>,
        mut going: Going<'a>,
    ) -> Result<Going<'a>, DbErr> {
        let model = going.model;
        let own: Vec<&Link> = links(model, model, OnDelete::Cascade).collect();
        let Some(direct) = pointing(model, &own, &going) else { return Ok(going) };
        let not_themselves = going.condition.clone().not();
        let Some(tree) = tree(&own, &going) else {
            // A key of several columns: the first step is known.
            if self.add(asking, model, OnDelete::Cascade, direct.add(not_themselves)).await? {
                self.cut(asking, model);
            }
            return Ok(going);
        };
        let below = Condition::all().add(tree.clone()).add(not_themselves);
        if self.add(asking, model, OnDelete::Cascade, below).await? {
            going.condition = tree;
        }
        Ok(going)
    }

    /// Notes the rows with this condition; says whether there are any.
    async fn add<C: ConnectionTrait>(
        &mut self,
        asking: &Asking<'_, C>,
        model: &Model,
        on_delete: OnDelete,
        condition: Condition,
    ) -> Result<bool, DbErr> {
        let Some(group) = group(asking, model, condition).await? else { return Ok(false) };
        self.groups += 1;
        let groups = match on_delete {
            OnDelete::Refuse => &mut self.protected,
            OnDelete::SetNull | OnDelete::SetDefault => &mut self.cleared,
            OnDelete::Cascade => {
                self.need(asking, model);
                &mut self.deleted
            }
        };
        match groups.iter_mut().find(|known| known.table == group.table) {
            Some(known) => known.join(model, group),
            None => groups.push(group),
        }
        Ok(true)
    }

    fn is_full(&self) -> bool {
        self.groups >= MAX_GROUPS
    }

    /// Rows of this model go: they need the permission, where anybody is given it.
    fn need<C>(&mut self, asking: &Asking<'_, C>, model: &Model) {
        if asking.admin.is_shown(model) && !asking.staff.may_do(model, "delete") {
            self.forbidden.insert(model.plural.clone());
        }
    }

    /// What hangs on rows of this model is looked at no further: whatever it can be needs its permission.
    fn cut<C>(&mut self, asking: &Asking<'_, C>, model: &Model) {
        self.is_cut = true;
        let mut known: BTreeMap<&str, &Model> = BTreeMap::new();
        let mut next = vec![model];
        while let Some(model) = next.pop() {
            if known.insert(&model.table, model).is_none() {
                let below = asking.admin.tables().map(|child| &**child);
                next.extend(below.filter(|child| links(child, model, OnDelete::Cascade).next().is_some()));
            }
        }
        for model in known.into_values() {
            self.need(asking, model);
        }
    }
}

impl Group {
    /// With more rows of the same model.
    fn join(&mut self, model: &Model, other: Self) {
        self.found += other.found;
        let room = (NAMED as usize).saturating_sub(self.labels.len());
        self.has_more |= other.has_more || other.labels.len() > room;
        self.labels.extend(other.labels.into_iter().take(room));
        (self.title, self.count) = counted(model, self.found);
    }
}

/// The rows with this condition; `None`, where there is none.
async fn group<C: ConnectionTrait>(
    asking: &Asking<'_, C>,
    model: &Model,
    condition: Condition,
) -> Result<Option<Group>, DbErr> {
    let connection = asking.connection;
    let found = rows::count(connection, model, condition.clone(), COUNTED).await?;
    if found == 0 {
        return Ok(None);
    }
    let may_see = asking.admin.is_shown(model) && asking.staff.may_do(model, "view");
    let labels: Vec<String> = if may_see {
        let selection = Selection::short(model, [], connection.get_database_backend());
        let rows =
            selection.all(connection, selection.statement().cond_where(condition).limit(NAMED)).await?;
        rows.into_iter().map(|row| row.label).collect()
    } else {
        Vec::new()
    };
    let (title, count) = counted(model, found);
    let has_more = may_see && found > labels.len() as u64;
    Ok(Some(Group { table: model.table.clone(), found, title, count, has_more, labels }))
}

fn counted(model: &Model, found: u64) -> (String, String) {
    let title = if found == 1 { &model.singular } else { &model.plural };
    let count = if found > COUNTED { format!("more than {COUNTED}") } else { found.to_string() };
    (title.to_lowercase(), count)
}
