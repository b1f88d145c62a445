use narrows_web::minijinja::Value;
use narrows_web::minijinja::value::Serde;
use narrows_web::{Result, context};
use serde::Serialize;

use crate::shell::AdminPage;

/// A question before something is done that cannot be taken back.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Confirm {
    pub(crate) title: String,
    /// What will happen.
    pub(crate) text: String,
    /// What it will happen to.
    pub(crate) facts: Vec<(&'static str, String)>,
    /// What stands on the button.
    pub(crate) button: &'static str,
    /// Where it goes back to: title and address.
    pub(crate) back: (&'static str, String),
    /// Whether a reason is asked for.
    pub(crate) asks_reason: bool,
}

impl Confirm {
    /// Its page; the form on it posts to the same address.
    pub(crate) fn render(self, page: &AdminPage) -> Result {
        let crumbs = page.crumbs(&[(self.back.0, Some(&self.back.1)), (&self.title, None)]);
        let title = self.title.clone();
        page.render("admin/live/confirm.html", context! { title, crumbs, ask => Value::from(Serde(self)) })
    }
}
