//! Rooms to talk in.

mod consumers;
mod migrations;
pub mod models;
mod views;

use axum::routing::get;
use narrows_web::models::Models;
use narrows_web::{App, Routes, Site, accounts};

/// The app.
pub fn app() -> App {
    App::new("chat")
        .models(Models::new().entity(models::message::Entity))
        .migrations(migrations::all())
        .routes(routes)
}

fn routes(site: &Site) -> Routes {
    let socket = site.channels().consumer::<consumers::Room>().route();
    let rooms = Routes::new()
        .route("room", "/chat/{room}/", get(views::room))
        .with(|router| accounts::login_required(router, site));
    Routes::new()
        .route("index", "/", get(views::index).post(views::enter))
        .route("socket", "/ws/chat/{room}/", socket)
        .merge(rooms)
}
