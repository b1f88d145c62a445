//! The two plain chats: texts, and nothing around them.

mod group;
mod one;
mod views;

use axum::routing::get;
use narrows_web::{App, Routes, Site};

use crate::accounts;

/// The app.
pub fn app() -> App {
    App::new("chats").routes(routes)
}

fn routes(site: &Site) -> Routes {
    let channels = site.channels();
    let chats = Routes::new()
        .route("one", "/chatone", get(views::one))
        .route("group", "/chatgroup", get(views::group))
        .route("one-socket", "/room/{id}/", channels.consumer::<one::One>().route())
        .route("group-socket", "/group/{id}/", channels.consumer::<group::GroupChat>().route())
        .with(|router| {
            router
                .route("/chatone/", get(views::without_slash))
                .route("/chatgroup/", get(views::without_slash))
        });
    accounts::for_all_or_users(chats, site)
}
