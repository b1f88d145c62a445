//! Rooms to talk in.

mod consumers;
mod views;

use axum::routing::get;
use narrows_web::{App, Routes, Site};

/// The app.
pub fn app() -> App {
    App::new("chat").routes(routes)
}

fn routes(site: &Site) -> Routes {
    let socket = site.channels().consumer::<consumers::Room>().route();
    Routes::new()
        .route("index", "/", get(views::index).post(views::enter))
        .route("room", "/chat/{room}/", get(views::room))
        .route("socket", "/ws/chat/{room}/", socket)
}
