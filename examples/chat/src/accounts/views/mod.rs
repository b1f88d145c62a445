//! The pages. What they say of a form they say in English; the page's script finds the translation by the text.

pub(super) mod account;
pub(super) mod log_in;
pub(super) mod register;
pub(super) mod token;

use std::error::Error;
use std::time::Duration;

use axum::http::StatusCode;
use narrows_web::Form;
use narrows_web::narrows_django::password::PasswordProblem;

/// What stands in a form's error, with the status of its page.
type Problem = (StatusCode, String);

/// The password was guessed too often.
fn throttled(wait: Duration) -> Problem {
    let text = format!("Too many attempts. Try again in {} s.", wait.as_secs() + 1);
    (StatusCode::TOO_MANY_REQUESTS, text)
}

/// Too many passwords are being checked.
fn busy() -> Problem {
    let text = "There is too much to do just now. Try again in a moment.";
    (StatusCode::SERVICE_UNAVAILABLE, text.to_owned())
}

/// The accounts are away.
fn unavailable(error: &(dyn Error + 'static)) -> Problem {
    tracing::error!(error, "the accounts are away");
    busy()
}

/// For a rule of a form: the other one of two passwords is this one.
fn same_as(password: &str) -> impl FnOnce(&str, &()) -> garde::Result {
    move |again, ()| match again == password {
        true => Ok(()),
        false => Err(garde::Error::new("The two passwords are not the same.")),
    }
}

fn add_password_problems<T>(form: &mut Form<T>, problems: &[PasswordProblem]) {
    for problem in problems {
        let text = match problem {
            PasswordProblem::TooShort { min_length } => {
                format!("The password needs at least {min_length} characters.")
            }
            PasswordProblem::TooLong => "The password is too long.".to_owned(),
            PasswordProblem::TooSimilar { .. } => {
                "The password is too much like your name or e-mail.".to_owned()
            }
            PasswordProblem::TooCommon => "Too many people have this password.".to_owned(),
            PasswordProblem::EntirelyNumeric => "The password has only digits.".to_owned(),
            // The page has no words of its own for what is added later.
            other => other.to_string(),
        };
        form.error("password", text);
    }
}
