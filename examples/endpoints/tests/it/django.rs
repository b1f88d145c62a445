//! A browser that this program holds, and a Django process, on one Redis.

use std::time::Duration;

use rig::{LayerOptions, Python, Redis};
use serde_json::json;

use crate::server::Server;

const SOON: Duration = Duration::from_secs(20);

#[tokio::test(flavor = "multi_thread")]
async fn what_a_view_sends_shows_up_in_a_browser_on_the_pubsub_layer() {
    through_redis("pubsub", |url| LayerOptions::pubsub([url])).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_view_sends_shows_up_in_a_browser_on_the_core_layer() {
    through_redis("core", |url| LayerOptions::core([url])).await;
}

async fn through_redis(kind: &str, options: impl FnOnce(String) -> LayerOptions) {
    let Some(redis) = Redis::start() else { return };
    let Some(python) = Python::start() else { return };
    let layer = python.layer(options(redis.url())).wait().unwrap();
    let consumer = layer.consumer(&["chat_lobby"], &["chat.message"]).wait().unwrap();
    browsers::with_browsers(async |browsers| {
        let server = Server::with(&["--layer", &redis.url(), "--layer-kind", kind]);
        let tab = browsers.open().await;
        tab.go(&format!("http://{}/chat/lobby/", server.address)).await;
        tab.until("!document.querySelector('#chat-message-submit').disabled").await;
        let message = json!({"type": "chat.message", "message": "hi from a view"});
        layer.view_group_send("chat_lobby", message.clone()).wait().unwrap();
        tab.until("document.querySelector('#chat-log').value.includes('hi from a view')").await;
        assert_eq!(consumer.handled(SOON).wait().unwrap(), Some(message));
        tab.write("#chat-message-input", "hi from a browser").await;
        let heard = consumer.handled(SOON).wait().unwrap();
        assert_eq!(heard, Some(json!({"type": "chat.message", "message": "hi from a browser"})));
    })
    .await;
}
