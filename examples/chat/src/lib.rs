//! The chat site: three chats on one page each, from the simplest to the one with everything.
//!
//! | page | socket | consumer | shows |
//! |---|---|---|---|
//! | `/chatone` | `/room/{id}/` | `one::One` | answering a client, closing from the server |
//! | `/chatgroup?groupID={id}` | `/group/{id}/` | `group::GroupChat` | a group: what one says, all read |
//! | `/chat/{room}/` | `/ws/chat/{room}/` | `room::Room` | typed messages, inboxes, announcements |
//!
//! In the rooms a bot answers: `bot::bot`, a worker that this process runs, or another.
//!
//! Read them in this order; `README.md` says what to look at.

mod announcement;
mod bot;
mod group;
mod one;
mod protocol;
mod room;
mod site;

use axum::Router;
use narrows::Channels;
use narrows::serve::health;

pub use announcement::Announce;
pub use bot::{Bot, BotChannel, bot};

/// The whole site: pages, static files, sockets and health routes. The bot runs beside it.
///
/// ```
/// use chat::{Announce, Bot, BotChannel};
///
/// let (channels, bot) = (narrows::Channels::new(), BotChannel::of(Bot::Here));
/// let app: axum::Router = chat::app(&channels, Announce::Everyone, &bot);
/// let bot: narrows::Worker = chat::bot(&channels, &bot);
/// ```
pub fn app(channels: &Channels, announce: Announce, bot: &BotChannel) -> Router {
    let sockets = Router::new()
        .route("/room/{id}/", channels.consumer::<one::One>().route())
        .route("/group/{id}/", channels.consumer::<group::GroupChat>().route())
        .route("/ws/chat/{room}/", channels.consumer::<room::Room>().route())
        .with_state(room::Site { announce, bot: bot.clone() });
    site::router().merge(sockets).merge(health(channels))
}
