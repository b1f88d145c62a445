//! The chat site: three chats on one page each, from the simplest to the one with everything, accounts, notifications, and an
//! admin for staff.
//!
//! | app | page | socket | shows |
//! |---|---|---|---|
//! | `chats` | `/chatone` | `/room/{id}/` | answering a client, closing from the server |
//! | `chats` | `/chatgroup?groupID={id}` | `/group/{id}/` | a group: what one says, all read |
//! | `rooms` | `/chat/{room}/` | `/ws/chat/{room}/` | typed messages, models, inboxes, announcements, a bot |
//! | `notifications` | `/notifications/` | `/ws/notifications/` | what a view pushes to one user |
//! | `accounts` | `/login/`, `/register/`, … | | forms, and who somebody is |
//!
//! Read them in this order; `README.md` says what to look at.

pub mod accounts;
mod announcement;
pub mod chats;
pub mod home;
pub mod notifications;
pub mod rooms;

use std::time::Duration;

use narrows::serve::settings::Setting;
use narrows_admin::Admin;
use narrows_web::narrows_django::ways::TokenWay;
use narrows_web::{Project, assets};

/// Everything is from here, scripts and sockets too, and no page may be put in another site's frame.
const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; connect-src 'self'; object-src 'none'; \
     base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// The site with all its apps.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let site = chat::project().test().await;
/// assert_eq!(site.get("/chat/lobby/").await.status().as_u16(), 200);
/// # }
/// ```
pub fn project() -> Project {
    Project::new(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"))
        .about("A chat site on Narrows: single chat, group chat and chat rooms")
        .assets(assets!())
        .app(home::app())
        .app(chats::app())
        .app(rooms::app())
        .app(notifications::app())
        .app(accounts::app())
        .app(admin().app())
        .setting(Setting::choice(
            "announce",
            &["everyone", "nobody"],
            "everyone",
            "Who may send announcements to all connected clients",
        ))
        .setting(Setting::choice(
            "bot",
            &["here", "off", "only"],
            "here",
            "Who runs the chat bot: this process, or another one; only is now the command worker",
        ))
        .setting(Setting::choice(
            "accounts",
            &["off", "optional", "required"],
            "optional",
            "Whether there are accounts, and whether one is needed to chat",
        ))
        .setting(Setting::duration(
            "keep_messages",
            Duration::ZERO,
            "For how long what is said in the rooms is kept, such as 720h; off is for ever",
        ))
        .prepare(rooms::bot::check)
        .prepare(async |site| site.accounts().create_token_table().await)
        .worker(rooms::bot::worker)
        .task(rooms::messages::delete_old)
        .way(TokenWay::new())
        .database_file("chat.sqlite3")
        .keep_secret_key()
        .adopt_tables()
        .content_security_policy(CONTENT_SECURITY_POLICY)
}

/// What staff find at `/admin/`, beside users, sessions and live connections.
fn admin() -> Admin {
    rooms::admin(Admin::new().title("Chat site").announce(announcement::by_staff))
}
