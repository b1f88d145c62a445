//! The site: which apps it has, and what staff see of them.

pub mod chat;

use narrows_admin::{Admin, Listed};
use narrows_web::{Project, accounts, assets};

/// The site with all its apps.
pub fn project() -> Project {
    Project::new(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"))
        .about("A site made with Narrows")
        .assets(assets!())
        .app(chat::app())
        .app(accounts::app())
        .app(admin().app())
}

/// What staff find at `/admin/`, beside users, sessions and live connections.
fn admin() -> Admin {
    use chat::models::message::Column;

    let messages = Listed::new(chat::models::message::Entity)
        .list([Column::Author, Column::Text, Column::RoomId, Column::SentAt])
        .search([Column::Text, Column::Author])
        .filter([Column::RoomId, Column::SentAt]);
    Admin::new()
        .announce(chat::announce)
        .model(Listed::new(chat::models::room::Entity))
        .model(messages)
}
