//! The page to register.

use axum::extract::Query;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect};
use garde::Validate;
use narrows_web::narrows_django::{NameProblem, NewUser, RegisterError, safe_next};
use narrows_web::{Form, Page, Result, context};
use serde::Deserialize;

use super::{add_password_problems, busy, same_as, unavailable};
use crate::accounts::next::{self, Next};
use crate::rooms::protocol::MAX_NAME;
use crate::rooms::{GUEST, bot};

const BAD_NAME: &str = "A user name has up to 40 letters, digits and @ . + - _.";

#[derive(Deserialize, Validate)]
pub(in crate::accounts) struct Registration {
    #[garde(length(min = 1), custom(may_be_registered))]
    username: String,
    #[serde(default)]
    #[garde(skip)]
    email: String,
    #[garde(length(min = 1))]
    password: String,
    #[garde(custom(same_as(&self.password)))]
    password_again: String,
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

pub(in crate::accounts) async fn submit(page: Page, mut form: Form<Registration>) -> Result {
    let Ok(Registration { username, email, password, next, .. }) = form.check() else {
        let next = form.value("next").unwrap_or_default().to_owned();
        return show(&page.status(StatusCode::UNPROCESSABLE_ENTITY), &form, &next);
    };
    let accounts = page.site().accounts();
    let new = NewUser { username: username.trim().to_owned(), email, password };
    let (status, problem) = match accounts.register(&new).await {
        Ok(user) => match accounts.log_in(page.session(), &user).await {
            Ok(()) => return Ok(Redirect::to(&next::location(&next)).into_response()),
            Err(error) => unavailable(&error),
        },
        Err(RegisterError::Problems { names, passwords }) => {
            for problem in names {
                match problem {
                    NameProblem::Email => form.error("email", "This is not an e-mail address."),
                    _ => form.error("username", BAD_NAME),
                }
            }
            add_password_problems(&mut form, &passwords);
            return show(&page.status(StatusCode::UNPROCESSABLE_ENTITY), &form, &next);
        }
        Err(RegisterError::Taken) => {
            form.error("username", "Somebody has this name already.");
            return show(&page.status(StatusCode::CONFLICT), &form, &next);
        }
        Err(RegisterError::Busy(_)) => busy(),
        Err(error) => unavailable(&error),
    };
    form.error("form", problem);
    show(&page.status(status), &form, &next)
}

fn show(page: &Page, form: &Form<Registration>, next: &str) -> Result {
    page.render("accounts/register.html", context! { form, next => safe_next(next) })
}

/// Django's own check knows neither the rooms' length nor the names under which the site itself speaks, or numbers its guests.
fn may_be_registered(username: &str, (): &()) -> garde::Result {
    let name = username.trim().to_lowercase();
    if name == bot::NAME || name == "server" || name.starts_with(GUEST) {
        return Err(garde::Error::new("This name is kept for the site itself."));
    }
    match username.trim().chars().nth(MAX_NAME) {
        Some(_) => Err(garde::Error::new(BAD_NAME)),
        None => Ok(()),
    }
}
