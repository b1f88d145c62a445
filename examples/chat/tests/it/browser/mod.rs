//! The pages in a real browser.

mod accounts;
mod admin;
mod away;
mod errors;
mod far;
mod faults;
mod kept;
mod people;
mod person;
mod plain;
mod rooms;
mod staff;

use browsers::Browsers;

use crate::site::Site;
use person::Person;

/// Runs a test with a site and browsers; left out where there is no browser.
async fn with_browsers(test: impl AsyncFnOnce(&Site, &Browsers)) {
    browsers::with_browsers(async |browsers| test(&Site::start().await, browsers).await).await;
}
