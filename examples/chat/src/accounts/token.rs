//! The token by which a user's programs come in.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use minijinja::context;
use narrows_django::Accounts;

use super::account::PAGE;
use super::form::{Form, unavailable};
use super::visitor::Visitor;
use crate::site::Reader;

/// Shows it, made if there is none yet: by a button and not by a link, so that no other site makes a browser do it.
pub(super) async fn show(accounts: Accounts, reader: Reader, Visitor(user): Visitor) -> Response {
    let Some(user) = user else { return Redirect::to("/login/?next=/account/").into_response() };
    match accounts.make_token(&user).await {
        Ok(token) => {
            let form = Form::default().value();
            reader.answer(StatusCode::OK, PAGE, context! { form, email => user.email, token })
        }
        Err(error) => refused(&reader, &error),
    }
}

/// Deletes it: what has it is out, open sockets too.
pub(super) async fn delete(accounts: Accounts, reader: Reader, Visitor(user): Visitor) -> Response {
    let Some(user) = user else { return Redirect::to("/login/?next=/account/").into_response() };
    match accounts.delete_tokens(&user).await {
        Ok(_) => Redirect::to("/account/").into_response(),
        Err(error) => refused(&reader, &error),
    }
}

fn refused(reader: &Reader, error: &(dyn std::error::Error + 'static)) -> Response {
    let mut form = Form::default();
    let (status, problem) = unavailable(error);
    form.problem("form", problem);
    reader.answer(status, PAGE, context! { form => form.value() })
}
