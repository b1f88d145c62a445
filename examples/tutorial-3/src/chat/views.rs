//! The pages.

use axum::extract::Path;
use garde::Validate;
use narrows_web::{Form, Page, Result, context};
use serde::Deserialize;

use super::consumers;

/// Which room somebody wants to enter.
#[derive(Deserialize, Validate)]
pub(super) struct Wanted {
    #[garde(length(chars, min = 1, max = 50))]
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
    let present = consumers::group(&room)?.presence::<()>().group().to_owned();
    page.render("chat/room.html", context! { room, present })
}
