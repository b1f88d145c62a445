//! The token by which a user's programs come in.

use std::error::Error;

use narrows_web::narrows_django::User;
use narrows_web::{Form, Page, Result, context};

use super::{account, unavailable};
use crate::accounts::to_log_in;

/// Shows it, made if there is none yet: by a button and not by a link, so that no other site makes a browser do it.
pub(in crate::accounts) async fn show(page: Page) -> Result {
    let Some(user) = page.user().cloned() else { return Ok(to_log_in(page.uri())) };
    match page.site().accounts().make_token(&user).await {
        Ok(token) => {
            let form = Form::<()>::new();
            page.render("accounts/account.html", context! { form, email => user.email, token })
        }
        Err(error) => refused(page, &error, &user),
    }
}

/// Deletes it: what has it is out, open sockets too.
pub(in crate::accounts) async fn delete(page: Page) -> Result {
    let Some(user) = page.user().cloned() else { return Ok(to_log_in(page.uri())) };
    match page.site().accounts().delete_tokens(&user).await {
        Ok(_) => page.redirect("accounts:account", &[]),
        Err(error) => refused(page, &error, &user),
    }
}

fn refused(page: Page, error: &(dyn Error + 'static), user: &User) -> Result {
    let mut form = Form::<()>::new();
    let (status, problem) = unavailable(error);
    form.error("form", problem);
    account::show(&page.status(status), &form, user)
}
