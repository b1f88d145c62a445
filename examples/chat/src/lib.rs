//! The chat site: three chats on one page each, from the simplest to the one with everything, and accounts.
//!
//! | page | socket | consumer | shows |
//! |---|---|---|---|
//! | `/chatone` | `/room/{id}/` | `one::One` | answering a client, closing from the server |
//! | `/chatgroup?groupID={id}` | `/group/{id}/` | `group::GroupChat` | a group: what one says, all read |
//! | `/chat/{room}/` | `/ws/chat/{room}/` | `room::Room` | typed messages, inboxes, announcements |
//! | `/notifications/` | `/ws/notifications/` | `notifications::Notifications` | what a view pushes to one user |
//!
//! In the rooms a bot answers: `bot::bot`, a worker that this process runs, or another. `accounts` are the pages to
//! register, to log in and to log out.
//!
//! Read them in this order; `README.md` says what to look at.

mod accounts;
mod announcement;
mod bot;
mod data;
mod group;
mod inbox;
mod messages;
mod notifications;
mod one;
mod protocol;
mod room;
mod rooms;
mod site;

use axum::Router;
use narrows::Channels;
use narrows::serve::health;
use narrows_django::ways::TokenWay;

pub use accounts::LogIn;
pub use announcement::Announce;
pub use bot::{Bot, BotChannel, bot};
pub use data::{DataFolder, DataFolderError};
pub use messages::Messages;
pub use site::Site;

/// The whole site: pages, static files, sockets and health routes. The bot runs beside it.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// use chat::{Announce, Bot, BotChannel, LogIn, Messages, Site};
///
/// let (channels, bot) = (narrows::Channels::new(), BotChannel::of(Bot::Here));
/// let messages = Messages::in_memory().await?;
/// let site = Site::new(Announce::Everyone, &bot, LogIn::Off, &messages);
/// let app: axum::Router = chat::app(&channels, site);
/// let bot: narrows::Worker = chat::bot(&channels, &bot, &messages);
/// # Ok::<(), narrows_django::DatabaseError>(()) })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn app(channels: &Channels, site: Site) -> Router {
    let chats = Router::new()
        .route("/room/{id}/", channels.consumer::<one::One>().route())
        .route("/group/{id}/", channels.consumer::<group::GroupChat>().route())
        .route("/ws/chat/{room}/", channels.consumer::<room::Room>().resumable().route())
        .merge(rooms::router(channels))
        .merge(site::chats());
    let mut app = site::router().merge(accounts::for_all_or_users(chats, &site));
    let accounts = site.log_in.accounts().cloned();
    if accounts.is_some() {
        let notified = channels.consumer::<notifications::Notifications>();
        app = app
            .merge(accounts::router())
            .merge(notifications::router(channels))
            .route("/ws/notifications/", notified.route());
    }
    let app = app.with_state(site);
    // Inside of the security headers, as a refusal of theirs is an answer too.
    let app = match accounts {
        Some(accounts) => {
            app.layer(accounts.way_in(TokenWay::new())).layer(accounts.layer()).layer(accounts.csrf())
        }
        None => app,
    };
    site::secured(app).merge(health(channels))
}
