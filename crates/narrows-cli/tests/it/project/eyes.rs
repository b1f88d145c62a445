//! A new project as somebody sees it in a browser.

use browsers::{Axe, Browsers, Tab};

/// That the pages of a site have no serious faults; left out where there is no browser.
pub(super) fn are_good(address: &str, paths: &[&str]) {
    let Some(axe) = Axe::find() else { return };
    with_browsers(async |browsers| {
        let tab = browsers.open().await;
        for path in paths {
            tab.go(&format!("http://{address}{path}")).await;
            let faults = axe.faults_in_all_looks(&tab).await;
            assert!(faults.is_empty(), "{path}:\n{}", faults.join("\n"));
        }
    });
}

/// That an open page shows what a change makes of it, and nobody loads it again.
pub(super) fn shows(address: &str, change: impl FnOnce(), then: &str) {
    with_browsers(async |browsers| {
        let tab: Tab = browsers.open().await;
        tab.go(&format!("http://{address}/")).await;
        change();
        tab.until(then).await;
    });
}

fn with_browsers(test: impl AsyncFnOnce(&Browsers)) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(browsers::with_browsers(test));
}
