//! New users.

use axum::extract::Form;
use axum::response::{IntoResponse, Redirect};
use chrono::{SubsecRound, Utc};
use http::StatusCode;
use narrows_django::password::About;
use narrows_web::{Db, Error, Result};

use super::password::{hashed, inputs};
use crate::form::{Outcome, Problems, Texts, sent, show_new, texts};
use crate::model::Model;
use crate::shell::AdminPage;

type Pairs = Vec<(String, String)>;

/// The form.
pub(crate) async fn page(page: AdminPage, db: Db) -> Result {
    let model = model(&page)?;
    let texts = texts(&model, page.staff(), None);
    show_new(&page, &db, &model, &texts, &Problems::default(), inputs(Vec::new(), Vec::new())).await
}

pub(crate) async fn submit(page: AdminPage, db: Db, Form(pairs): Form<Pairs>) -> Result {
    let model = model(&page)?;
    let users = page.site().accounts().user_model().clone();
    let typed =
        |name: &str| pairs.iter().find(|(known, _)| known == name).map_or("", |(_, text)| text.as_str());
    let of = |column: &Option<String>| column.as_deref().map_or("", typed);
    let about = About {
        username: typed(&users.username),
        email: of(&users.email),
        first_name: of(&users.first_name),
        last_name: of(&users.last_name),
    };
    let mut sent = sent(&page, &model, &pairs, true);
    let texts: Texts = sent.texts.clone();
    let text = match hashed(&page, typed("password"), typed("password_again"), &about).await? {
        Ok(text) => text,
        Err((problems, again)) => {
            let page = page.status(StatusCode::UNPROCESSABLE_ENTITY);
            let wrong =
                Problems { form: vec!["The password is not right yet.".to_owned()], ..Problems::default() };
            return show_new(&page, &db, &model, &texts, &wrong, inputs(problems, again)).await;
        }
    };
    let now = Utc::now().trunc_subsecs(6).format("%Y-%m-%dT%H:%M:%S%.fZ").to_string();
    let fixed = [(&Some("password".to_owned()), text), (&users.date_joined, now)];
    for (column, value) in fixed {
        if let Some(at) = column.as_ref().and_then(|column| model.field(column)) {
            sent.more.insert(at, Some(value));
        }
    }
    // What only superusers may give.
    for column in [&users.is_staff, &users.is_superuser].into_iter().flatten() {
        if let Some(at) = model.field(column).filter(|_| !page.staff().user().is_superuser) {
            sent.more.insert(at, Some("false".to_owned()));
        }
    }
    match db.database().run(|pool| sent.add(pool)).await? {
        Outcome::Saved { key, label, .. } => {
            page.success(format!("{} “{label}” was added.", model.singular));
            let may_see = page.admin().allowed(page.staff(), &model.table, "view").is_ok();
            let path = match may_see {
                true => format!("{}{key}/", page.url_of(&model)?),
                false => page.site().url_for::<&str, &str>("admin:index", &[])?,
            };
            Ok(Redirect::to(&path).into_response())
        }
        Outcome::Problems(problems) => {
            let page = page.status(StatusCode::UNPROCESSABLE_ENTITY);
            show_new(&page, &db, &model, &texts, &problems, inputs(Vec::new(), Vec::new())).await
        }
        Outcome::Conflict { .. } | Outcome::Gone | Outcome::Forbidden => Err(Error::forbidden()),
    }
}

fn model(page: &AdminPage) -> Result<std::sync::Arc<Model>, Error> {
    let table = page.site().accounts().user_model().table.clone();
    page.admin().allowed(page.staff(), &table, "add").cloned()
}
