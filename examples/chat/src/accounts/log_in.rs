//! The pages to log in and to log out.

use axum::extract::Query;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use minijinja::context;
use narrows::scope::ClientAddr;
use narrows_django::{Accounts, LogInError, Session, safe_next};
use serde::Deserialize;

use super::form::{Form, FormProblem, busy, throttled, unavailable};
use super::next::{self, Next};
use super::visitor::Visitor;
use crate::site::{Page, Reader};

#[derive(Deserialize)]
pub(super) struct Credentials {
    #[serde(default)]
    username: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    next: String,
}

pub(super) async fn page(
    reader: Reader,
    Visitor(user): Visitor,
    Query(Next { next }): Query<Next>,
) -> Response {
    if user.is_some() {
        return Redirect::to(&next::location(&next)).into_response();
    }
    show(&reader, StatusCode::OK, &Form::default(), &next)
}

pub(super) async fn submit(
    accounts: Accounts,
    reader: Reader,
    session: Session,
    client: Option<ClientAddr>,
    axum::Form(Credentials { username, password, next }): axum::Form<Credentials>,
) -> Response {
    let mut form = Form::default().keep("username", &username);
    form.require("username", &username);
    form.require("password", &password);
    if !form.is_right() {
        return show(&reader, StatusCode::UNPROCESSABLE_ENTITY, &form, &next);
    }
    let address = client.map(|client| client.ip());
    let (status, problem) = match accounts.authenticate(&username, &password, address).await {
        Ok(user) => match accounts.log_in(&session, &user).await {
            Ok(()) => return Redirect::to(&next::location(&next)).into_response(),
            Err(error) => unavailable(&error),
        },
        Err(LogInError::Throttled(error)) => throttled(error.retry_after),
        Err(LogInError::Busy(_)) => busy(),
        Err(LogInError::Unavailable(error)) => unavailable(&error),
        // Whether it is the name or the password, nobody is told.
        Err(_) => {
            let text = "There is no account with this name and password.";
            (StatusCode::UNAUTHORIZED, FormProblem::new("problem.login", text))
        }
    };
    form.problem("form", problem);
    show(&reader, status, &form, &next)
}

fn show(reader: &Reader, status: StatusCode, form: &Form, next: &str) -> Response {
    let next = safe_next(next);
    let more = context! { form => form.value(), next, next_query => next.map(next::query) };
    reader.answer(status, Page::plain("login.html"), more)
}

pub(super) async fn log_out_page(reader: Reader, Visitor(user): Visitor) -> Response {
    match user {
        Some(_) => show_log_out(&reader, StatusCode::OK, &Form::default()),
        None => Redirect::to("/").into_response(),
    }
}

pub(super) async fn log_out(accounts: Accounts, reader: Reader, session: Session) -> Response {
    let Err(error) = accounts.log_out(&session).await else { return Redirect::to("/").into_response() };
    // The session lives on, and it would be wrong to say that it does not.
    let (status, problem) = unavailable(&error);
    let mut form = Form::default();
    form.problem("form", problem);
    show_log_out(&reader, status, &form)
}

fn show_log_out(reader: &Reader, status: StatusCode, form: &Form) -> Response {
    reader.answer(status, Page::plain("logout.html"), context! { form => form.value() })
}
