use browsers::Tab;
use serde_json::json;

use super::in_chromium;
use super::page::Page;

/// Waits are as long as by default, the first one aside.
const PATIENT: &str = "{ minDelay: 20, connectTimeout: 1000 }";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_without_a_network_waits_for_it_and_comes_back_at_once() {
    in_chromium(async |site, page, address| {
        page.start(address, PATIENT).await;
        page.until("client.state === 'open'").await;
        offline(tab(page), true).await;
        page.until("navigator.onLine === false").await;
        site.proxy.cut();
        page.until("client.state === 'waiting'").await;
        assert_eq!(page.value("last('reconnecting').delay").await, 60_000);
        site.proxy.mend();
        offline(tab(page), false).await;
        page.until("client.state === 'open'").await;
        assert_eq!(page.value("count('reconnecting')").await, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_that_nobody_looks_at_tries_seldom_until_somebody_does() {
    in_chromium(async |site, page, address| {
        page.start(address, PATIENT).await;
        page.until("client.state === 'open'").await;
        window(tab(page), "minimized").await;
        page.until("document.visibilityState === 'hidden'").await;
        site.proxy.cut();
        page.until("count('reconnecting') === 2").await;
        let delay = page.value("last('reconnecting').delay").await;
        assert!((20_000.0..60_000.0).contains(&delay.as_f64().unwrap()), "{delay}");
        site.proxy.mend();
        window(tab(page), "normal").await;
        page.until("client.state === 'open'").await;
        assert_eq!(page.value("count('reconnecting')").await, 2);
    })
    .await;
}

fn tab(page: &Page) -> &Tab {
    let Page::Chromium(tab) = page else { unreachable!("only Chromium has devtools") };
    tab
}

async fn offline(tab: &Tab, offline: bool) {
    let unlimited =
        json!({"offline": offline, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1});
    tab.devtools("Network.enable", json!({})).await;
    tab.devtools("Network.emulateNetworkConditions", unlimited).await;
}

async fn window(tab: &Tab, state: &str) {
    let window = tab.devtools("Browser.getWindowForTarget", json!({})).await;
    let bounds = json!({"windowId": window["windowId"], "bounds": {"windowState": state}});
    tab.devtools("Browser.setWindowBounds", bounds).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_web_worker_has_a_connection_of_its_own() {
    in_chromium(async |site, page, _| {
        let script = site.address("http", narrows::client::script_path());
        let address = site.address("ws", "/ws/room");
        let code = format!(
            "importScripts('{script}');
            const client = new Narrows('{address}');
            client.request({{ type: 'double', number: 21 }}).then(postMessage);"
        );
        let start = "globalThis.heard = new Promise((done) => {
            const worker = new Worker(URL.createObjectURL(new Blob([CODE])));
            worker.onmessage = ({ data }) => done(data);
        })";
        page.run(&start.replace("CODE", &serde_json::to_string(&code).unwrap())).await;
        assert_eq!(page.value("heard").await, 42);
    })
    .await;
}
