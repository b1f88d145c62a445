//! What is written while there is no connection: it is sent once, as the one who wrote it, or is still there.

use browsers::Tab;
use rig::Proxy;
use serde_json::json;

use super::{Person, with_browsers};
use crate::person::Person as Client;
use crate::visitor::PASSWORD;

/// Lets pages load, but no socket open while `sessionStorage.away` is set.
const NO_SOCKET: &str = "const Real = WebSocket; window.WebSocket = class extends Real { \
     constructor(url, protocols) { super(sessionStorage.away ? 'ws://127.0.0.1:9/' : url, protocols); } };";

/// Lets long times pass twenty times as fast.
const FAST: &str = "const real = setTimeout; window.setTimeout = (run, ms, ...rest) => \
     real(run, ms < 25_000 || ms > 1e7 ? ms : ms / 20, ...rest);";

async fn on_each_page(tab: &Tab, source: &str) {
    tab.devtools("Page.addScriptToEvaluateOnNewDocument", json!({ "source": source })).await;
}

#[tokio::test]
async fn what_waited_and_what_is_written_before_the_first_welcome_is_sent_once_and_in_order() {
    with_browsers(async |site, browsers| {
        let proxy = Proxy::to_port(site.address.port());
        let at = format!("http://127.0.0.1:{}", proxy.port());
        let (ada, mut ben) = (browsers.open().await, Client::enter(site, "lobby", "Ben").await);
        on_each_page(&ada, NO_SOCKET).await;
        ada.enter_at(&at, "/chat/lobby/", "Ada").await;
        ada.value("(sessionStorage.away = 1)").await;
        proxy.reset();
        ada.until_state("waiting").await;
        ada.say("a").await;
        ada.go(&format!("{at}/chat/lobby/")).await;
        ada.say("b").await;
        assert_eq!(ada.value("JSON.parse(sessionStorage['narrows.outbox./lobby']).length").await, 2);
        ada.value("sessionStorage.removeItem('away')").await;
        ada.until_heard("b").await;
        ada.until("!document.querySelector('#chat-log .pending')").await;
        ada.say("c").await;
        ada.until_heard("c").await;
        assert_eq!(ada.heard().await, json!(["a", "b", "c"]));
        assert_eq!(heard_until(&mut ben, "c").await, ["a", "b", "c"]);
    })
    .await;
}

#[tokio::test]
async fn what_an_account_wrote_when_its_session_ended_waits_for_the_account_and_is_sent_once() {
    with_browsers(async |site, browsers| {
        let proxy = Proxy::to_port(site.address.port());
        let at = format!("http://127.0.0.1:{}", proxy.port());
        let (ada, mut ben) = (browsers.open().await, Client::enter(site, "lobby", "Ben").await);
        ada.go(&format!("{at}/register/?next=/chat/lobby/")).await;
        register(&ada, "Ada").await;
        proxy.cut();
        ada.until_state("waiting").await;
        ada.say("x").await;
        ada.fill("#chat-message-input", "half a ").await;
        // In another tab she logs out.
        ada.another().await;
        ada.visit(site, "/account/").await;
        ada.click(".me button").await;
        ada.until("document.querySelector('#name-input')").await;
        ada.back().await;
        proxy.mend();
        ada.until_state("closed").await;
        assert_eq!(ada.text("#connection-state").await, "You are logged out · 1 message waiting");
        // Somebody else at this desk has nothing to do with it.
        ada.go(&format!("{at}/register/?next=/chat/lobby/")).await;
        register(&ada, "Eve").await;
        assert_eq!(ada.value("document.querySelector('#chat-message-input').value").await, "");
        ada.say("I am Eve").await;
        ada.until_heard("I am Eve").await;
        ada.click(".me button").await;
        ada.until("document.querySelector('#name-input')").await;
        ada.go(&format!("{at}/login/?next=/chat/lobby/")).await;
        ada.fill("#username-input", "Ada").await;
        ada.write("#password-input", PASSWORD).await;
        ada.until_heard("x").await;
        ada.say("sentence").await;
        ada.until_heard("half a sentence").await;
        let heard = ben_hears(&mut ben, "half a sentence").await;
        assert_eq!(heard, [("I am Eve", "Eve"), ("x", "Ada"), ("half a sentence", "Ada")].map(owned));
    })
    .await;
}

#[tokio::test]
async fn a_direct_message_waits_as_long_as_its_receiver_may_be_away() {
    with_browsers(async |site, browsers| {
        let proxy = Proxy::to_port(site.address.port());
        let (ada, ben) = (browsers.open().await, browsers.open().await);
        on_each_page(&ada, FAST).await;
        ada.enter_at(&format!("http://127.0.0.1:{}", proxy.port()), "/chat/lobby/", "Ada").await;
        ben.enter(site, "/chat/lobby/", "Ben").await;
        proxy.cut();
        ada.until_state("waiting").await;
        ada.say("/to Ben psst").await;
        // More than thirty seconds, at this speed.
        tokio::time::sleep(std::time::Duration::from_secs(2)).await;
        assert_eq!(ada.value("document.querySelectorAll('#chat-log .problem').length").await, 0);
        proxy.mend();
        ben.until_heard("psst").await;
        ada.until_heard("psst").await;
    })
    .await;
}

#[tokio::test]
async fn a_direct_message_that_was_not_sent_is_back_in_the_field_with_a_word_why() {
    with_browsers(async |site, browsers| {
        let proxy = Proxy::to_port(site.address.port());
        let ada = browsers.open().await;
        ada.enter_at(&format!("http://127.0.0.1:{}", proxy.port()), "/chat/lobby/", "Ada").await;
        proxy.cut();
        ada.until_state("waiting").await;
        ada.say("/to Ben psst").await;
        ada.say("/to Ben twice").await;
        assert_eq!(ada.value("document.querySelector('#chat-message-input').value").await, "");
        // With a new name it is another connection.
        ada.write("#name-input", " Lovelace").await;
        ada.until("document.querySelector('#chat-message-input').value === '/to Ben psst'").await;
        let problem = ada.text("#chat-log .problem").await;
        assert!(problem.starts_with("The connection was closed, so"), "{problem}");
        ada.until(
            "[...document.querySelectorAll('#chat-log .problem')].at(-1).innerText.includes('/to Ben twice')",
        )
        .await;
    })
    .await;
}

async fn register(tab: &Tab, name: &str) {
    tab.fill("#username-input", name).await;
    tab.fill("#password-input", PASSWORD).await;
    tab.write("#password_again-input", PASSWORD).await;
    tab.until("document.querySelector('#chat-log .welcome')").await;
}

async fn heard_until(client: &mut Client, last: &str) -> Vec<String> {
    ben_hears(client, last).await.into_iter().map(|(text, _)| text).collect()
}

/// What was said in the room until this, and by whom; a guest has a star.
async fn ben_hears(client: &mut Client, last: &str) -> Vec<(String, String)> {
    let mut heard = Vec::new();
    loop {
        let frame = client.until(|frame| frame["type"] == "message").await;
        let star = if frame["account"] == true { "" } else { "*" };
        let (text, from) = (frame["message"].as_str().unwrap(), frame["from"].as_str().unwrap());
        heard.push((text.to_owned(), format!("{from}{star}")));
        if text == last {
            return heard;
        }
    }
}

fn owned((text, from): (&str, &str)) -> (String, String) {
    (text.to_owned(), from.to_owned())
}
