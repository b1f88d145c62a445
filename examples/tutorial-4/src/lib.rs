//! The site: which apps it has.

pub mod chat;

use narrows_admin::{Admin, Listed};
use narrows_web::{Project, accounts, assets};

/// The site with all its apps.
pub fn project() -> Project {
    Project::new(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"))
        .about("A tea house with rooms to talk in")
        .assets(assets!())
        .app(chat::app())
        .app(accounts::app())
        .app(admin().app())
}

/// What staff find at `/admin/`.
fn admin() -> Admin {
    use chat::models::message::{Column, Entity};

    let messages = Listed::new(Entity)
        .list([Column::Room, Column::Author, Column::Text, Column::SentAt])
        .search([Column::Text, Column::Author])
        .filter([Column::SentAt]);
    Admin::new().title("The tea house").model(messages)
}
