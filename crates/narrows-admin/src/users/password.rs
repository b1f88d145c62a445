//! A user's password, set by somebody else.

use axum::extract::{Form, Path};
use axum::response::{IntoResponse, Redirect};
use http::StatusCode;
use narrows_django::password::About;
use narrows_django::{ChangePasswordError, User};
use narrows_models::sea_orm::sea_query::{Alias, Expr, Query};
use narrows_models::sea_orm::{ConnectionTrait, DbErr};
use narrows_web::minijinja::Value;
use narrows_web::minijinja::value::Serde;
use narrows_web::{Db, Error, Result, context};
use serde::Deserialize;

use super::{may_touch, sentence, user_id};
use crate::form::Input;
use crate::log::{self, Action};
use crate::model::Model;
use crate::rows::{self, Key, Row};
use crate::shell::AdminPage;
use narrows_django::begin_writing;

/// What Django's rules say.
const RULES: &str =
    "At least 8 characters, not only digits, not a common password, and nothing like the name.";

#[derive(Deserialize)]
pub(crate) struct Chosen {
    #[serde(default)]
    password: String,
    #[serde(default)]
    password_again: String,
}

/// Both inputs, with what is wrong.
pub(super) fn inputs(problems: Vec<String>, again: Vec<String>) -> Vec<Input> {
    vec![
        Input::password("password", "Password", problems, RULES),
        Input::password("password_again", "Password, again", again, ""),
    ]
}

/// The text to keep, or what is wrong with the first and the second input.
pub(super) async fn hashed(
    page: &AdminPage,
    password: &str,
    again: &str,
    about: &About<'_>,
) -> Result<Result<String, (Vec<String>, Vec<String>)>> {
    if password != again {
        return Ok(Err((Vec::new(), vec!["The two passwords are not the same.".to_owned()])));
    }
    match page.site().accounts().hash_password(password, about).await {
        Ok(text) => Ok(Ok(text)),
        Err(ChangePasswordError::Problems(problems)) => {
            Ok(Err((problems.iter().map(|problem| sentence(&problem.to_string())).collect(), Vec::new())))
        }
        Err(error @ ChangePasswordError::Busy(_)) => {
            Err(Error::status(StatusCode::SERVICE_UNAVAILABLE).because(error))
        }
        Err(error) => Err(error.into()),
    }
}

/// The form.
pub(crate) async fn page(page: AdminPage, db: Db, Path(key): Path<String>) -> Result {
    let (model, row, _) = found(&page, &db, &key).await?;
    show(&page, &model, &row, inputs(Vec::new(), Vec::new()))
}

pub(crate) async fn submit(
    page: AdminPage,
    db: Db,
    Path(key): Path<String>,
    Form(chosen): Form<Chosen>,
) -> Result {
    let (model, row, user) = found(&page, &db, &key).await?;
    let about = About {
        username: &user.username,
        email: &user.email,
        first_name: &user.first_name,
        last_name: &user.last_name,
    };
    let text = match hashed(&page, &chosen.password, &chosen.password_again, &about).await? {
        Ok(text) => text,
        Err((problems, again)) => {
            let page = page.status(StatusCode::UNPROCESSABLE_ENTITY);
            return show(&page, &model, &row, inputs(problems, again));
        }
    };
    let (staff, the_model, key) = (page.staff().clone(), model.clone(), row.key.clone());
    let accounts = page.site().accounts().clone();
    let done = db
        .database()
        .run(async move |pool| {
            let (model, key) = (the_model, &key);
            let transaction = begin_writing(&pool).await?;
            // Hashing took its time: they may be of the staff by now, or gone.
            let row = rows::one(&transaction, &model, key, true).await?;
            let Some(row) = row.filter(|row| may_touch(&staff, &accounts, &model, row)) else {
                transaction.rollback().await?;
                return Ok(false);
            };
            let condition = key.condition(&model, transaction.get_database_backend());
            let update = Query::update()
                .table(model.table_ref())
                .value(Alias::new("password"), Expr::val(text))
                .cond_where(condition.expect("the row was found by it"))
                .to_owned();
            transaction.execute(&update).await?;
            log::write(&transaction, &staff, Action::Password, &model.table, key, &row.label, &[]).await?;
            transaction.commit().await?;
            Ok::<_, DbErr>(true)
        })
        .await?;
    if !done {
        return Err(Error::forbidden());
    }
    let accounts = page.site().accounts();
    accounts.end_sockets(&user.id).await;
    // One's own session goes on, with the new password.
    if user.id == page.staff().user().id
        && let Some(user) = accounts.user_by_id(&user.id).await?
    {
        accounts.log_in(page.session(), &user).await?;
    }
    page.success(format!("The password of {} was set. Their sessions have ended.", user.username));
    Ok(Redirect::to(&format!("{}{}/", page.url_of(&model)?, row.key)).into_response())
}

async fn found(page: &AdminPage, db: &Db, key: &str) -> Result<(std::sync::Arc<Model>, Row, User)> {
    let accounts = page.site().accounts();
    let model = page.admin().allowed(page.staff(), &accounts.user_model().table, "change")?.clone();
    let key = Key::parse(&model, key).ok_or_else(Error::not_found)?;
    let row = rows::one(db, &model, &key, false).await?.ok_or_else(Error::not_found)?;
    if !may_touch(page.staff(), accounts, &model, &row) {
        return Err(Error::forbidden());
    }
    let user = accounts.user_by_id(&user_id(&key)).await?.ok_or_else(Error::not_found)?;
    Ok((model, row, user))
}

fn show(page: &AdminPage, model: &Model, row: &Row, inputs: Vec<Input>) -> Result {
    let base = page.url_of(model)?;
    let own = format!("{base}{}/", row.key);
    page.render(
        "admin/password.html",
        context! {
            title => format!("Set the password of {}", row.label),
            crumbs => page.crumbs(&[(&model.plural, Some(&base)), (&row.label, Some(&own)), ("Password", None)]),
            username => row.label.clone(),
            base,
            inputs => Value::from(Serde(inputs)),
        },
    )
}
