//! The first page: what there is to see here.

mod views;

use axum::routing::get;
use narrows_web::{App, Routes, Site};

/// The app.
pub fn app() -> App {
    App::new("home").routes(routes)
}

fn routes(_: &Site) -> Routes {
    Routes::new().route("index", "/", get(views::index))
}
