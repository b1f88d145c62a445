//! The page of one's own account, to change the password.

use axum::http::StatusCode;
use garde::Validate;
use narrows_web::narrows_django::{ChangePasswordError, User};
use narrows_web::{Form, Page, Result, context};
use serde::Deserialize;

use super::{add_password_problems, busy, same_as, throttled, unavailable};
use crate::accounts::to_log_in;

#[derive(Deserialize, Validate)]
pub(in crate::accounts) struct Change {
    #[garde(length(min = 1))]
    old_password: String,
    #[garde(length(min = 1))]
    password: String,
    #[garde(custom(same_as(&self.password)))]
    password_again: String,
}

pub(in crate::accounts) async fn page(page: Page) -> Result {
    match page.user() {
        Some(user) => show(&page, &Form::<Change>::new(), user),
        None => Ok(to_log_in(page.uri())),
    }
}

pub(in crate::accounts) async fn submit(page: Page, mut form: Form<Change>) -> Result {
    let Some(user) = page.user().cloned() else { return Ok(to_log_in(page.uri())) };
    let Ok(Change { old_password, password, .. }) = form.check() else {
        return show(&page.status(StatusCode::UNPROCESSABLE_ENTITY), &form, &user);
    };
    let accounts = page.site().accounts();
    let status = match accounts.change_password(page.session(), &user, &old_password, &password).await {
        Ok(_) => {
            page.success("Your password is changed. Wherever else you were logged in, you are logged out.");
            return page.redirect("accounts:account", &[]);
        }
        Err(ChangePasswordError::Wrong) => {
            form.error("old_password", "That is not your password.");
            StatusCode::UNPROCESSABLE_ENTITY
        }
        Err(ChangePasswordError::Problems(problems)) => {
            add_password_problems(&mut form, &problems);
            StatusCode::UNPROCESSABLE_ENTITY
        }
        Err(error) => {
            let (status, problem) = match &error {
                ChangePasswordError::Throttled(error) => throttled(error.retry_after),
                ChangePasswordError::Busy(_) => busy(),
                error => unavailable(error),
            };
            form.error("form", problem);
            status
        }
    };
    show(&page.status(status), &form, &user)
}

pub(super) fn show<T>(page: &Page, form: &Form<T>, user: &User) -> Result {
    page.render("accounts/account.html", context! { form, email => user.email.clone() })
}
