use std::sync::Arc;

use axum::extract::{Form, Path};
use axum::response::{IntoResponse, Redirect};
use http::StatusCode;
use narrows_models::sea_orm::sea_query::Query;
use narrows_models::sea_orm::{ConnectionTrait, DatabaseConnection, DbErr};
use narrows_web::minijinja::Value;
use narrows_web::minijinja::value::Serde;
use narrows_web::{Db, Error, Result, context};

use super::plan::Plan;
use crate::Admin;
use crate::log::{self, Action, Change};
use crate::model::Model;
use crate::rows::{self, Key, Row, Selection};
use crate::shell::{AdminPage, Staff};
use crate::users;
use narrows_django::{DatabaseError, begin_writing};

/// So many rows go at once.
const MAX_ROWS: usize = 1_000;

type Pairs = Vec<(String, String)>;

/// Asks whether a row is to go, and says what goes with it.
pub(crate) async fn ask(page: AdminPage, db: Db, Path((table, key)): Path<(String, String)>) -> Result {
    let model = page.admin().allowed(page.staff(), &table, "delete")?.clone();
    let key = Key::parse(&model, &key).ok_or_else(Error::not_found)?;
    confirm(&page, &db, &model, &[key], None).await
}

pub(crate) async fn submit(page: AdminPage, db: Db, Path((table, key)): Path<(String, String)>) -> Result {
    let model = page.admin().allowed(page.staff(), &table, "delete")?.clone();
    let key = Key::parse(&model, &key).ok_or_else(Error::not_found)?;
    remove(page, db, model, vec![key]).await
}

/// Asks the same of rows that were selected in a list, and deletes them when it comes back.
pub(crate) async fn ask_selected(
    page: AdminPage,
    db: Db,
    Path(table): Path<String>,
    Form(pairs): Form<Pairs>,
) -> Result {
    let model = page.admin().allowed(page.staff(), &table, "delete")?.clone();
    let keys = pairs.iter().filter(|(name, _)| name == "key").take(MAX_ROWS);
    let mut keys: Vec<Key> = keys.filter_map(|(_, key)| Key::parse(&model, key)).collect();
    keys.sort_unstable();
    keys.dedup();
    if keys.is_empty() {
        page.warning("Nothing was selected.");
        return Ok(Redirect::to(&page.url_of(&model)?).into_response());
    }
    if pairs.iter().any(|(name, _)| name == "_confirm") {
        return remove(page, db, model, keys).await;
    }
    confirm(&page, &db, &model, &keys, None).await
}

async fn remove(page: AdminPage, db: Db, model: Arc<Model>, keys: Vec<Key>) -> Result {
    let removal = Removal {
        admin: page.shared_admin(),
        staff: page.staff().clone(),
        accounts: page.site().accounts().clone(),
        model: model.clone(),
        keys,
    };
    let keys = removal.keys.clone();
    let done = match db.database().run(|pool| removal.run(pool)).await {
        Err(DatabaseError::Slow) => {
            let text = "It takes too long to delete so much at once: nothing was deleted. Begin with what goes with it.";
            let page = page.status(StatusCode::SERVICE_UNAVAILABLE);
            return confirm(&page, &db, &model, &keys, Some(text)).await;
        }
        done => done?,
    };
    match done {
        Outcome::Done(keys) => {
            match keys.len() {
                1 => page.success(format!("The {} was deleted.", model.singular.to_lowercase())),
                count => page.success(format!("{count} {} were deleted.", model.plural.to_lowercase())),
            }
            users::changed(&page, &model, &keys, false).await?;
        }
        Outcome::Gone => return Err(Error::not_found()),
        Outcome::Forbidden => {
            let text = "Nobody deletes their own account, and only superusers delete accounts of the staff.";
            return Err(Error::forbidden().text(text));
        }
        Outcome::Refused => {
            return confirm(&page.status(StatusCode::CONFLICT), &db, &model, &keys, None).await;
        }
        Outcome::Held => {
            let text = "Rows that are not shown here still point at it: the database keeps it.";
            return confirm(&page.status(StatusCode::CONFLICT), &db, &model, &keys, Some(text)).await;
        }
    }
    let may_see = page.admin().allowed(page.staff(), &model.table, "view").is_ok();
    let path =
        if may_see { page.url_of(&model)? } else { page.site().url_for::<&str, &str>("admin:index", &[])? };
    Ok(Redirect::to(&path).into_response())
}

/// Rows on their way out.
struct Removal {
    admin: Arc<Admin>,
    staff: Staff,
    model: Arc<Model>,
    keys: Vec<Key>,
    accounts: narrows_django::Accounts,
}

