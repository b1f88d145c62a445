//! The page of one's own account, to change the password.

use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Redirect, Response};
use minijinja::context;
use narrows_django::{Accounts, ChangePasswordError, Session, User};
use serde::Deserialize;

use super::form::{Form, FormProblem, busy, throttled, unavailable};
use super::next;
use super::register::different;
use super::visitor::Visitor;
use crate::site::{Page, Reader};

pub(super) const PAGE: Page = Page { current: "/account/", ..Page::plain("account.html") };

/// Under which the session remembers that the password was changed, for the page behind the redirect.
const CHANGED: &str = "password_changed";

#[derive(Deserialize)]
pub(super) struct Change {
    #[serde(default)]
    old_password: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    password_again: String,
}

pub(super) async fn page(reader: Reader, Visitor(user): Visitor, session: Session, uri: Uri) -> Response {
    let Some(user) = user else { return Redirect::to(&next::log_in(&uri)).into_response() };
    let said = session.get::<bool>(CHANGED).is_some();
    if said {
        session.remove(CHANGED);
    }
    show(&reader, StatusCode::OK, &Form::default(), &user, said)
}

pub(super) async fn submit(
    accounts: Accounts,
    reader: Reader,
    Visitor(user): Visitor,
    session: Session,
    axum::Form(Change { old_password, password, password_again }): axum::Form<Change>,
) -> Response {
    let Some(user) = user else { return Redirect::to("/login/?next=/account/").into_response() };
    let mut form = Form::default();
    form.require("old_password", &old_password);
    form.require("password", &password);
    if password != password_again {
        form.problem("password_again", different());
    }
    if !form.is_right() {
        return show(&reader, StatusCode::UNPROCESSABLE_ENTITY, &form, &user, false);
    }
    let status = match accounts.change_password(&session, &user, &old_password, &password).await {
        Ok(_) => {
            if let Err(error) = session.insert(CHANGED, true) {
                tracing::error!(%error, "a switch is no JSON");
            }
            return Redirect::to("/account/").into_response();
        }
        Err(ChangePasswordError::Wrong) => {
            form.problem(
                "old_password",
                FormProblem::new("problem.old_password", "That is not your password."),
            );
            StatusCode::UNPROCESSABLE_ENTITY
        }
        Err(ChangePasswordError::Problems(problems)) => {
            form.password_problems(&problems);
            StatusCode::UNPROCESSABLE_ENTITY
        }
        Err(error) => {
            let (status, problem) = match &error {
                ChangePasswordError::Throttled(error) => throttled(error.retry_after),
                ChangePasswordError::Busy(_) => busy(),
                error => unavailable(error),
            };
            form.problem("form", problem);
            status
        }
    };
    show(&reader, status, &form, &user, false)
}

fn show(reader: &Reader, status: StatusCode, form: &Form, user: &User, said: bool) -> Response {
    reader.answer(status, PAGE, context! { form => form.value(), email => user.email.clone(), said })
}
