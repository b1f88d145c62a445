//! Rooms: who is there, what is said and what was said, with a bot.

pub(crate) mod bot;
mod consumers;
pub mod messages;
mod migrations;
#[expect(missing_docs, reason = "columns are called what they are")]
pub mod models;
pub(crate) mod protocol;
mod views;

use axum::response::Redirect;
use axum::routing::get;
use narrows_admin::{Admin, Listed};
use narrows_web::models::Models;
use narrows_web::models::sea_orm::Order;
use narrows_web::{App, Routes, Site};

pub(crate) use self::consumers::GUEST;
use self::consumers::Room;
pub use self::messages::Messages;
use self::models::{mark, message, room};
use crate::accounts;

/// The app.
pub fn app() -> App {
    App::new("rooms")
        .models(Models::new().entity(room::Entity).entity(message::Entity).entity(mark::Entity))
        .migrations(migrations::all())
        .routes(routes)
}

fn routes(site: &Site) -> Routes {
    let rooms = Routes::new()
        .route("index", "/chat/", get(views::index))
        .route("room", "/chat/{room}/", get(views::room))
        .route("list", "/api/rooms/", get(views::list))
        .route("socket", "/ws/chat/{room}/", site.channels().consumer::<Room>().resumable().route())
        // A room without a name: axum's parameters may be empty in the middle of a path.
        .with(|router| router.route("/chat//", get(|| async { Redirect::temporary("/chat/") })));
    accounts::for_all_or_users(rooms, site)
}

/// Adds what staff see of the rooms.
pub(crate) fn admin(admin: Admin) -> Admin {
    let rooms = Listed::new(room::Entity)
        .list([room::Column::Title, room::Column::Last])
        .search([room::Column::Title])
        .label(|room| messages::text::read(room.title.clone()))
        .order_by(room::Column::Title, Order::Asc)
        // Its group is named after its title.
        .read_only([room::Column::Title, room::Column::Epoch, room::Column::Last])
        .no_adding();
    let messages = Listed::new(message::Entity)
        .list([
            message::Column::Room,
            message::Column::Id,
            message::Column::Name,
            message::Column::Body,
            message::Column::Account,
            message::Column::SaidAt,
        ])
        .search([message::Column::Name, message::Column::Body])
        .label(|message| {
            let said = messages::text::read(message.body.clone());
            format!(
                "{}: {}",
                messages::text::read(message.name.clone()),
                said.chars().take(40).collect::<String>()
            )
        })
        .filter([message::Column::Room, message::Column::Account])
        .order_by(message::Column::SaidAt, Order::Desc)
        .read_only([
            message::Column::Sender,
            message::Column::Once,
            message::Column::Name,
            message::Column::Account,
            message::Column::SaidAt,
        ])
        .derived(message::Column::Folded, message::Column::Body, |body| {
            messages::text::folded(&messages::text::read(body.to_owned()))
        })
        // A message has the next number of its room.
        .no_adding();
    admin.model(rooms).model(messages)
}
