//! The site: which apps it has.

pub mod chat;

use narrows_web::{Project, assets};

/// The site with all its apps.
pub fn project() -> Project {
    Project::new(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"))
        .about("A tea house with rooms to talk in")
        .assets(assets!())
        .app(chat::app())
}
