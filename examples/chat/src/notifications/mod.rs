//! What a view pushes to one user: the page that shows it live, and the two ways to send it.

mod consumers;
mod inbox;
mod views;

use axum::routing::{get, post};
use narrows_web::{App, Routes, Site};

pub(crate) use self::inbox::{CUT, Inbox};
use crate::accounts::LogIn;

/// The app. Where there are no accounts there is nobody to notify.
pub fn app() -> App {
    App::new("notifications").routes(routes)
}

fn routes(site: &Site) -> Routes {
    if LogIn::of(site) == LogIn::Off {
        return Routes::new();
    }
    let socket = site.channels().consumer::<consumers::Notifications>().route();
    Routes::new()
        .route("index", "/notifications/", get(views::index).post(views::submit))
        .route("notify", "/api/notify/", post(views::notify))
        .route("me", "/api/me/", get(views::me))
        .route("socket", "/ws/notifications/", socket)
}
