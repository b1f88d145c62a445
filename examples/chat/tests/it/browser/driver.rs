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

use super::Tab;
use crate::site::Site;

/// Browsers are large: one test at a time has some.
static ONE_TEST: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// Opens browsers for a test, and closes them after it.
pub(super) struct Browsers {
    chromium: PathBuf,
    driver: String,
    open: Mutex<Vec<(Client, PathBuf)>>,
}

/// Runs a test with a site and browsers; left out where there is no Chromium.
pub(super) async fn with_browsers(test: impl AsyncFnOnce(&Site, &Browsers)) {
    let Some([chromium, chromedriver]) = programs::need(["chromium", "chromedriver"]) else { return };
    let _turn = ONE_TEST.lock().await;
    let mut driver = Child::start(Command::new(chromedriver).arg("--port=0"));
    let port = driver.line("started successfully on port").trim_end_matches('.').to_owned();
    let browsers = Browsers {
        chromium: programs::find(&chromium.to_string_lossy()).unwrap(),
        driver: format!("http://127.0.0.1:{port}"),
        open: Mutex::default(),
    };
    let site = Site::start().await;
    // A browser outlives its driver unless it is told to end, also when the test fails.
    let result = AssertUnwindSafe(test(&site, &browsers)).catch_unwind().await;
    browsers.close().await;
    if let Err(panic) = result {
        std::panic::resume_unwind(panic);
    }
}

impl Browsers {
    /// A new browser, for somebody who reads English.
    pub(super) async fn open(&self) -> Tab {
        self.open_in("en-US,en").await
    }

    /// A new browser with nothing in its storage, for somebody who reads these languages.
    pub(super) async fn open_in(&self, languages: &str) -> Tab {
        let profile = self.new_profile();
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
            &format!("--user-data-dir={}", profile.display()),
        ];
        let options = json!({
            "binary": self.chromium,
            "args": arguments,
            "prefs": {"intl.accept_languages": languages},
        });
        let capabilities = Capabilities::from_iter([("goog:chromeOptions".to_owned(), options)]);
        let mut builder = ClientBuilder::new(HttpConnector::new());
        let client = builder.capabilities(capabilities).connect(&self.driver).await.unwrap();
        self.open.lock().unwrap().push((client.clone(), profile));
        Tab::new(client)
    }

    fn new_profile(&self) -> PathBuf {
        let (test, number) = (std::thread::current(), self.open.lock().unwrap().len());
        let name = format!("{}-{number}", test.name().unwrap_or("test").replace("::", "-"));
        let profile = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        // What a killed run may have left there.
        let _ = std::fs::remove_dir_all(&profile);
        profile
    }

    async fn close(&self) {
        let open = std::mem::take(&mut *self.open.lock().unwrap());
        for (client, profile) in open {
            // A failed test may have lost its browser; that is its own report.
            let _ = client.close().await;
            let _ = std::fs::remove_dir_all(profile);
        }
    }
}
