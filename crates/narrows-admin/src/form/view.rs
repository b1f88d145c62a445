use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Form, Path};
use axum::response::{IntoResponse, Redirect};
use http::StatusCode;
use narrows_web::minijinja::Value;
use narrows_web::minijinja::value::Serde;
use narrows_web::{Db, Error, Result, context};

use super::input::{Input, Making, Problems, Texts, edited, texts};
use super::save::{Outcome, Sent};
use super::was::Was;
use crate::model::{Model, Role};
use crate::rows::{self, Key, Row};
use crate::shell::AdminPage;
use crate::users;

type Pairs = Vec<(String, String)>;

/// The form of a new row.
pub(crate) async fn add(page: AdminPage, db: Db, Path(table): Path<String>) -> Result {
    let model = addable(&page, &table)?;
    let texts = texts(&model, page.staff(), None);
    show(&page, &db, &model, None, &texts, &Problems::default()).await
}

pub(crate) async fn submit_add(
    page: AdminPage,
    db: Db,
    Path(table): Path<String>,
    Form(pairs): Form<Pairs>,
) -> Result {
    let model = addable(&page, &table)?;
    let sent = sent(&page, &model, &pairs, true);
    let texts = sent.texts.clone();
    match db.database().run(|pool| sent.add(pool)).await? {
        Outcome::Saved { key, label, .. } => {
            page.success(format!("{} “{label}” was added.", model.singular));
            after(&page, &model, &key, &pairs)
        }
        Outcome::Problems(problems) => {
            let page = page.status(StatusCode::UNPROCESSABLE_ENTITY);
            show(&page, &db, &model, None, &texts, &problems).await
        }
        Outcome::Conflict { .. } | Outcome::Gone | Outcome::Forbidden => Err(Error::forbidden()),
    }
}

/// The form of a row; its values alone for those who may not change it.
pub(crate) async fn change(page: AdminPage, db: Db, Path((table, key)): Path<(String, String)>) -> Result {
    let model = page.admin().allowed(page.staff(), &table, "view")?.clone();
    let key = Key::parse(&model, &key).ok_or_else(Error::not_found)?;
    let row = rows::one(&db, &model, &key, false).await?.ok_or_else(Error::not_found)?;
    let texts = texts(&model, page.staff(), Some(&row));
    show(&page, &db, &model, Some(&row), &texts, &Problems::default()).await
}

pub(crate) async fn submit_change(
    page: AdminPage,
    db: Db,
    Path((table, key)): Path<(String, String)>,
    Form(pairs): Form<Pairs>,
) -> Result {
    let model = page.admin().allowed(page.staff(), &table, "change")?.clone();
    let key = Key::parse(&model, &key).ok_or_else(Error::not_found)?;
    let shown: Vec<usize> =
        edited(&model, page.staff(), false).into_iter().filter(|at| !model.fields[*at].secret).collect();
    let was = pairs.iter().find(|(name, _)| name == "_was").and_then(|(_, text)| Was::parse(text, &shown));
    let past = was.clone();
    let sent = sent(&page, &model, &pairs, false);
    let texts = sent.texts.clone();
    let (the_key, wanted) = (key.clone(), db.database().clone());
    match wanted.run(|pool| sent.change(pool, the_key, was)).await? {
        Outcome::Forbidden => Err(Error::forbidden()),
        Outcome::Saved { key, label, is_changed, may_less } => {
            users::changed(&page, &model, std::slice::from_ref(&key), may_less).await?;
            let done = if is_changed { "was changed" } else { "was not changed: there was nothing to save" };
            page.success(format!("{} “{label}” {done}.", model.singular));
            after(&page, &model, &key, &pairs)
        }
        Outcome::Problems(problems) => {
            let row = rows::one(&db, &model, &key, false).await?.ok_or_else(Error::not_found)?;
            let page = page.status(StatusCode::UNPROCESSABLE_ENTITY);
            // The form goes on from what it began with: what changes meanwhile is still found.
            let about = About { row: Some(&row), texts: &texts, problems: &problems, past };
            form(&page, &db, &model, about, Vec::new()).await
        }
        Outcome::Conflict { row, texts, problems } => {
            let page = page.status(StatusCode::CONFLICT);
            show(&page, &db, &model, Some(&row), &texts, &problems).await
        }
        Outcome::Gone => {
            page.warning(format!(
                "Somebody else deleted this {} in the meantime.",
                model.singular.to_lowercase()
            ));
            Ok(Redirect::to(&page.url_of(&model)?).into_response())
        }
    }
}

