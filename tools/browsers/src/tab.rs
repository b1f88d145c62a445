use std::time::{Duration, Instant};

use fantoccini::key::Key;
use fantoccini::{Client, Locator};
use serde_json::Value;

use crate::devtools::Devtools;

/// How long a page may take to show something.
const PATIENCE: Duration = Duration::from_secs(30);

const GONE: &str = "the browser is there";

/// What somebody sees of a site. Each call panics when the browser is gone or the page lacks what is named.
#[derive(Debug)]
pub struct Tab {
    client: Client,
}

#[expect(clippy::missing_panics_doc, reason = "said once, above")]
impl Tab {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }

    /// Opens a page.
    pub async fn go(&self, url: &str) {
        self.client.goto(url).await.expect(GONE);
    }

    /// Opens another tab of the same browser, with its cookies, and goes on there; [`back`](Self::back) goes back.
    pub async fn another(&self) {
        let tab = self.client.new_window(true).await.expect(GONE);
        self.client.switch_to_window(tab.handle).await.expect(GONE);
    }

    /// Goes back to the first tab, which stayed as it was.
    pub async fn back(&self) {
        let first = self.client.windows().await.expect(GONE).swap_remove(0);
        self.client.switch_to_window(first).await.expect(GONE);
    }

    /// Types a text into a field, without Enter.
    pub async fn fill(&self, field: &str, text: &str) {
        let field = self.client.find(Locator::Css(field)).await.expect(field);
        field.send_keys(text).await.expect(GONE);
    }

    /// Types a text into a field, and Enter.
    pub async fn write(&self, field: &str, text: &str) {
        let field = self.client.find(Locator::Css(field)).await.expect(field);
        field.send_keys(text).await.expect(GONE);
        field.send_keys(&char::from(Key::Enter).to_string()).await.expect(GONE);
    }

    /// Empties a field.
    pub async fn clear(&self, field: &str) {
        self.client.find(Locator::Css(field)).await.expect(field).clear().await.expect(GONE);
    }

    /// Clicks on something.
    pub async fn click(&self, node: &str) {
        self.client.find(Locator::Css(node)).await.expect(node).click().await.expect(GONE);
    }

    /// The value of a JavaScript expression.
    pub async fn value(&self, expression: &str) -> Value {
        self.client.execute(&format!("return {expression}"), Vec::new()).await.expect(expression)
    }

    /// Runs JavaScript in the page.
    pub async fn script(&self, script: &str) {
        self.client.execute(script, Vec::new()).await.expect("the script runs");
    }

    /// What a promise comes to.
    pub async fn wait_for(&self, promise: &str) -> Value {
        let script =
            format!("({promise}).then(arguments[0], (error) => arguments[0]({{ error: String(error) }}))");
        self.client.execute_async(&script, Vec::new()).await.expect(promise)
    }

    /// Waits until a JavaScript expression is true.
    pub async fn until(&self, condition: &str) {
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

    /// Gives Chromium's devtools a command, such as `Network.emulateNetworkConditions`.
    pub async fn devtools(&self, command: &str, parameters: Value) -> Value {
        self.client.issue_cmd(Devtools { command: command.to_owned(), parameters }).await.expect(command)
    }

    /// The text that somebody reads there.
    pub async fn text(&self, node: &str) -> String {
        self.client.find(Locator::Css(node)).await.expect(node).text().await.expect(GONE)
    }

    /// The path of the address.
    pub async fn path(&self) -> String {
        self.client.current_url().await.expect(GONE).path().to_owned()
    }
}
