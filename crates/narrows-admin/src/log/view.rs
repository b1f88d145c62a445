//! The pages of what was done.

use std::sync::Arc;

use axum::extract::{Path, Query};
use narrows_models::sea_orm::sea_query::Condition;
use narrows_models::sea_orm::{ColumnTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use narrows_web::minijinja::Value;
use narrows_web::minijinja::value::Serde;
use narrows_web::{Db, Error, Result, context};
use serde::{Deserialize, Serialize};

use super::entity::{Column, Entity, Model as Entry};
use super::entry::{Change, MAX_KEY, object_key};
use crate::model::{Model, title};
use crate::rows::{self, Key};
use crate::shell::AdminPage;
use crate::value;

/// So many entries a page has.
const PER_PAGE: u64 = 50;

/// The permission to see all that was done.
const VIEW: &str = "narrows_admin.view_log";

#[derive(Debug, Deserialize)]
pub(crate) struct Asked {
    /// Entries from before the one with this number.
    before: Option<i64>,
    #[serde(default)]
    q: String,
}

#[derive(Debug, Serialize)]
struct Line {
    at: String,
    username: String,
    action: String,
    kind: String,
    label: String,
    url: Option<String>,
    changes: Vec<Shown>,
}

#[derive(Debug, Serialize)]
struct Shown {
    title: String,
    secret: bool,
    old: Option<String>,
    new: Option<String>,
}

/// All that was done.
pub(crate) async fn all(page: AdminPage, db: Db, Query(asked): Query<Asked>) -> Result {
    page.staff().need(VIEW)?;
    let mut find = Entity::find();
    let backend = db.database().backend();
    for word in rows::words(&asked.q) {
        let has = |column: Column| rows::has_word(&column.into_expr(), &word, backend);
        let columns = [Column::Username, Column::ObjectLabel, Column::ObjectTable];
        find = find.filter(columns.map(has).into_iter().fold(Condition::any(), Condition::add));
    }
    let (lines, older) = lines(&page, &db, find, asked.before).await?;
    page.render(
        "admin/log.html",
        context! {
            title => "All changes",
            crumbs => page.crumbs(&[("All changes", None)]),
            lines => Value::from(Serde(lines)),
            older,
            q => asked.q,
            can_search => true,
        },
    )
}

/// What was done to one row, which may be gone by now.
pub(crate) async fn history(
    page: AdminPage,
    db: Db,
    Path((table, key)): Path<(String, String)>,
    Query(asked): Query<Asked>,
) -> Result {
    let model = page.admin().allowed(page.staff(), &table, "view")?.clone();
    let key = Key::parse(&model, &key).ok_or_else(Error::not_found)?;
    let row = rows::one(&db, &model, &key, false).await?;
    // Whatever it was called in the address.
    let key = row.as_ref().map_or(key, |row| row.key.clone());
    let find = Entity::find()
        .filter(Column::ObjectTable.eq(model.table.as_str()))
        .filter(Column::ObjectKey.eq(object_key(&key)));
    let (lines, older) = lines(&page, &db, find, asked.before).await?;
    let label = match (&row, lines.first()) {
        (Some(row), _) => row.label.clone(),
        (None, Some(line)) => line.label.clone(),
        (None, None) => return Err(Error::not_found()),
    };
    let base = page.url_of(&model)?;
    let own = row.is_some().then(|| format!("{base}{key}/"));
    page.render(
        "admin/log.html",
        context! {
            title => format!("History of {label}"),
            crumbs => page.crumbs(&[(&model.plural, Some(&base)), (&label, own.as_deref()), ("History", None)]),
            lines => Value::from(Serde(lines)),
            older,
            q => "",
            can_search => false,
        },
    )
}

async fn lines(
    page: &AdminPage,
    db: &Db,
    find: narrows_models::sea_orm::Select<Entity>,
    before: Option<i64>,
) -> Result<(Vec<Line>, Option<i64>), DbErr> {
    let find = match before {
        Some(id) => find.filter(Column::Id.lt(id)),
        None => find,
    };
    let mut entries = find.order_by_desc(Column::Id).limit(PER_PAGE + 1).all(db).await?;
    let is_more = entries.len() as u64 > PER_PAGE;
    entries.truncate(PER_PAGE as usize);
    let older = entries.last().filter(|_| is_more).map(|entry| entry.id);
    Ok((entries.into_iter().map(|entry| line(page, entry)).collect(), older))
}

fn line(page: &AdminPage, entry: Entry) -> Line {
    let model = page.admin().find(&entry.object_table);
    let may = |model: &&Arc<Model>| page.admin().allowed(page.staff(), &model.table, "view").is_ok();
    let url = model.filter(may).and_then(|model| page.url_of(model).ok());
    let is_gone = entry.action == "delete";
    // What was written by another version of this program is shown without its columns.
    let changes: Vec<Change> = serde_json::from_str(&entry.changes).unwrap_or_default();
    Line {
        at: entry.at.format("%Y-%m-%d %H:%M:%S UTC").to_string(),
        username: entry.username,
        kind: model.map_or_else(|| title(&entry.object_table), |model| model.singular.clone()),
        label: entry.object_label,
        url: url
            .filter(|_| !is_gone && entry.object_key.len() < MAX_KEY)
            .map(|base| format!("{base}{}/", entry.object_key)),
        changes: changes.into_iter().map(|change| shown(model, change)).collect(),
        action: entry.action,
    }
}

fn shown(model: Option<&Arc<Model>>, change: Change) -> Shown {
    let field = model.and_then(|model| model.field(&change.column).map(|at| &model.fields[at]));
    let text = |text: Option<String>| match field {
        Some(field) => text.map(|text| value::show(&field.kind, &text)),
        None => text,
    };
    // It may have become a secret since.
    let secret = change.secret || field.is_some_and(|field| field.secret);
    Shown {
        title: field.map_or_else(|| title(&change.column), |field| field.title.clone()),
        secret,
        old: text(change.old).filter(|_| !secret),
        new: text(change.new).filter(|_| !secret),
    }
}
