use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{Path, Query};
use narrows_models::sea_orm::DbErr;
use narrows_models::sea_orm::sea_query::{Condition, Order};
use narrows_web::minijinja::Value;
use narrows_web::minijinja::value::Serde;
use narrows_web::{Db, Result, context};
use serde::Serialize;

use super::filter;
use super::state::{State, sort_text};
use crate::Admin;
use crate::model::{Kind, Model};
use crate::rows::{self, MANY, Row, Selection};
use crate::shell::{AdminPage, Staff};
use crate::value;

#[derive(Debug, Serialize)]
struct Head {
    title: String,
    /// None: it has no order.
    url: Option<String>,
    /// As `aria-sort` says it.
    sorted: Option<&'static str>,
    is_number: bool,
}

#[derive(Debug, Serialize)]
struct Line {
    key: String,
    label: String,
    url: String,
    cells: Vec<Shown>,
}

#[derive(Debug, Serialize)]
struct Shown {
    text: String,
    url: Option<String>,
    /// How it looks: `number`, `yes`, `no`, `none`, or nothing.
    look: &'static str,
}

#[derive(Debug, Serialize)]
struct Step {
    title: String,
    /// None: between these, pages are left out.
    url: Option<String>,
    is_current: bool,
}

/// The list of a model's rows.
pub(crate) async fn list(
    page: AdminPage,
    db: Db,
    Path(table): Path<String>,
    Query(pairs): Query<Vec<(String, String)>>,
) -> Result {
    let model = page.admin().allowed(page.staff(), &table, "view")?;
    let backend = db.database().backend();
    let mut state = State::read(model, &pairs);
    let mut condition = Condition::all();
    for (field, value) in &state.filters {
        // What makes no sense, nothing has.
        let nothing = || Condition::all().add(narrows_models::sea_orm::sea_query::Expr::cust("1 = 0"));
        let narrowed = filter::condition(&model.fields[*field], value, backend).unwrap_or_else(nothing);
        condition = condition.add(narrowed);
    }
    if !model.search.is_empty() && !state.q.is_empty() {
        condition = condition.add(rows::search(model, &model.search, &state.q, backend));
    }
    let count = rows::count(&db, model, condition.clone(), MANY).await?;
    let pages = count.min(MANY).div_ceil(model.per_page).max(1);
    state.page = state.page.min(pages);

    let selection = Selection::short(model, model.list.iter().copied(), backend);
    let mut select = selection.statement();
    select.cond_where(condition).limit(model.per_page).offset((state.page - 1) * model.per_page);
    let (sort, key_order) = match state.sort.or(model.order) {
        Some((field, down)) => (Some((field, down)), if down { Order::Desc } else { Order::Asc }),
        None => (None, Order::Desc),
    };
    if let Some((field, down)) = sort {
        let order = if down { Order::Desc } else { Order::Asc };
        select.order_by_expr(model.fields[field].column(), order);
    }
    for field in &model.key {
        select.order_by_expr(model.fields[*field].column(), key_order.clone());
    }
    let found = selection.all(&db, &select).await?;
    let targets = targets(&db, page.admin(), page.staff(), model, &found).await?;

    let base = page.url_of(model)?;
    let lines: Vec<Line> = found.iter().map(|row| line(&page, model, &base, row, &targets)).collect();
    let mut filters = Vec::new();
    for used in &model.filters {
        let chosen = state.filters.get(&used.field).map(String::as_str);
        filters.push(filter::shown(&db, page.admin(), page.staff(), model, used.field, chosen).await?);
    }
    let may = |action: &str| page.staff().may_do(model, action);
    let is_narrowed = !state.q.is_empty() || !state.filters.is_empty();
    page.render(
        "admin/list.html",
        context! {
            title => model.plural.clone(),
            singular => model.singular.clone(),
            crumbs => page.crumbs(&[(model.plural.as_str(), None)]),
            base => base.clone(),
            heads => Value::from(Serde(heads(model, &state, sort, &base))),
            lines => Value::from(Serde(lines)),
            filters => Value::from(Serde(filters)),
            steps => Value::from(Serde(steps(model, &state, pages, &base))),
            count => counted(model, count),
            has_more => count > MANY && state.page == pages,
            q => state.q.clone(),
            sort => state.sort.map(|(field, down)| sort_text(model, field, down)),
            can_search => !model.search.is_empty(),
            is_narrowed,
            may_add => may("add"),
            may_delete => may("delete"),
        },
    )
}

