//! Chat rooms: a page that lists them, and one for each, which a socket keeps up to date.

mod consumers;
mod migrations;
pub mod models;
mod views;

pub use consumers::announce;

use axum::routing::get;
use narrows_web::models::Models;
use narrows_web::{App, Routes, Site};

/// The app.
pub fn app() -> App {
    App::new("chat")
        .models(
            Models::new()
                .entity(models::room::Entity)
                .entity(models::message::Entity),
        )
        .migrations(migrations::all())
        .routes(routes)
}

fn routes(site: &Site) -> Routes {
    let socket = site.channels().consumer::<consumers::Room>().route();
    Routes::new()
        .route("index", "/", get(views::index).post(views::create))
        .route("room", "/chat/{room}/", get(views::room))
        .route("socket", "/ws/chat/{room}/", socket)
}
