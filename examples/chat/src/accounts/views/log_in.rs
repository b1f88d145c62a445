//! The pages to log in and to log out.

use axum::extract::Query;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect};
use garde::Validate;
use narrows::scope::ClientAddr;
use narrows_web::narrows_django::{LogInError, safe_next};
use narrows_web::{Form, Page, Result, context};
use serde::Deserialize;

use super::{busy, throttled, unavailable};
use crate::accounts::next::{self, Next};

#[derive(Deserialize, Validate)]
pub(in crate::accounts) struct Credentials {
    #[garde(length(min = 1))]
    username: String,
    #[garde(length(min = 1))]
    password: String,
    #[serde(default)]
    #[garde(skip)]
    next: String,
}

pub(in crate::accounts) async fn page(page: Page, Query(Next { next }): Query<Next>) -> Result {
    if page.user().is_some() {
        return Ok(Redirect::to(&next::location(&next)).into_response());
    }
    show(&page, &Form::new(), &next)
}

pub(in crate::accounts) async fn submit(
    page: Page,
    client: Option<ClientAddr>,
    mut form: Form<Credentials>,
) -> Result {
    let Ok(Credentials { username, password, next }) = form.check() else {
        let next = form.value("next").unwrap_or_default().to_owned();
        return show(&page.status(StatusCode::UNPROCESSABLE_ENTITY), &form, &next);
    };
    let accounts = page.site().accounts();
    let address = client.map(|client| client.ip());
    let (status, problem) = match accounts.authenticate(&username, &password, address).await {
        Ok(user) => match accounts.log_in(page.session(), &user).await {
            Ok(()) => return Ok(Redirect::to(&next::location(&next)).into_response()),
            Err(error) => unavailable(&error),
        },
        Err(LogInError::Throttled(error)) => throttled(error.retry_after),
        Err(LogInError::Busy(_)) => busy(),
        Err(LogInError::Unavailable(error)) => unavailable(&error),
        // Whether it is the name or the password, nobody is told.
        Err(_) => (StatusCode::UNAUTHORIZED, "There is no account with this name and password.".to_owned()),
    };
    form.error("form", problem);
    show(&page.status(status), &form, &next)
}

fn show(page: &Page, form: &Form<Credentials>, next: &str) -> Result {
    page.render("accounts/login.html", context! { form, next => safe_next(next) })
}

pub(in crate::accounts) async fn log_out_page(page: Page) -> Result {
    match page.user() {
        Some(_) => page.render("accounts/logout.html", context! { form => Form::<()>::new() }),
        None => page.redirect("home:index", &[]),
    }
}

pub(in crate::accounts) async fn log_out(page: Page) -> Result {
    let done = page.site().accounts().log_out(page.session()).await;
    let Err(error) = done else { return page.redirect("home:index", &[]) };
    // The session lives on, and it would be wrong to say that it does not.
    let (status, problem) = unavailable(&error);
    let mut form = Form::<()>::new();
    form.error("form", problem);
    page.status(status).render("accounts/logout.html", context! { form })
}
