use garde::Validate;
use minijinja::context;
use narrows_django::{NameProblem, NewUser, RegisterError, log_in_url, safe_next};
use serde::Deserialize;

use super::log_in_page;
use super::next::{asked_next, go};
use super::trouble::{DIFFERENT, Trouble, password_problems};
use crate::{Form, Page, Result, redirect};

const TEMPLATE: &str = "accounts/register.html";

#[derive(Deserialize, Validate)]
pub(super) struct Registration {
    #[garde(length(min = 1))]
    username: String,
    #[serde(default)]
    #[garde(skip)]
    email: String,
    #[garde(length(min = 1))]
    password: String,
    #[garde(skip)]
    password_again: String,
}

pub(super) async fn page(page: Page, asked: Form<()>) -> Result {
    let next = asked_next(&asked);
    if page.user().is_some() {
        return Ok(go(page.site(), next, "login_redirect"));
    }
    page.render(TEMPLATE, context! { form => Form::<Registration>::new(), next => safe_next(next) })
}

pub(super) async fn submit(page: Page, mut form: Form<Registration>) -> Result {
    let next = form.value("next").unwrap_or_default().to_owned();
    let trouble = match form.check() {
        Ok(said) if said.password != said.password_again => {
            form.error("password_again", DIFFERENT);
            Trouble::Wrong
        }
        Ok(said) => match register(&page, said, &mut form).await {
            Ok(()) if page.session().is_empty() => {
                return Ok(redirect(&log_in_url(&log_in_page(page.site()), safe_next(&next).unwrap_or("/"))));
            }
            Ok(()) => return Ok(go(page.site(), &next, "login_redirect")),
            Err(trouble) => trouble,
        },
        Err(_) => Trouble::Wrong,
    };
    trouble.note(&mut form);
    trouble.show(page, TEMPLATE, context! { form, next => safe_next(&next) })
}

async fn register(page: &Page, said: Registration, form: &mut Form<Registration>) -> Result<(), Trouble> {
    let accounts = page.site().accounts();
    let Registration { username, email, password, .. } = said;
    let new = NewUser { username: username.trim().to_owned(), email, password };
    match accounts.register(&new).await {
        Ok(user) => {
            // Who has an account by now logs in at the next page.
            if let Err(error) = accounts.log_in(page.session(), &user).await {
                let error = &error as &dyn std::error::Error;
                tracing::error!(error, "somebody has registered, and is not logged in");
                page.session().flush();
            }
            Ok(())
        }
        Err(RegisterError::Problems { names, passwords }) => {
            for problem in names {
                match problem {
                    NameProblem::Email => form.error("email", "This is not an e-mail address."),
                    NameProblem::TooLong => form.error("username", "A name has at most 150 characters."),
                    _ => form.error("username", "A name may have letters, numbers, and @ . + - _."),
                }
            }
            password_problems(form, &passwords);
            Err(Trouble::Wrong)
        }
        Err(RegisterError::Taken) => {
            form.error("username", "Somebody has this name already.");
            Err(Trouble::Wrong)
        }
        Err(RegisterError::Busy(_)) => Err(Trouble::Busy),
        Err(error) => Err(Trouble::unavailable(&error)),
    }
}
