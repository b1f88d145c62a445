use axum::response::IntoResponse;
use garde::Validate;
use minijinja::context;
use narrows_django::{ChangePasswordError, User};
use serde::Deserialize;

use super::next::go;
use super::to_log_in;
use super::trouble::{DIFFERENT, Trouble, password_problems};
use crate::{Form, Page, Result};

const TEMPLATE: &str = "accounts/password.html";

#[derive(Deserialize, Validate)]
pub(super) struct Change {
    #[garde(length(min = 1))]
    old_password: String,
    #[garde(length(min = 1))]
    password: String,
    #[garde(skip)]
    password_again: String,
}

pub(super) async fn page(page: Page) -> Result {
    if page.user().is_none() {
        return Ok(to_log_in(page.site(), page.uri()).into_response());
    }
    page.render(TEMPLATE, context! { form => Form::<Change>::new() })
}

pub(super) async fn submit(page: Page, mut form: Form<Change>) -> Result {
    let Some(user) = page.user().cloned() else {
        return Ok(to_log_in(page.site(), page.uri()).into_response());
    };
    let trouble = match form.check() {
        Ok(said) if said.password != said.password_again => {
            form.error("password_again", DIFFERENT);
            Trouble::Wrong
        }
        Ok(said) => match change(&page, &user, &said, &mut form).await {
            Ok(()) => {
                page.success("Your password is changed.");
                return Ok(go(page.site(), "", "login_redirect"));
            }
            Err(trouble) => trouble,
        },
        Err(_) => Trouble::Wrong,
    };
    trouble.note(&mut form);
    trouble.show(page, TEMPLATE, context! { form })
}

async fn change(page: &Page, user: &User, said: &Change, form: &mut Form<Change>) -> Result<(), Trouble> {
    let accounts = page.site().accounts();
    match accounts.change_password(page.session(), user, &said.old_password, &said.password).await {
        Ok(_) => Ok(()),
        Err(ChangePasswordError::Wrong) => {
            form.error("old_password", "That is not your password.");
            Err(Trouble::Wrong)
        }
        Err(ChangePasswordError::Problems(problems)) => {
            password_problems(form, &problems);
            Err(Trouble::Wrong)
        }
        Err(ChangePasswordError::Throttled(error)) => Err(Trouble::Throttled(error.retry_after)),
        Err(ChangePasswordError::Busy(_)) => Err(Trouble::Busy),
        Err(error) => Err(Trouble::unavailable(&error)),
    }
}
