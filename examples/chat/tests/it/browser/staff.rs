use browsers::Tab;

use super::Person;
use crate::site::Site;
use crate::visitor::{PASSWORD, Visitor};

/// What staff do in the admin.
pub(super) trait Staff {
    /// Logs in at the admin as Grace, who may do everything.
    async fn begin(&self, site: &Site);
    /// Opens a page of the admin.
    async fn admin(&self, site: &Site, path: &str);
    /// Types a text in place of what is in a field.
    async fn change(&self, field: &str, text: &str);
    /// Clicks on a button of the page itself, and waits for the next page to say what was done.
    async fn done(&self, button: &str, said: &str);
    /// Waits until this text is somewhere in there.
    async fn until_text(&self, node: &str, text: &str);
    /// Waits until the list has so many rows.
    async fn until_rows(&self, count: usize);
}

impl Staff for Tab {
    async fn begin(&self, site: &Site) {
        Visitor::registered(site, "Grace").await;
        site.promote("Grace").await;
        self.visit(site, "/admin/").await;
        self.fill("#username", "Grace").await;
        self.write("#password", PASSWORD).await;
        self.until("location.pathname === '/admin/' && document.readyState === 'complete'").await;
    }

    async fn admin(&self, site: &Site, path: &str) {
        self.visit(site, &format!("/admin/{path}")).await;
    }

    async fn change(&self, field: &str, text: &str) {
        self.clear(field).await;
        self.fill(field, text).await;
    }

    async fn done(&self, button: &str, said: &str) {
        self.click(&format!("main {button}")).await;
        self.until_text(".message.success", said).await;
    }

    async fn until_text(&self, node: &str, text: &str) {
        self.until(&format!("document.querySelector('{node}')?.textContent.includes('{text}')")).await;
    }

    async fn until_rows(&self, count: usize) {
        self.until(&format!("document.querySelectorAll('#results tbody tr').length === {count}")).await;
    }
}
