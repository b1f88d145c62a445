//! In and out of the admin.

use axum::Extension;
use axum::extract::{Form, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use http::StatusCode;
use narrows::scope::ClientAddr;
use narrows_django::{LogInError, MaybeUser, Session, safe_next};
use narrows_web::{Page, Result, Site, context};
use serde::Deserialize;

use super::Shared;

#[derive(Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    next: String,
}

#[derive(Deserialize)]
pub(super) struct LogIn {
    #[serde(default)]
    username: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    next: String,
}

pub(super) async fn page(
    page: Page,
    Extension(shared): Extension<Shared>,
    MaybeUser(user): MaybeUser,
    Query(asked): Query<Asked>,
) -> Result {
    if user.is_some_and(|user| user.is_staff) {
        return Ok(Redirect::to(&destination(&page, &asked.next)?).into_response());
    }
    show(&page, &shared, "", &asked.next, None)
}

pub(super) async fn submit(
    page: Page,
    State(site): State<Site>,
    Extension(shared): Extension<Shared>,
    session: Session,
    client: Option<ClientAddr>,
    Form(form): Form<LogIn>,
) -> Result {
    let accounts = site.accounts();
    let address = client.map(|client| client.ip());
    let user = match accounts.authenticate(&form.username, &form.password, address).await {
        Ok(user) => user,
        Err(error @ (LogInError::Wrong | LogInError::Inactive)) => {
            let page = page.status(StatusCode::UNAUTHORIZED);
            return show(&page, &shared, &form.username, &form.next, Some(&error.to_string()));
        }
        Err(error) => return Ok(error.into_response()),
    };
    accounts.log_in(&session, &user).await?;
    Ok(Redirect::to(&destination(&page, &form.next)?).into_response())
}

pub(super) async fn log_out(page: Page, State(site): State<Site>, session: Session) -> Result<Response> {
    site.accounts().log_out(&session).await?;
    page.redirect("admin:login", &[])
}

fn show(page: &Page, shared: &Shared, username: &str, next: &str, error: Option<&str>) -> Result {
    let title = shared.0.title.clone();
    page.render("admin/login.html", context! { admin => context! { title }, username, next, error })
}

fn destination(page: &Page, next: &str) -> Result<String> {
    match safe_next(next) {
        Some(next) => Ok(next.to_owned()),
        None => Ok(page.site().url_for::<&str, &str>("admin:index", &[])?),
    }
}
