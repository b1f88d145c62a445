//! What axe-core finds wrong with the pages of errors that every site has.

use axum::routing::get;
use browsers::Axe;
use narrows_web::{App, Error, Page, Project, Result, Routes, context};

use super::Person;
use super::faults::are_good;
use crate::site::Site;

const PAGES: [&str; 5] = ["/bad/", "/forbidden/", "/nothing/", "/fails/", "/template/"];

async fn fails() -> Result {
    Err(std::io::Error::other("the disk is full"))?
}

/// A project with views that fail, each in its own way, and no templates.
fn project() -> Project {
    let app = App::new("main").routes(|_| {
        Routes::new()
            .route("bad", "/bad/", get(async || -> Result { Err(Error::bad_request()) }))
            .route("forbidden", "/forbidden/", get(async || -> Result { Err(Error::forbidden()) }))
            .route("fails", "/fails/", get(fails))
            .route("template", "/template/", get(async |page: Page| page.render("none.html", context! {})))
    });
    Project::new("small", "1.0.0").app(app)
}

#[tokio::test]
async fn the_pages_of_errors_are_free_of_serious_faults_with_their_details_and_without() {
    let Some(axe) = Axe::find() else { return };
    browsers::with_browsers(async |browsers| {
        let tab = browsers.open().await;
        for development in ["off", "on"] {
            let site = Site::of_with(project(), &["--development", development]).await;
            are_good(&tab, &axe, &site, &PAGES).await;
            tab.visit(&site, "/fails/").await;
            let details = tab.text("body").await.contains("the disk is full");
            assert_eq!(details, development == "on", "development is {development}");
        }
    })
    .await;
}
