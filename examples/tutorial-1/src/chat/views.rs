//! The pages.

use axum::extract::{Path, Query};
use narrows_web::{Page, Result, context};
use serde::Deserialize;

/// Which room somebody wants to enter.
#[derive(Deserialize)]
pub(super) struct Wanted {
    room: String,
}

/// The first page, which asks for a room.
pub(super) async fn index(page: Page) -> Result {
    page.render("chat/index.html", context! {})
}

/// Sends the browser on to that room, or back where it cannot be one.
pub(super) async fn enter(page: Page, Query(wanted): Query<Wanted>) -> Result {
    match wanted.room.trim() {
        // In an address these two mean something else.
        "" | "." | ".." => page.redirect("chat:index", &[]),
        room => page.redirect("chat:room", &[("room", room)]),
    }
}

/// A room.
pub(super) async fn room(page: Page, Path(room): Path<String>) -> Result {
    page.render("chat/room.html", context! { room })
}