fn counted(model: &Model, count: u64) -> String {
    match count {
        0 => format!("No {}", model.plural.to_lowercase()),
        1 => format!("1 {}", model.singular.to_lowercase()),
        many if many > MANY => format!("More than {MANY} {}", model.plural.to_lowercase()),
        some => format!("{some} {}", model.plural.to_lowercase()),
    }
}

/// The rows that links of these rows point at, as far as one may see them: by field, then by value.
async fn targets<'a>(
    db: &Db,
    admin: &'a Admin,
    staff: &Staff,
    model: &Model,
    found: &[Row],
) -> Result<HashMap<usize, (&'a Arc<Model>, HashMap<String, Row>)>, DbErr> {
    let mut all = HashMap::new();
    for field in &model.list {
        let Some((target, to)) = admin.target(model, *field) else { continue };
        if !staff.may_do(target, "view") {
            continue;
        }
        let mut values: Vec<String> = found.iter().filter_map(|row| row.cell(*field).clone()).collect();
        values.sort_unstable();
        values.dedup();
        all.insert(*field, (target, rows::labels(db, target, to, values).await?));
    }
    Ok(all)
}

fn line(
    page: &AdminPage,
    model: &Model,
    base: &str,
    row: &Row,
    targets: &HashMap<usize, (&Arc<Model>, HashMap<String, Row>)>,
) -> Line {
    let cells = model.list.iter().map(|field| {
        let kind = &model.fields[*field].kind;
        let Some(cell) = row.cell(*field) else {
            let look =
                if kind.is_number() && model.link_of(*field).is_none() { "none number" } else { "none" };
            return Shown { text: "–".to_owned(), url: None, look };
        };
        if let Some((target, rows)) = targets.get(field)
            && let Some(pointed) = rows.get(cell)
        {
            let url = page.url_of(target).map(|base| format!("{base}{}/", pointed.key)).ok();
            return Shown { text: pointed.label.clone(), url, look: "" };
        }
        let look = match kind {
            Kind::Boolean if cell == "true" => "yes",
            Kind::Boolean => "no",
            kind if kind.is_number() => "number",
            _ => "",
        };
        Shown { text: value::show(kind, cell), url: None, look }
    });
    Line {
        cells: cells.collect(),
        url: format!("{base}{}/", row.key),
        key: row.key.to_string(),
        label: row.label.clone(),
    }
}

fn heads(model: &Model, state: &State, sort: Option<(usize, bool)>, base: &str) -> Vec<Head> {
    let head = |field: &usize| {
        let down = sort.and_then(|(sorted, down)| (sorted == *field).then_some(down));
        // Once more turns it round.
        let next = State { sort: Some((*field, down == Some(false))), page: 1, ..state.clone() };
        Head {
            title: model.fields[*field].title.clone(),
            url: model.fields[*field].kind.has_order().then(|| format!("{base}{}", next.query(model))),
            sorted: down.map(|down| if down { "descending" } else { "ascending" }),
            is_number: model.fields[*field].kind.is_number() && model.link_of(*field).is_none(),
        }
    };
    model.list.iter().map(head).collect()
}

/// The pages around this one, the first and the last; none for a single page.
fn steps(model: &Model, state: &State, pages: u64, base: &str) -> Vec<Step> {
    if pages == 1 {
        return Vec::new();
    }
    let mut steps = Vec::new();
    let mut last = 0;
    for number in 1..=pages {
        let near = number.abs_diff(state.page) <= 2 || number == 1 || number == pages;
        if !near {
            continue;
        }
        if number > last + 1 {
            steps.push(Step { title: "…".to_owned(), url: None, is_current: false });
        }
        last = number;
        let url = State { page: number, ..state.clone() }.query(model);
        steps.push(Step {
            title: number.to_string(),
            url: Some(format!("{base}{url}")),
            is_current: number == state.page,
        });
    }
    steps
}