enum Outcome {
    /// These went.
    Done(Vec<Key>),
    /// They may not.
    Forbidden,
    /// None of them is there.
    Gone,
    /// Others are in the way.
    Refused,
    /// Others that the admin knows nothing of are.
    Held,
}

impl Removal {
    async fn run(self, pool: DatabaseConnection) -> Result<Outcome, DbErr> {
        let model = &self.model;
        let transaction = begin_writing(&pool).await?;
        // Whatever they were called in the request.
        let found = rows::some(&transaction, model, &self.keys, true).await?;
        let keys: Vec<Key> = found.iter().map(|row| row.key.clone()).collect();
        let touches = |row: &Row| {
            users::may_touch(&self.staff, &self.accounts, model, row)
                && !users::is_self(&self.staff, model, &row.key)
        };
        if !found.iter().all(touches) {
            transaction.rollback().await?;
            return Ok(Outcome::Forbidden);
        }
        let plan = Plan::make(&transaction, &self.admin, &self.staff, model, &keys).await?;
        if found.is_empty() || !plan.is_possible() {
            transaction.rollback().await?;
            return Ok(if found.is_empty() { Outcome::Gone } else { Outcome::Refused });
        }
        let mut delete = Query::delete();
        delete.from_table(model.table_ref()).cond_where(Key::any(
            model,
            &keys,
            transaction.get_database_backend(),
        ));
        let done = async {
            plan.carry_out(&transaction).await?;
            transaction.execute(&delete).await?;
            let summary = plan.summary();
            let entries = found.iter().map(|row| entry(model, row, summary.as_deref()));
            log::write_all(&transaction, &self.staff, Action::Delete, &model.table, entries).await
        };
        // In PostgreSQL a deferred constraint speaks up at the end.
        let done = match done.await {
            Ok(()) => transaction.commit().await,
            Err(error) => {
                transaction.rollback().await?;
                Err(error)
            }
        };
        match done {
            Ok(()) => Ok(Outcome::Done(keys)),
            Err(error) if is_held(&error) => Ok(Outcome::Held),
            Err(error) => Err(error),
        }
    }
}

/// What the log says of a row that goes.
fn entry<'a>(model: &Model, row: &'a Row, others: Option<&str>) -> (&'a Key, &'a str, Vec<Change>) {
    let changes = (0..model.fields.len())
        .filter(|at| !model.fields[*at].secret)
        .map(|at| Change::new(&model.fields[at], row.cell(at), &None))
        .filter(|change| !change.is_nothing());
    let others = others.map(|text| Change::of("deleted_with_it", Some(text), None));
    (&row.key, &row.label, changes.chain(others).collect())
}

fn is_held(error: &DbErr) -> bool {
    use narrows_models::sea_orm::SqlErr;
    matches!(error.sql_err(), Some(SqlErr::ForeignKeyConstraintViolation(_)))
        || error.to_string().to_lowercase().contains("foreign key constraint")
}

async fn confirm(
    page: &AdminPage,
    db: &Db,
    model: &Arc<Model>,
    keys: &[Key],
    problem: Option<&str>,
) -> Result {
    let selection = Selection::short(model, [], db.database().backend());
    let mut select = selection.statement();
    select.cond_where(Key::any(model, keys, db.database().backend())).limit(MAX_ROWS as u64);
    let found = selection.all(db, &select).await?;
    let Some(first) = found.first() else { return Err(Error::not_found()) };
    let plan = Plan::make(db, page.admin(), page.staff(), model, keys).await?;
    let base = page.url_of(model)?;
    let (title, back) = match found.as_slice() {
        [row] => (format!("Delete {}?", row.label), format!("{base}{}/", row.key)),
        rows => (format!("Delete {} {}?", rows.len(), model.plural.to_lowercase()), base.clone()),
    };
    let may_see = page.admin().allowed(page.staff(), &model.table, "view").is_ok();
    page.render(
        "admin/delete.html",
        context! {
            crumbs => page.crumbs(&[(&model.plural, may_see.then_some(base.as_str())), (&first.label, None)]),
            title,
            singular => model.singular.clone(),
            action => format!("{base}delete/"),
            keys => found.iter().map(|row| row.key.to_string()).collect::<Vec<_>>(),
            labels => found.iter().map(|row| row.label.clone()).collect::<Vec<_>>(),
            is_possible => plan.is_possible(),
            is_cut => plan.is_cut,
            forbidden => plan.forbidden.iter().cloned().collect::<Vec<_>>(),
            deleted => Value::from(Serde(plan.deleted)),
            cleared => Value::from(Serde(plan.cleared)),
            protected => Value::from(Serde(plan.protected)),
            back => may_see.then_some(back),
            problem,
        },
    )
}
