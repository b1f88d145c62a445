use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use garde::Validate;
use narrows_web::narrows_django::User;
use narrows_web::{Form, Page, Result, Site, context};
use serde::Deserialize;
use serde_json::json;

use super::Inbox;
use crate::accounts::{Addressee, LogIn, Visitor, addressee, to_log_in};
use crate::rooms::protocol::{Problem, check_addressee, check_text, now};

/// A notification on its way, from the form or as JSON. Its texts are checked by the rules of the rooms.
#[derive(Debug, Deserialize, Validate)]
pub(super) struct Notify {
    #[serde(default)]
    #[garde(skip)]
    to: String,
    #[serde(default)]
    #[garde(skip)]
    message: String,
}

/// The page with its form; what arrives comes by its socket, see `consumers.rs`.
pub(super) async fn index(page: Page) -> Result {
    match page.user() {
        Some(_) => show(&page, &Form::new()),
        None => Ok(to_log_in(page.uri())),
    }
}

/// Sends what was typed, or shows the form again with what is wrong.
pub(super) async fn submit(page: Page, mut form: Form<Notify>) -> Result {
    let Some(user) = page.user() else { return Ok(to_log_in(page.uri())) };
    let Ok(asked) = form.check() else { return show(&page.status(StatusCode::UNPROCESSABLE_ENTITY), &form) };
    match push(page.site(), user, &asked).await {
        Ok(to) => {
            page.success(format!("Sent to {to}."));
            page.redirect("notifications:index", &[])
        }
        Err(problem) => {
            let (field, text) = match problem {
                Problem::BadName | Problem::NoSuchUser => ("to", "There is no account of that name."),
                Problem::Empty => ("message", "There is nothing in this message."),
                Problem::TooLong { .. } => ("message", "A message has at most 2000 characters."),
                _ => ("form", "It could not be sent just now. Try again in a moment."),
            };
            form.error(field, text);
            show(&page.status(status(&problem)), &form)
        }
    }
}

fn show(page: &Page, form: &Form<Notify>) -> Result {
    page.render("notifications/index.html", context! { form })
}

/// The same for programs.
pub(super) async fn notify(
    State(site): State<Site>,
    Visitor(user): Visitor,
    asked: Result<Json<Notify>, JsonRejection>,
) -> Response {
    let Some(user) = user else {
        let challenge = [(header::WWW_AUTHENTICATE, "Token")];
        return (challenge, refusal(StatusCode::UNAUTHORIZED, "anonymous", "log in first")).into_response();
    };
    let asked = match asked {
        Ok(Json(asked)) => asked,
        Err(rejection) => return refusal(rejection.status(), "malformed", &rejection.body_text()),
    };
    match push(&site, &user, &asked).await {
        Ok(to) => Json(json!({ "sent": true, "to": to })).into_response(),
        Err(problem) => refusal(status(&problem), problem.code(), &problem.to_string()),
    }
}

fn refusal(status: StatusCode, code: &str, detail: &str) -> Response {
    (status, Json(json!({ "error": code, "detail": detail }))).into_response()
}

fn status(problem: &Problem) -> StatusCode {
    match problem {
        Problem::NotSent => StatusCode::SERVICE_UNAVAILABLE,
        Problem::NoSuchUser => StatusCode::NOT_FOUND,
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    }
}

/// Pushes to all devices of an account; gives the account's name.
async fn push(site: &Site, from: &User, asked: &Notify) -> Result<String, Problem> {
    let to = check_addressee(&asked.to)?;
    check_text(&asked.message)?;
    let to = match addressee(site, &to).await {
        Ok(Addressee::Account(user)) => user,
        Ok(_) => return Err(Problem::NoSuchUser),
        Err(error) => {
            tracing::warn!(error = &error as &dyn std::error::Error, "nobody can be looked up");
            return Err(Problem::NotSent);
        }
    };
    let notification =
        Inbox::Notification { message: asked.message.clone(), from: from.username.clone(), time: now() };
    match site.channels().broadcast(&Inbox::of(to.id.as_str()), &notification).await {
        Ok(()) => Ok(to.username),
        Err(error) => {
            tracing::debug!(%error, "a notification was not sent");
            Err(Problem::NotSent)
        }
    }
}

/// Who is asking, for pages whose socket does not open.
pub(super) async fn me(State(site): State<Site>, Visitor(user): Visitor) -> Response {
    let required = LogIn::of(&site) == LogIn::Required;
    let me = json!({ "user": user.map(|user| user.username), "required": required });
    ([(header::CACHE_CONTROL, "no-store")], Json(me)).into_response()
}
