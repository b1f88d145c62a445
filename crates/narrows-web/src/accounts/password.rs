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
        return Ok(to_log_in(page.site(), page.uri()));
    }
    page.render(TEMPLATE, context! { form => Form::<Change>::new() })
}

pub(super) async fn submit(page: Page, mut form: Form<Change>) -> Result {
    let Some(user) = page.user().cloned() else {
        return Ok(to_log_in(page.site(), page.uri()));
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
            Err(Stopped::Trouble(trouble)) => trouble,
            Err(Stopped::LoggedOut) => {
                // What is left of the session is of no use.
                page.session().flush();
                return Ok(to_log_in(page.site(), page.uri()));
            }
        },
        Err(_) => Trouble::Wrong,
    };
    trouble.note(&mut form);
    trouble.show(page, TEMPLATE, context! { form })
}

/// Why somebody does not go on.
enum Stopped {
    Trouble(Trouble),
    /// The session has ended, or the user is gone: whether the password is changed, the next log-in shows.
    LoggedOut,
}

impl From<Trouble> for Stopped {
    fn from(trouble: Trouble) -> Self {
        Self::Trouble(trouble)
    }
}

async fn change(page: &Page, user: &User, said: &Change, form: &mut Form<Change>) -> Result<(), Stopped> {
    let accounts = page.site().accounts();
    let changed = accounts.change_password(page.session(), user, &said.old_password, &said.password).await;
    let Err(error) = changed else { return Ok(()) };
    Err(match error {
        ChangePasswordError::Wrong => {
            form.error("old_password", "That is not your password.");
            Trouble::Wrong.into()
        }
        ChangePasswordError::Problems(problems) => {
            password_problems(form, &problems);
            Trouble::Wrong.into()
        }
        ChangePasswordError::Throttled(error) => Trouble::Throttled(error.retry_after).into(),
        ChangePasswordError::Busy(_) => Trouble::Busy.into(),
        ChangePasswordError::Gone => Stopped::LoggedOut,
        ChangePasswordError::Session(error) => {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, "a password was changed, and its user's session has ended");
            Stopped::LoggedOut
        }
        error => Trouble::unavailable(&error).into(),
    })
}
