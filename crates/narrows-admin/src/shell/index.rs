use narrows_web::{Result, context};

use super::AdminPage;

/// The first page: what there is.
pub(super) async fn index(page: AdminPage) -> Result {
    page.render("admin/index.html", context! {})
}
