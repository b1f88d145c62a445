use axum::extract::{Form, Path};
use narrows::live::{ConnectionId, LiveConnection, LiveError};
use narrows_web::{Db, Error, Result};
use serde::Deserialize;

use super::list::{names, short};
use super::{Confirm, END, to_its_end, write_down};
use crate::log::{Action, Change};
use crate::rows::Key;
use crate::shell::AdminPage;

#[derive(Debug, Deserialize)]
pub(crate) struct Reason {
    #[serde(default)]
    reason: String,
}

/// What clients are told where no reason was typed.
const REASON: &str = "ended by an administrator";

/// Asks whether a connection is to end.
pub(crate) async fn ask(page: AdminPage, Path(id): Path<String>) -> Result {
    page.staff().need(END)?;
    let connection = match found(&page, &id).await? {
        Found::Here(_, connection) => connection,
        Found::Gone => return gone(&page),
        Found::Unknown => return unknown(&page),
    };
    let user = name(&page, &connection).await?;
    let mut facts = vec![("Path", connection.path.clone()), ("Consumer", short(&connection.consumer))];
    facts.extend(user.map(|user| ("User", user)));
    facts.extend(connection.address.map(|address| ("Address", address.to_string())));
    Confirm {
        title: "End a connection".to_owned(),
        text: "Its client is closed with code 4403 and cannot take it up again. It may connect anew, where the site lets it."
            .to_owned(),
        facts,
        button: "End the connection",
        back: ("Live connections", list_url(&page)?),
        asks_reason: true,
    }
    .render(&page)
}

/// Ends a connection, on whichever node it is.
pub(crate) async fn end(page: AdminPage, db: Db, Path(id): Path<String>, Form(form): Form<Reason>) -> Result {
    page.staff().need(END)?;
    to_its_end(end_one(page, db, id, form.reason)).await
}

async fn end_one(page: AdminPage, db: Db, id: String, reason: String) -> Result {
    let (id, connection) = match found(&page, &id).await? {
        Found::Here(id, connection) => (id, connection),
        Found::Gone => return gone(&page),
        Found::Unknown => return unknown(&page),
    };
    let reason = if reason.trim().is_empty() { REASON } else { reason.trim() };
    match page.site().channels().live().end(id, reason).await {
        Ok(true) => {}
        Ok(false) => return gone(&page),
        Err(LiveError::NoAnswer | LiveError::Layer(_)) => return unknown(&page),
        Err(error) => return Err(error.into()),
    }
    let user = name(&page, &connection).await?;
    let label = user.map_or_else(|| connection.path.clone(), |user| format!("{user} at {}", connection.path));
    let changes = [Change::of("reason", None, Some(reason))];
    let object = ("live_connection", &Key(vec![id.to_string()]));
    write_down(&db, page.staff(), Action::End, object, &label, &changes).await?;
    page.success(format!("The connection of {label} was ended."));
    page.redirect("admin:live", &[])
}

/// Asks whether all connections of a user are to end.
pub(crate) async fn ask_user(page: AdminPage, Path(id): Path<String>) -> Result {
    page.staff().need(END)?;
    let user = username(&page, &id).await?;
    Confirm {
        title: format!("End all connections of {user}"),
        text: "They are closed with code 4401 on all nodes. The sessions stay: who is logged in can connect anew."
            .to_owned(),
        facts: vec![("User", user)],
        button: "End them all",
        back: ("Live connections", list_url(&page)?),
        asks_reason: false,
    }
    .render(&page)
}

/// Ends all connections of a user, on all nodes.
pub(crate) async fn end_user(page: AdminPage, db: Db, Path(id): Path<String>) -> Result {
    page.staff().need(END)?;
    to_its_end(end_all(page, db, id)).await
}

async fn end_all(page: AdminPage, db: Db, id: String) -> Result {
    let user = username(&page, &id).await?;
    page.site().channels().end_user(&id).await?;
    let object = ("live_connections_of_user", &Key(vec![id]));
    write_down(&db, page.staff(), Action::End, object, &user, &[]).await?;
    page.success(format!("All connections of {user} were ended."));
    page.redirect("admin:live", &[])
}

/// What is known of a connection.
enum Found {
    Here(ConnectionId, Box<LiveConnection>),
    Gone,
    /// Its node does not answer.
    Unknown,
}

async fn found(page: &AdminPage, id: &str) -> Result<Found> {
    let id: ConnectionId = id.parse().map_err(|_| Error::not_found())?;
    match page.site().channels().live().connection(id).await {
        Ok(Some(connection)) => Ok(Found::Here(id, Box::new(connection))),
        Ok(None) => Ok(Found::Gone),
        Err(LiveError::NoAnswer | LiveError::Layer(_)) => Ok(Found::Unknown),
        Err(error) => Err(error.into()),
    }
}

fn gone(page: &AdminPage) -> Result {
    page.info("That connection is not there any more.");
    page.redirect("admin:live", &[])
}

fn unknown(page: &AdminPage) -> Result {
    page.error("Its node does not answer: the connection may go on. Try again in a moment.");
    page.redirect("admin:live", &[])
}

async fn name(page: &AdminPage, connection: &LiveConnection) -> Result<Option<String>> {
    let Some(id) = &connection.user else { return Ok(None) };
    Ok(Some(username(page, id).await?))
}

/// The name of a user; the id where nobody has it.
pub(crate) async fn username(page: &AdminPage, id: &str) -> Result<String> {
    let mut names = names(page.site().accounts(), [id].into_iter()).await?;
    Ok(names.remove(id).unwrap_or_else(|| id.to_owned()))
}

fn list_url(page: &AdminPage) -> Result<String> {
    Ok(page.site().url_for::<&str, &str>("admin:live", &[])?)
}
