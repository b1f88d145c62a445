use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Mutex;

use fantoccini::wd::Capabilities;
use fantoccini::{Client, ClientBuilder};
use futures_util::FutureExt;
use hyper_util::client::legacy::connect::HttpConnector;
use programs::Child;
use serde_json::json;

use tempfile::TempDir;

use crate::Tab;

/// Browsers are large: one test at a time has some.
static ONE_TEST: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// Opens browsers for a test, and closes them after it.
#[derive(Debug)]
pub struct Browsers {
    chromium: PathBuf,
    driver: String,
    open: Mutex<Vec<(Client, TempDir)>>,
}

/// Runs a test with browsers; left out where there is no Chromium.
///
/// # Panics
///
/// When the test does, or the browsers' driver does not start.
pub async fn with_browsers(test: impl AsyncFnOnce(&Browsers)) {
    let Some([chromium, chromedriver]) = programs::need(["chromium", "chromedriver"]) else { return };
    let _turn = ONE_TEST.lock().await;
    let mut driver = Child::start(Command::new(chromedriver).arg("--port=0"));
    let port = driver.line("started successfully on port").trim_end_matches('.').to_owned();
    let browsers = Browsers {
        chromium: programs::find(&chromium.to_string_lossy()).expect("it was found before"),
        driver: format!("http://127.0.0.1:{port}"),
        open: Mutex::default(),
    };
    // A browser outlives its driver unless it is told to end, also when the test fails.
    let result = AssertUnwindSafe(test(&browsers)).catch_unwind().await;
    browsers.close().await;
    if let Err(panic) = result {
        std::panic::resume_unwind(panic);
    }
}

impl Browsers {
    /// A new browser, for somebody who reads English.
    ///
    /// # Panics
    ///
    /// When it does not start.
    pub async fn open(&self) -> Tab {
        self.open_in("en-US,en").await
    }

    /// A new browser with nothing in its storage, for somebody who reads these languages.
    ///
    /// # Panics
    ///
    /// When it does not start.
    pub async fn open_in(&self, languages: &str) -> Tab {
        let profile = tempfile::tempdir().expect("a folder for the browser");
        let arguments = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-dev-shm-usage",
            &format!("--accept-lang={languages}"),
            &format!("--user-data-dir={}", profile.path().display()),
        ];
        let options = json!({
            "binary": self.chromium,
            "args": arguments,
            "prefs": {"intl.accept_languages": languages},
        });
        let capabilities = Capabilities::from_iter([("goog:chromeOptions".to_owned(), options)]);
        let mut builder = ClientBuilder::new(HttpConnector::new());
        let client =
            builder.capabilities(capabilities).connect(&self.driver).await.expect("the browser starts");
        self.open.lock().expect("no test panics in here").push((client.clone(), profile));
        Tab::new(client)
    }

    async fn close(&self) {
        let open = std::mem::take(&mut *self.open.lock().expect("no test panics in here"));
        for (client, _profile) in open {
            // A failed test may have lost its browser; that is its own report.
            let _ = client.close().await;
        }
    }
}
