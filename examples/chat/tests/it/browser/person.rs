use browsers::Tab;
use serde_json::{Value, json};

use crate::site::Site;

/// What somebody does on the pages of the chat site, and sees there.
pub(super) trait Person {
    async fn visit(&self, site: &Site, path: &str);
    /// Goes to a room under a name, and waits until the server has welcomed it.
    async fn enter(&self, site: &Site, room: &str, name: &str);
    /// The same by the address at which the site is seen.
    async fn enter_at(&self, site: &str, room: &str, name: &str);
    async fn say(&self, text: &str);
    async fn until_state(&self, state: &str);
    /// Waits until the newest message in the log is this one.
    async fn until_heard(&self, text: &str);
    /// The texts of all messages in the log, oldest first.
    async fn heard(&self) -> Value;
}

impl Person for Tab {
    async fn visit(&self, site: &Site, path: &str) {
        self.go(&site.url(path)).await;
    }

    async fn enter(&self, site: &Site, room: &str, name: &str) {
        self.enter_at(&site.url(""), room, name).await;
    }

    async fn enter_at(&self, site: &str, room: &str, name: &str) {
        self.go(&format!("{site}/")).await;
        self.write("#name-input", name).await;
        self.until("document.querySelector('#name-saved').textContent === 'Saved'").await;
        self.go(&format!("{site}{room}")).await;
        self.until("document.querySelector('#chat-log .welcome')").await;
    }

    async fn say(&self, text: &str) {
        self.write("#chat-message-input", text).await;
    }

    async fn until_state(&self, state: &str) {
        self.until(&format!("document.querySelector('#connection-state')?.dataset.state === '{state}'"))
            .await;
    }

    async fn until_heard(&self, text: &str) {
        let text = json!(text);
        self.until(&format!(
            "[...document.querySelectorAll('#chat-log > :not(.pending) .text')].at(-1)?.textContent === {text}"
        ))
        .await;
    }

    async fn heard(&self) -> Value {
        self.value("[...document.querySelectorAll('#chat-log > :not(.pending) .text')].map((node) => node.textContent)").await
    }
}
