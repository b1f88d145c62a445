//! The pages.

use axum::extract::Path;
use garde::Validate;
use narrows_web::{Error, Form, Page, Result, context};
use serde::Deserialize;

use super::consumers;
use super::models::MAX_ROOM;

/// Which room somebody wants to enter.
#[derive(Deserialize, Validate)]
pub(super) struct Wanted {
    #[garde(length(chars, min = 1, max = MAX_ROOM), custom(fits_address))]
    room: String,
}

/// The first page, which asks for a room.
pub(super) async fn index(page: Page) -> Result {
    page.render(
        "chat/index.html",
        context! { form => Form::<Wanted>::new() },
    )
}

/// Sends the browser on to that room, or shows what is wrong.
pub(super) async fn enter(page: Page, mut form: Form<Wanted>) -> Result {
    let Ok(wanted) = form.check() else {
        return page.invalid("chat/index.html", context! { form });
    };
    page.redirect("chat:room", &[("room", &wanted.room)])
}

/// A room.
pub(super) async fn room(page: Page, Path(room): Path<String>) -> Result {
    if room.chars().count() > MAX_ROOM {
        return Err(Error::not_found());
    }
    let present = consumers::group(&room)?.presence::<()>().group().to_owned();
    page.render("chat/room.html", context! { room, present })
}

/// In an address these two mean something else.
fn fits_address(room: &str, (): &()) -> garde::Result {
    match room {
        "." | ".." => Err(garde::Error::new("This cannot be the name of a room.")),
        _ => Ok(()),
    }
}