/// Users have a form of their own to be added by, in whatever letters their table is written in an address.
fn addable(page: &AdminPage, table: &str) -> Result<Arc<Model>, Error> {
    let model = page.admin().allowed(page.staff(), table, "add")?.clone();
    if model.role == Role::Users { Err(Error::not_found()) } else { Ok(model) }
}

pub(crate) fn sent(page: &AdminPage, model: &Arc<Model>, pairs: &Pairs, is_new: bool) -> Sent {
    let mut texts = Texts::new();
    for at in edited(model, page.staff(), is_new) {
        // A name that comes twice is no form of ours; the first counts.
        let text = pairs.iter().find(|(name, _)| *name == model.fields[at].name);
        texts.insert(at, text.map_or_else(String::new, |(_, text)| text.clone()));
    }
    Sent {
        admin: page.shared_admin(),
        model: model.clone(),
        staff: page.staff().clone(),
        accounts: page.site().accounts().clone(),
        more: BTreeMap::new(),
        texts,
    }
}

/// Where the button that was pressed leads.
fn after(page: &AdminPage, model: &Model, key: &Key, pairs: &Pairs) -> Result {
    let base = page.url_of(model)?;
    let pressed = |button: &str| pairs.iter().any(|(name, _)| name == button);
    let may = |action: &str| page.staff().may_do(model, action);
    let path = if pressed("_continue") && may("view") {
        format!("{base}{key}/")
    } else if pressed("_another") && may("add") {
        format!("{base}add/")
    } else if may("view") {
        base
    } else {
        page.site().url_for::<&str, &str>("admin:index", &[])?
    };
    Ok(Redirect::to(&path).into_response())
}

async fn show(
    page: &AdminPage,
    db: &Db,
    model: &Model,
    row: Option<&Row>,
    texts: &Texts,
    problems: &Problems,
) -> Result {
    form(page, db, model, About { row, texts, problems, past: None }, Vec::new()).await
}

/// The form of a new row, with inputs that are no columns by themselves.
pub(crate) async fn show_new(
    page: &AdminPage,
    db: &Db,
    model: &Model,
    texts: &Texts,
    problems: &Problems,
    more: Vec<Input>,
) -> Result {
    form(page, db, model, About { row: None, texts, problems, past: None }, more).await
}

/// What a form is about.
struct About<'a> {
    row: Option<&'a Row>,
    texts: &'a Texts,
    problems: &'a Problems,
    /// What the row was when the form was first made; None: what it is now.
    past: Option<Was>,
}

async fn form(page: &AdminPage, db: &Db, model: &Model, about: About<'_>, more: Vec<Input>) -> Result {
    let About { row, texts, problems, past } = about;
    let base = page.url_of(model)?;
    let may = |action: &str| page.staff().may_do(model, action);
    let accounts = page.site().accounts();
    let may_touch = row.is_none_or(|row| users::may_touch(page.staff(), accounts, model, row));
    let may_save = may_touch && if row.is_none() { may("add") } else { may("change") };
    let url_of = |model: &Model| page.url_of(model).ok();
    let making = Making { connection: db, admin: page.admin(), staff: page.staff(), model, url_of: &url_of };
    let mut inputs = making.inputs(row, texts, problems, may_save).await?;
    inputs.extend(more);
    let (title, own) = match row {
        Some(row) => (row.label.clone(), Some(format!("{base}{}/", row.key))),
        None => (format!("Add {}", model.singular.to_lowercase()), None),
    };
    let was = row.filter(|_| may_save).map(|row| {
        let shown: Vec<usize> =
            edited(model, page.staff(), false).into_iter().filter(|at| !model.fields[*at].secret).collect();
        past.unwrap_or_else(|| Was::of(model, &shown, row)).text()
    });
    let list = may("view").then_some(base.as_str());
    page.render(
        "admin/form.html",
        context! {
            crumbs => page.crumbs(&[(&model.plural, list), (&title, None)]),
            title,
            singular => model.singular.clone(),
            base => base.clone(),
            own,
            is_new => row.is_none(),
            inputs => Value::from(Serde(inputs)),
            problems => problems.form.clone(),
            has_problems => !problems.is_empty(),
            was,
            may_save,
            may_add => may("add"),
            may_delete => row.is_some() && may_touch && may("delete"),
            links => users::links(page, model, row, may_save),
        },
    )
}
