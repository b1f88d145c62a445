use narrows_web::{Page, Result, context};

use crate::accounts::LogIn;

/// The first page.
pub(super) async fn index(page: Page) -> Result {
    let required = LogIn::of(page.site()) == LogIn::Required;
    page.render("home/index.html", context! { required })
}
