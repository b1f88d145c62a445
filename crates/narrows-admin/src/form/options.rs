use axum::extract::{Path, Query};
use narrows_models::sea_orm::sea_query::{Condition, ExprTrait};
use narrows_web::minijinja::Value;
use narrows_web::minijinja::value::Serde;
use narrows_web::{Db, Error, Result, context};
use serde::Serialize;

use crate::model::Label;
use crate::rows::{self, Selection};
use crate::shell::AdminPage;
use crate::value;

/// So many rows are offered for what is typed.
const OFFERED: u64 = 20;

#[derive(Debug, Serialize)]
struct Offer {
    value: String,
    title: String,
}

/// The rows that a field can point at, for what was typed into its input so far: a part of a page.
pub(crate) async fn options(
    page: AdminPage,
    db: Db,
    Path((table, column)): Path<(String, String)>,
    Query(pairs): Query<Vec<(String, String)>>,
) -> Result {
    let model = page.admin().find(&table).ok_or_else(Error::not_found)?;
    let may = |action: &str| page.staff().may_do(model, action);
    if !(may("add") || may("change")) {
        return Err(Error::forbidden());
    }
    let field = model.field(&column).ok_or_else(Error::not_found)?;
    let (target, to) = page.admin().target(model, field).ok_or_else(Error::not_found)?;
    page.admin().allowed(page.staff(), &target.table, "view")?;
    let typed = pairs.iter().find(|(name, _)| *name == column).map_or("", |(_, value)| value.trim());

    let backend = db.database().backend();
    let mut any = Condition::any();
    let mut fields = target.search.clone();
    match target.label {
        Label::Field(label) => fields.push(label),
        // What a row is called by then is made of something in it.
        _ if fields.is_empty() => {
            fields.extend(target.list.iter().filter(|at| target.fields[**at].kind.is_text()));
        }
        _ => {}
    }
    if !fields.is_empty() {
        any = any.add(rows::search(target, &fields, typed, backend));
    }
    if let Some(value) = value::bind(&target.fields[to], &Some(typed.to_owned()), backend) {
        any = any.add(target.fields[to].column().eq(value));
    }
    let selection = Selection::short(target, [to], backend);
    let found = selection.all(&db, selection.statement().cond_where(any).limit(OFFERED)).await?;
    let offers: Vec<Offer> = found
        .into_iter()
        .filter_map(|row| Some(Offer { value: row.cell(to).clone()?, title: row.label }))
        .collect();
    page.render("admin/options.html", context! { offers => Value::from(Serde(offers)) })
}
