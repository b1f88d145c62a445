use std::time::{Duration, Instant};

use fantoccini::key::Key;
use fantoccini::{Client, Locator};
use serde_json::{Value, json};

use crate::site::Site;

/// How long a page may take to show something.
const PATIENCE: Duration = Duration::from_secs(30);

/// What somebody sees of the site.
pub(super) struct Tab {
    client: Client,
}

impl Tab {
    pub(super) fn new(client: Client) -> Self {
        Self { client }
    }

    pub(super) async fn go(&self, site: &Site, path: &str) {
        self.client.goto(&site.url(path)).await.unwrap();
    }

    /// Goes to a room under a name, and waits until the server has welcomed it.
    pub(super) async fn enter(&self, site: &Site, room: &str, name: &str) {
        self.go(site, "/").await;
        self.write("#name-input", name).await;
        self.until("document.querySelector('#name-saved').textContent === 'Saved'").await;
        self.go(site, room).await;
        self.until("document.querySelector('#chat-log .welcome')").await;
    }

    /// Types a text into a field, and Enter.
    pub(super) async fn write(&self, field: &str, text: &str) {
        let field = self.client.find(Locator::Css(field)).await.unwrap();
        field.send_keys(text).await.unwrap();
        field.send_keys(&char::from(Key::Enter).to_string()).await.unwrap();
    }

    pub(super) async fn say(&self, text: &str) {
        self.write("#chat-message-input", text).await;
    }

    pub(super) async fn click(&self, button: &str) {
        self.client.find(Locator::Css(button)).await.unwrap().click().await.unwrap();
    }

    /// The value of a JavaScript expression.
    pub(super) async fn value(&self, expression: &str) -> Value {
        self.client.execute(&format!("return {expression}"), Vec::new()).await.unwrap()
    }

    /// Waits until a JavaScript expression holds; on a page that is just going away it cannot be asked.
    pub(super) async fn until(&self, condition: &str) {
        let (end, script) = (Instant::now() + PATIENCE, format!("return Boolean({condition})"));
        while !matches!(self.client.execute(&script, Vec::new()).await, Ok(Value::Bool(true))) {
            if Instant::now() > end {
                let page = self.value("document.body.innerText").await;
                panic!("{condition} did not come true; the page shows {page:#}");
            }
            // A driver cannot wait for an event of the page; ask again a little later.
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
    }

    pub(super) async fn until_state(&self, state: &str) {
        self.until(&format!("document.querySelector('#connection-state')?.dataset.state === '{state}'"))
            .await;
    }

    /// Waits until the newest message in the log is this one.
    pub(super) async fn until_heard(&self, text: &str) {
        let text = json!(text);
        self.until(&format!(
            "[...document.querySelectorAll('#chat-log .text')].at(-1)?.textContent === {text}"
        ))
        .await;
    }

    /// The texts of all messages in the log, oldest first.
    pub(super) async fn heard(&self) -> Value {
        self.value("[...document.querySelectorAll('#chat-log .text')].map((node) => node.textContent)").await
    }

    pub(super) async fn text(&self, node: &str) -> String {
        self.client.find(Locator::Css(node)).await.unwrap().text().await.unwrap()
    }

    pub(super) async fn path(&self) -> String {
        self.client.current_url().await.unwrap().path().to_owned()
    }
}
