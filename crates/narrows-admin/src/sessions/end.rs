use axum::extract::Path;
use narrows_django::{ListSessionsError, ListedSession, SessionId, UserId};
use narrows_web::{Db, Error, Result};

use super::DELETE;
use crate::live::{Confirm, known_id, to_its_end, username, write_down};
use crate::log::{Action, Change};
use crate::rows::Key;
use crate::shell::AdminPage;

/// Asks whether a session is to end.
pub(crate) async fn ask(page: AdminPage, Path(id): Path<String>) -> Result {
    page.staff().need(DELETE)?;
    let session = found(&page, &id).await?;
    let mut facts = vec![("Session", short(&session))];
    if let Some(user) = &session.user {
        facts.push(("User", username(&page, user.as_str()).await?));
    }
    facts.push(("Expires", session.expires.format("%Y-%m-%d %H:%M UTC").to_string()));
    let is_own = super::list::own_digest(&page) == Some(session.id.digest());
    let own = if is_own { " It is your own: you will be logged out." } else { "" };
    Confirm {
        title: "End a session".to_owned(),
        text: format!("Whoever has it is logged out, and its sockets close at once on all nodes.{own}"),
        facts,
        button: "End the session",
        back: ("Sessions", list_url(&page)?),
        asks_reason: false,
    }
    .render(&page)
}

/// Ends a session and its sockets.
pub(crate) async fn end(page: AdminPage, db: Db, Path(id): Path<String>) -> Result {
    page.staff().need(DELETE)?;
    to_its_end(end_one(page, db, id)).await
}

async fn end_one(page: AdminPage, db: Db, id: String) -> Result {
    let session = found(&page, &id).await?;
    let is_own = super::list::own_digest(&page) == Some(session.id.digest());
    if is_own {
        // With its cookie: what is at hand must not be saved again.
        page.site().accounts().log_out(page.session()).await?;
    } else if !page.site().accounts().end_listed_session(&session.id).await? {
        return Err(Error::not_found());
    }
    let label = match &session.user {
        Some(user) => username(&page, user.as_str()).await?,
        None => "a visitor".to_owned(),
    };
    let object = ("django_session", &Key(vec![short(&session)]));
    write_down(&db, page.staff(), Action::End, object, &label, &[]).await?;
    if is_own {
        return page.redirect("admin:login", &[]);
    }
    page.success(format!("A session of {label} was ended."));
    page.redirect("admin:sessions", &[])
}

/// Asks whether all sessions of a user are to end.
pub(crate) async fn ask_user(page: AdminPage, Path(id): Path<String>) -> Result {
    page.staff().need(DELETE)?;
    let id = known_id(page.site().accounts(), &id).await?;
    let user = username(&page, id.as_str()).await?;
    let own = if is_own(&page, &id) { " Your own session stays." } else { "" };
    Confirm {
        title: format!("End all sessions of {user}"),
        text: format!("They are logged out everywhere, and all their sockets close on all nodes.{own}"),
        facts: vec![("User", user)],
        button: "End them all",
        back: ("Sessions", list_url(&page)?),
        asks_reason: false,
    }
    .render(&page)
}

/// Ends all sessions of a user; of who does it, all but the one at hand.
pub(crate) async fn end_user(page: AdminPage, db: Db, Path(id): Path<String>) -> Result {
    page.staff().need(DELETE)?;
    to_its_end(end_all(page, db, id)).await
}

async fn end_all(page: AdminPage, db: Db, id: String) -> Result {
    let id = known_id(page.site().accounts(), &id).await?;
    let user = username(&page, id.as_str()).await?;
    let own = page.session().key().filter(|_| is_own(&page, &id));
    let ended = page.site().accounts().end_sessions_of(&id, own.as_deref()).await;
    let ended = ended.map_err(not_found)?;
    let changes = [Change::of("sessions", None, Some(&ended.to_string()))];
    let object = ("sessions_of_user", &Key(vec![id.as_str().to_owned()]));
    write_down(&db, page.staff(), Action::End, object, &user, &changes).await?;
    page.success(format!("{ended} {} of {user} ended.", if ended == 1 { "session" } else { "sessions" }));
    page.redirect("admin:sessions", &[])
}

/// Asks whether the sessions that are over are to be deleted.
pub(crate) async fn ask_clear(page: AdminPage) -> Result {
    page.staff().need(DELETE)?;
    Confirm {
        title: "Clear expired sessions".to_owned(),
        text: "The rows of sessions that are over are deleted. Nobody is logged out by it.".to_owned(),
        button: "Clear them",
        back: ("Sessions", list_url(&page)?),
        ..Confirm::default()
    }
    .render(&page)
}

/// Deletes the sessions that are over.
pub(crate) async fn clear(page: AdminPage, db: Db) -> Result {
    page.staff().need(DELETE)?;
    to_its_end(clear_all(page, db)).await
}

async fn clear_all(page: AdminPage, db: Db) -> Result {
    let cleared = page.site().accounts().clear_expired_sessions().await?;
    let changes = [Change::of("cleared", None, Some(&cleared.to_string()))];
    let object = ("django_session", &Key(vec!["expired".to_owned()]));
    write_down(&db, page.staff(), Action::Delete, object, "expired sessions", &changes).await?;
    page.success(format!("{cleared} expired {} cleared.", if cleared == 1 { "session" } else { "sessions" }));
    page.redirect("admin:sessions", &[])
}

async fn found(page: &AdminPage, id: &str) -> Result<ListedSession> {
    let id: SessionId = id.parse().map_err(|_| Error::not_found())?;
    let found = page.site().accounts().listed_session(&id).await.map_err(not_found)?;
    found.ok_or_else(Error::not_found)
}

fn not_found(error: ListSessionsError) -> Error {
    match error {
        ListSessionsError::NotListed => Error::not_found(),
        error => error.into(),
    }
}

fn is_own(page: &AdminPage, id: &UserId) -> bool {
    page.staff().user().id == *id
}

/// A part of the key's digest.
fn short(session: &ListedSession) -> String {
    session.id.digest()[..12].to_owned()
}

fn list_url(page: &AdminPage) -> Result<String> {
    Ok(page.site().url_for::<&str, &str>("admin:sessions", &[])?)
}
