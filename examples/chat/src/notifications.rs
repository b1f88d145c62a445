//! What a view pushes to one user: the page that shows it live, and the two ways to send it.

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use minijinja::context;
use narrows::{Channels, Close, Connection, Consumer, NoEvent, Reject, Text};
use narrows_django::{Session, User};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::accounts::{Addressee, Form, FormProblem, LogIn, Visitor, log_in_address};
use crate::inbox::Inbox;
use crate::protocol::{Problem, check_addressee, check_text, now};
use crate::site::{Page, Reader, Site};

const PAGE: Page = Page {
    template: "notifications.html",
    script: "notifications",
    modules: &["i18n", "name", "socket", "session", "status"],
    current: "/notifications/",
};

/// Under which the session remembers to whom the form sent, for the page behind the redirect.
const SENT: &str = "notified";

/// The page with its form, and the same for programs.
pub(crate) fn router(channels: &Channels) -> Router<Site> {
    Router::new()
        .route("/notifications/", get(page).post(submit))
        .route("/api/notify/", post(notify))
        .route("/api/me/", get(me))
        .layer(Extension(channels.clone()))
}

/// One device of a user that waits for what is pushed to it.
pub(crate) struct Notifications;

/// What the page is sent: what the inbox holds.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(crate) struct Pushed(Inbox);

impl From<Inbox> for Pushed {
    fn from(message: Inbox) -> Self {
        Self(message)
    }
}

impl Consumer for Notifications {
    // Who is not logged in is refused, and the socket ends with the session.
    type Scope = User;
    type In = Text;
    type Out = Pushed;
    type Event = NoEvent;

    async fn connect(user: User, conn: &mut Connection<Self>) -> Result<Self, Reject> {
        let inbox = Inbox::of(user.id.as_str());
        conn.join(&inbox).await?;
        conn.track(&inbox.presence(), "device", ()).await?;
        Ok(Self)
    }

    async fn receive(&mut self, _: Text, conn: &mut Connection<Self>) -> Result<(), Close> {
        Ok(conn.send_error("not_taken", "nothing is taken here; send with POST /api/notify/")?)
    }
}

async fn page(reader: Reader, Visitor(user): Visitor, session: Session, uri: Uri) -> Response {
    if user.is_none() {
        return Redirect::to(&log_in_address(&uri)).into_response();
    }
    let said: Option<String> = session.get(SENT);
    if said.is_some() {
        session.remove(SENT);
    }
    show(&reader, StatusCode::OK, &Form::default(), said)
}

fn show(reader: &Reader, status: StatusCode, form: &Form, said: Option<String>) -> Response {
    let said_values = json!({ "name": said }).to_string();
    reader.answer(status, PAGE, context! { form => form.value(), said, said_values })
}

/// A notification on its way, from the form or as JSON.
#[derive(Debug, Deserialize)]
struct Notify {
    #[serde(default)]
    to: String,
    #[serde(default)]
    message: String,
}

async fn submit(
    State(site): State<Site>,
    Extension(channels): Extension<Channels>,
    reader: Reader,
    Visitor(user): Visitor,
    session: Session,
    axum::Form(asked): axum::Form<Notify>,
) -> Response {
    let Some(user) = user else { return Redirect::to("/login/?next=/notifications/").into_response() };
    let problem = match push(&site, &channels, &user, &asked).await {
        Ok(to) => {
            if let Err(error) = session.insert(SENT, &to) {
                tracing::error!(%error, "a name is no JSON");
            }
            return Redirect::to("/notifications/").into_response();
        }
        Err(problem) => problem,
    };
    let (field, key) = match problem {
        Problem::BadName | Problem::NoSuchUser => ("to", "problem.no_such_user"),
        Problem::Empty => ("message", "problem.empty"),
        Problem::TooLong { .. } => ("message", "problem.too_long"),
        _ => ("form", "problem.not_sent"),
    };
    let mut form = Form::default().keep("to", &asked.to).keep("message", &asked.message);
    form.problem(field, FormProblem::new(key, problem.to_string()));
    show(&reader, status(&problem), &form, None)
}

async fn notify(
    State(site): State<Site>,
    Extension(channels): Extension<Channels>,
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
    match push(&site, &channels, &user, &asked).await {
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
async fn push(site: &Site, channels: &Channels, from: &User, asked: &Notify) -> Result<String, Problem> {
    let to = check_addressee(&asked.to)?;
    check_text(&asked.message)?;
    let to = match site.addressee(&to).await {
        Ok(Addressee::Account(user)) => user,
        Ok(_) => return Err(Problem::NoSuchUser),
        Err(error) => {
            tracing::warn!(error = &error as &dyn std::error::Error, "nobody can be looked up");
            return Err(Problem::NotSent);
        }
    };
    let notification =
        Inbox::Notification { message: asked.message.clone(), from: from.username.clone(), time: now() };
    match channels.broadcast(&Inbox::of(to.id.as_str()), &notification).await {
        Ok(()) => Ok(to.username),
        Err(error) => {
            tracing::debug!(%error, "a notification was not sent");
            Err(Problem::NotSent)
        }
    }
}

/// Who is asking, for pages whose socket does not open.
async fn me(State(site): State<Site>, Visitor(user): Visitor) -> Response {
    let required = matches!(site.log_in, LogIn::Required(_));
    let me = json!({ "user": user.map(|user| user.username), "required": required });
    ([(header::CACHE_CONTROL, "no-store")], Json(me)).into_response()
}
