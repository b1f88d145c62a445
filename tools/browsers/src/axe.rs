use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::Tab;

/// What it finds that keeps somebody from using a page; the rest is advice.
const SERIOUS: [&str; 2] = ["serious", "critical"];

/// What pages are looked at in: the colours that somebody prefers, and the width and height of the screen.
const LOOKS: [(&str, u32, u32); 2] = [("light", 1280, 800), ("dark", 375, 740)];

/// axe-core, which finds what is wrong with a page for those who do not see it, or use no mouse.
#[derive(Debug)]
pub struct Axe(String);

impl Axe {
    /// The one that `cargo xtask install` has put into the target folder; where it is missing the test is left out.
    ///
    /// # Panics
    /// When it is missing and no test may be left out.
    #[must_use]
    pub fn find() -> Option<Self> {
        let path = path();
        if let Ok(script) = fs::read_to_string(&path) {
            return Some(Self(script));
        }
        programs::leave_out(&format!("{} is missing; cargo xtask install gets it", path.display()));
        None
    }

    /// The serious faults of the page that a tab shows, with where they are: none, on a good page.
    ///
    /// # Panics
    /// When the browser is gone.
    pub async fn faults(&self, tab: &Tab) -> Vec<String> {
        // In the driver's own way into the page, which its content security policy does not concern.
        if tab.value("Boolean(window.axe)").await == Value::Bool(false) {
            tab.script(&self.0).await;
        }
        let found = tab.wait_for("axe.run(document, { resultTypes: ['violations'] })").await;
        let violations = found["violations"].as_array().expect("axe gives a list");
        let serious = violations
            .iter()
            .filter(|violation| violation["impact"].as_str().is_some_and(|impact| SERIOUS.contains(&impact)));
        serious.map(described).collect()
    }

    /// The serious faults of the page that a tab shows, in light on a desk and in the dark on a phone; and whether it is wider than
    /// the screen there.
    ///
    /// # Panics
    /// When the browser is gone.
    pub async fn faults_in_all_looks(&self, tab: &Tab) -> Vec<String> {
        let mut all = Vec::new();
        for (scheme, width, height) in LOOKS {
            let media = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
            tab.devtools("Emulation.setEmulatedMedia", media).await;
            let size = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
            tab.devtools("Emulation.setDeviceMetricsOverride", size).await;
            // Colours may change slowly.
            let end = "one.effect.getTiming().iterations < 9 && one.finish()";
            tab.script(&format!("for (const one of document.getAnimations()) {end}")).await;
            let at = tab.path().await;
            let found = self.faults(tab).await;
            all.extend(found.into_iter().map(|fault| format!("{at} in {scheme}, {width} wide: {fault}")));
            if tab.value("document.documentElement.scrollWidth > innerWidth").await == json!(true) {
                all.push(format!("{at}, {width} wide: something is wider than the page"));
            }
        }
        all
    }
}

fn described(violation: &Value) -> String {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let nodes = violation["nodes"].as_array().into_iter().flatten();
    let places: Vec<String> =
        nodes.map(|node| format!("{} {}", node["target"], text(&node["html"]))).collect();
    format!("{}: {}\n  {}", text(&violation["id"]), text(&violation["help"]), places.join("\n  "))
}

fn path() -> PathBuf {
    programs::target().join("browsers/node_modules/axe-core/axe.min.js")
}
