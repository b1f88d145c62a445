//! A list to which everybody can add, and which grows on all pages that are open.

mod consumers;
mod migrations;
pub mod models;
mod views;

use axum::routing::get;
use narrows_web::models::Models;
use narrows_web::{App, Routes, Site};

/// The app.
pub fn app() -> App {
    App::new("newapp")
        .at("/newapp")
        .models(Models::new().entity(models::item::Entity))
        .migrations(migrations::all())
        .routes(routes)
}

fn routes(site: &Site) -> Routes {
    let socket = site.channels().consumer::<consumers::Reader>().route();
    Routes::new()
        .route("index", "/", get(views::index).post(views::add))
        .route("socket", "/ws/", socket)
}
