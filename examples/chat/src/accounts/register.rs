//! The page to register.

use axum::extract::Query;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use minijinja::context;
use narrows_django::password::PasswordProblem;
use narrows_django::{Accounts, NameProblem, NewUser, RegisterError, Session, safe_next};
use serde::Deserialize;

use super::form::{Form, FormProblem, busy, unavailable};
use super::next::{self, Next};
use super::visitor::Visitor;
use crate::bot;
use crate::protocol::MAX_NAME;
use crate::room::GUEST;
use crate::site::{Page, Reader};

#[derive(Deserialize)]
pub(super) struct Registration {
    #[serde(default)]
    username: String,
    #[serde(default)]
    email: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    password_again: String,
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
    axum::Form(registration): axum::Form<Registration>,
) -> Response {
    let Registration { username, email, password, password_again, next } = registration;
    let mut form = Form::default().keep("username", &username).keep("email", &email);
    form.require("username", &username);
    form.require("password", &password);
    // Django's own check knows neither the rooms' length nor the site's names.
    if is_reserved(&username) {
        form.problem(
            "username",
            FormProblem::new("problem.username_reserved", "This name is kept for the site itself."),
        );
    } else if username.trim().chars().nth(MAX_NAME).is_some() {
        form.problem("username", bad_name());
    }
    if password != password_again {
        form.problem("password_again", different());
    }
    if !form.is_right() {
        return show(&reader, StatusCode::UNPROCESSABLE_ENTITY, &form, &next);
    }
    let new = NewUser { username: username.trim().to_owned(), email, password };
    let status = match accounts.register(&new).await {
        Ok(user) => match accounts.log_in(&session, &user).await {
            Ok(()) => return Redirect::to(&next::location(&next)).into_response(),
            Err(error) => {
                let (status, problem) = unavailable(&error);
                form.problem("form", problem);
                status
            }
        },
        Err(RegisterError::Problems { names, passwords }) => {
            for problem in names {
                match problem {
                    NameProblem::Email => {
                        form.problem(
                            "email",
                            FormProblem::new("problem.email", "This is not an e-mail address."),
                        );
                    }
                    _ => form.problem("username", bad_name()),
                }
            }
            form.password_problems(&passwords);
            StatusCode::UNPROCESSABLE_ENTITY
        }
        Err(RegisterError::Taken) => {
            let text = "Somebody has this name already.";
            form.problem("username", FormProblem::new("problem.username_taken", text));
            StatusCode::CONFLICT
        }
        Err(error) => {
            let (status, problem) = match &error {
                RegisterError::Busy(_) => busy(),
                error => unavailable(error),
            };
            form.problem("form", problem);
            status
        }
    };
    show(&reader, status, &form, &next)
}

fn show(reader: &Reader, status: StatusCode, form: &Form, next: &str) -> Response {
    let next = safe_next(next);
    let more = context! { form => form.value(), next, next_query => next.map(next::query) };
    reader.answer(status, Page::plain("register.html"), more)
}

/// Names under which the site itself speaks, or numbers its guests.
fn is_reserved(username: &str) -> bool {
    let name = username.trim().to_lowercase();
    name == bot::NAME || name == "server" || name.starts_with(GUEST)
}

fn bad_name() -> FormProblem {
    FormProblem::new("problem.username", "A user name has up to 40 letters, digits and @ . + - _.")
}

pub(super) fn different() -> FormProblem {
    FormProblem::new("problem.password_again", "The two passwords are not the same.")
}

impl Form {
    pub(super) fn password_problems(&mut self, problems: &[PasswordProblem]) {
        for problem in problems {
            let shown = match problem {
                PasswordProblem::TooShort { min_length } => FormProblem::new(
                    "problem.password_too_short",
                    format!("The password needs at least {min_length} characters."),
                )
                .with("n", *min_length),
                PasswordProblem::TooSimilar { .. } => FormProblem::new(
                    "problem.password_too_similar",
                    "The password is too much like your name or e-mail.",
                ),
                PasswordProblem::TooCommon => {
                    FormProblem::new("problem.password_too_common", "Too many people have this password.")
                }
                PasswordProblem::EntirelyNumeric => {
                    FormProblem::new("problem.password_entirely_numeric", "The password has only digits.")
                }
                // The pages have no words of their own for what is added later.
                other => FormProblem::new("problem.password_too_long", other.to_string()),
            };
            self.problem("password", shown);
        }
    }
}
