//! The pages.

use axum::extract::Path;
use garde::Validate;
use narrows_web::narrows_django::Session;
use narrows_web::{Form, Page, Result, context};
use serde::Deserialize;

use super::consumers;

/// Which room somebody wants to enter, and under which name.
#[derive(Deserialize, Validate)]
pub(super) struct Wanted {
    #[garde(length(chars, min = 1, max = 50), custom(fits_address))]
    room: String,
    #[garde(length(chars, min = 1, max = 40))]
    name: String,
}

/// The first page, which asks for a room and a name.
pub(super) async fn index(page: Page) -> Result {
    page.render(
        "chat/index.html",
        context! { form => Form::<Wanted>::new() },
    )
}

/// Keeps the name in the session and sends the browser on to the room, or shows what is wrong.
pub(super) async fn enter(page: Page, session: Session, mut form: Form<Wanted>) -> Result {
    let Ok(wanted) = form.check() else {
        return page.invalid("chat/index.html", context! { form });
    };
    session.insert("name", &wanted.name)?;
    page.redirect("chat:room", &[("room", &wanted.room)])
}

/// A room, for those who have a name.
pub(super) async fn room(page: Page, session: Session, Path(room): Path<String>) -> Result {
    let Some(name) = session.get::<String>("name") else {
        return page.redirect("chat:index", &[]);
    };
    let present = consumers::group(&room)?.presence::<()>().group().to_owned();
    page.render("chat/room.html", context! { room, name, present })
}

/// In an address these two mean something else.
fn fits_address(room: &str, (): &()) -> garde::Result {
    match room {
        "." | ".." => Err(garde::Error::new("This cannot be the name of a room.")),
        _ => Ok(()),
    }
}
