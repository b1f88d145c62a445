//! What a form says that could not be dealt with.

use std::error::Error;
use std::time::Duration;

use axum::response::{IntoResponse, Response};
use http::header::RETRY_AFTER;
use http::{HeaderValue, StatusCode};
use narrows_django::password::PasswordProblem;

use crate::{Form, Page, Result};

/// Why it was not done, for the form as a whole.
pub(super) enum Trouble {
    /// What was typed is wrong.
    Wrong,
    /// It was tried too often.
    Throttled(Duration),
    /// There is too much to do, or the accounts are away.
    Busy,
}

impl Trouble {
    /// The accounts are away: that is for the log.
    pub(super) fn unavailable(error: &(dyn Error + 'static)) -> Self {
        tracing::error!(error, "the accounts are away");
        Self::Busy
    }

    /// What the form says of it, where it says nothing better itself.
    pub(super) fn note<T>(&self, form: &mut Form<T>) {
        match self {
            Self::Wrong => {}
            Self::Throttled(wait) => {
                let seconds = wait.as_secs() + 1;
                form.error("form", format!("Too many attempts. Try again in {seconds} s."));
            }
            Self::Busy => form.error("form", "There is too much to do just now. Try again in a moment."),
        }
    }

    /// Shows the form again.
    pub(super) fn show(&self, page: Page, template: &str, more: minijinja::Value) -> Result<Response> {
        let (status, wait) = match self {
            Self::Wrong => (StatusCode::UNPROCESSABLE_ENTITY, None),
            Self::Throttled(wait) => (StatusCode::TOO_MANY_REQUESTS, Some(wait.as_secs() + 1)),
            Self::Busy => (StatusCode::SERVICE_UNAVAILABLE, Some(1)),
        };
        let mut response = page.status(status).render(template, more)?.into_response();
        if let Some(seconds) = wait {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        Ok(response)
    }
}

/// What is wrong with a new password.
pub(super) fn password_problems<T>(form: &mut Form<T>, problems: &[PasswordProblem]) {
    for problem in problems {
        let text = match problem {
            PasswordProblem::TooShort { min_length } => {
                format!("The password needs at least {min_length} characters.")
            }
            PasswordProblem::TooSimilar { .. } => {
                "The password is too much like your name or e-mail.".to_owned()
            }
            PasswordProblem::TooLong => "The password is too long.".to_owned(),
            PasswordProblem::TooCommon => "Too many people have this password.".to_owned(),
            PasswordProblem::EntirelyNumeric => "The password has only digits.".to_owned(),
            // There are no better words here for what is added later.
            other => format!("{other}."),
        };
        form.error("password", text);
    }
}

pub(super) const DIFFERENT: &str = "The two passwords are not the same.";
