//! The pages, and the list of rooms: how many are there, and what is new.

use std::collections::BTreeMap;
use std::error::Error;

use axum::Json;
use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::future::join_all;
use narrows::Channels;
use narrows_web::narrows_django::DatabaseError;
use narrows_web::{Page, Result, Site, context};
use serde::Serialize;

use super::Messages;
use super::consumers::{self, Here, reader};
use super::messages::{RoomKey, Top};
use crate::accounts::Visitor;

/// Rooms that one request may name.
const ROOMS: usize = 30;

/// The rooms one has been to.
pub(super) async fn index(page: Page) -> Result {
    page.render("rooms/index.html", context! {})
}

/// A room. All that is in it comes by its socket: see `consumers`.
pub(super) async fn room(page: Page) -> Result {
    page.render("rooms/room.html", context! {})
}

/// A room as the list shows it.
#[derive(Serialize)]
struct Listed {
    room: String,
    /// How many people are there; `None` while nobody knows.
    here: Option<u64>,
    epoch: u64,
    /// The number of the newest message.
    last: u64,
    /// How far the account has read; `None` for guests, whose browsers know.
    read: Option<u64>,
}

/// The rooms that the query names, `?room=lobby&room=…`, and of those that the account has been to the ones in which
/// something was said last.
pub(super) async fn list(
    State(site): State<Site>,
    Visitor(user): Visitor,
    Query(named): Query<Vec<(String, String)>>,
) -> Response {
    let named = named.into_iter().filter(|(key, _)| key == "room").map(|(_, room)| room).take(ROOMS);
    let user = user.map(|user| reader(user.id.as_str()));
    let rooms = match find(&site, user.as_deref(), named.collect()).await {
        Ok(rooms) => rooms,
        Err(error) => {
            tracing::warn!(error = &error as &dyn Error, "the rooms cannot be listed");
            return StatusCode::SERVICE_UNAVAILABLE.into_response();
        }
    };
    let rooms = join_all(rooms.into_iter().map(|(room, (top, read))| {
        let channels = site.channels();
        async move {
            let here = here(channels, &room).await;
            Listed { room, here, epoch: top.epoch, last: top.last, read }
        }
    }));
    ([(header::CACHE_CONTROL, "no-store")], Json(rooms.await)).into_response()
}

async fn find(
    site: &Site,
    user: Option<&str>,
    named: Vec<String>,
) -> Result<BTreeMap<String, (Top, Option<u64>)>, DatabaseError> {
    let messages = Messages::of(site);
    let keys: Vec<_> = named
        .into_iter()
        .filter_map(|title| Some(RoomKey::new(&consumers::group(&title).ok()?, &title)))
        .collect();
    let tops = messages.tops(&keys).await?;
    let marks = match user {
        Some(user) => messages.read_to_all(user, &keys).await?,
        None => vec![None; keys.len()],
    };
    let named = keys.into_iter().zip(tops.into_iter().zip(marks));
    let mut rooms: BTreeMap<_, _> = named.map(|(key, room)| (key.title, room)).collect();
    if let Some(user) = user {
        for visited in messages.visited(user).await? {
            rooms.insert(visited.title, (visited.top, Some(visited.read)));
        }
    }
    Ok(rooms)
}

async fn here(channels: &Channels, title: &str) -> Option<u64> {
    let group = consumers::group(title).ok()?;
    match channels.count(&group.presence::<Here>()).await {
        Ok(count) => Some(count),
        Err(error) => {
            tracing::debug!(%error, "nobody knows who is in a room");
            None
        }
    }
}
