use garde::Validate;
use minijinja::context;
use narrows::scope::ClientAddr;
use narrows_django::{LogInError, safe_next};
use serde::Deserialize;

use super::next::{asked_next, go};
use super::trouble::Trouble;
use crate::{Form, Page, Result};

const TEMPLATE: &str = "accounts/login.html";
const LOG_OUT: &str = "accounts/logout.html";

#[derive(Deserialize, Validate)]
pub(super) struct Credentials {
    #[garde(length(min = 1))]
    username: String,
    #[garde(length(min = 1))]
    password: String,
}

pub(super) async fn page(page: Page, asked: Form<()>) -> Result {
    let next = asked_next(&asked);
    if page.user().is_some() {
        return Ok(go(page.site(), next, "login_redirect"));
    }
    page.render(TEMPLATE, context! { form => Form::<Credentials>::new(), next => safe_next(next) })
}

pub(super) async fn submit(page: Page, client: Option<ClientAddr>, mut form: Form<Credentials>) -> Result {
    let next = form.value("next").unwrap_or_default().to_owned();
    let trouble = match form.check() {
        Ok(said) => match log_in(&page, client, &said, &mut form).await {
            Ok(()) => return Ok(go(page.site(), &next, "login_redirect")),
            Err(trouble) => trouble,
        },
        Err(_) => Trouble::Wrong,
    };
    trouble.note(&mut form);
    trouble.show(page, TEMPLATE, context! { form, next => safe_next(&next) })
}

async fn log_in(
    page: &Page,
    client: Option<ClientAddr>,
    said: &Credentials,
    form: &mut Form<Credentials>,
) -> Result<(), Trouble> {
    let accounts = page.site().accounts();
    let address = client.map(|client| client.ip());
    // The keyboards of phones put a space behind a name that they know.
    match accounts.authenticate(said.username.trim(), &said.password, address).await {
        Ok(user) => {
            accounts.log_in(page.session(), &user).await.map_err(|error| Trouble::unavailable(&error))
        }
        Err(LogInError::Throttled(error)) => Err(Trouble::Throttled(error.retry_after)),
        Err(LogInError::Busy(_)) => Err(Trouble::Busy),
        Err(LogInError::Unavailable(error)) => Err(Trouble::unavailable(&error)),
        // Whether it is the name or the password, nobody is told.
        Err(_) => {
            form.error("form", "There is no account with this name and password.");
            Err(Trouble::Wrong)
        }
    }
}

pub(super) async fn log_out_page(page: Page) -> Result {
    if page.user().is_none() {
        return Ok(go(page.site(), "", "logout_redirect"));
    }
    page.render(LOG_OUT, context! { form => Form::<()>::new() })
}

pub(super) async fn log_out(page: Page) -> Result {
    let Err(error) = page.site().accounts().log_out(page.session()).await else {
        return Ok(go(page.site(), "", "logout_redirect"));
    };
    // The session lives on, and it would be wrong to say that it does not.
    let trouble = Trouble::unavailable(&error);
    let mut form = Form::<()>::new();
    trouble.note(&mut form);
    trouble.show(page, LOG_OUT, context! { form })
}
