//! Who is here, and what those hear who do not see the page.

use serde_json::json;

use super::{Person, with_browsers};

#[tokio::test]
async fn a_person_with_two_tabs_is_here_once_and_leaves_with_the_last() {
    with_browsers(async |site, browsers| {
        let (ada, ben) = (browsers.open().await, browsers.open().await);
        let count = |n: u32| format!("document.querySelector('#here summary').textContent === '{n} here'");
        ben.enter(site, "/chat/lobby/", "Ben").await;
        ada.enter(site, "/chat/lobby/", "Ada").await;
        ben.until(&count(2)).await;
        ada.another().await;
        ada.visit(site, "/chat/lobby/").await;
        ada.until(&count(2)).await;
        ben.click("#here summary").await;
        ben.until("document.querySelector('#here ul').innerText.includes('2 devices')").await;
        // One tab goes elsewhere, then the other.
        ada.visit(site, "/").await;
        ben.until("!document.querySelector('#here ul').innerText.includes('2 devices')").await;
        assert_eq!(ben.value(&count(2)).await, json!(true));
        ada.back().await;
        ada.visit(site, "/").await;
        ben.until(&count(1)).await;
        let notes = "[...document.querySelectorAll('#chat-log :is(.joined, .left) > span')].map((n) => n.innerText.trim())";
        assert_eq!(ben.value(notes).await, json!(["Ada joined", "Ada left"]));
    })
    .await;
}

#[tokio::test]
async fn the_others_see_that_somebody_writes_until_it_is_sent() {
    with_browsers(async |site, browsers| {
        let (ada, ben) = (browsers.open().await, browsers.open().await);
        ada.enter(site, "/chat/lobby/", "Ada").await;
        ben.enter(site, "/chat/lobby/", "Ben").await;
        ada.fill("#chat-message-input", "let me think").await;
        ben.until("document.querySelector('#typing').textContent === 'Ada is writing'").await;
        assert_eq!(ada.text("#typing").await, "");
        ada.say("").await;
        ben.until_heard("let me think").await;
        ben.until("document.querySelector('#typing').textContent === ''").await;
        // Of what is for one person alone the others know nothing.
        ada.fill("#chat-message-input", "/to Ben psst").await;
        ada.say("").await;
        ben.until_heard("psst").await;
        assert_eq!(ben.text("#typing").await, "");
    })
    .await;
}

#[tokio::test]
async fn a_direct_message_to_somebody_who_is_not_here_is_said_to_be_lost() {
    with_browsers(async |site, browsers| {
        let ada = browsers.open().await;
        ada.enter(site, "/chat/lobby/", "Ada").await;
        ada.say("/to Nobody psst").await;
        ada.until("document.querySelector('#chat-log .problem')?.innerText.includes('nobody of that name')")
            .await;
        assert_eq!(ada.heard().await, json!([]));
    })
    .await;
}

#[tokio::test]
async fn everything_has_a_name_and_only_what_is_new_is_read_out() {
    with_browsers(async |site, browsers| {
        let (ada, ben) = (browsers.open().await, browsers.open().await);
        ada.enter(site, "/chat/lobby/", "Ada").await;
        ada.say("said before").await;
        ada.until_heard("said before").await;
        ben.enter(site, "/chat/lobby/", "Ben").await;
        ben.until_heard("said before").await;
        ben.value(
            "new MutationObserver((all) => { window.read ??= []; for (const { addedNodes } of all) \
             for (const node of addedNodes) window.read.push(node.textContent); }) \
             .observe(document.querySelector('#chat-say'), { childList: true })",
        )
        .await;
        assert_eq!(ben.text("#chat-say").await, "");
        ada.say("said <i>now</i>").await;
        ben.until("window.read?.length").await;
        assert_eq!(ben.value("window.read").await, json!(["Ada: said <i>now</i>"]));
        let nameless = "[...document.querySelectorAll('button, a, summary, input, textarea')].filter((node) => \
             node.checkVisibility() && !(node.innerText?.trim() || node.ariaLabel || node.labels?.length \
             || node.querySelector?.('[alt]:not([alt=\"\"])'))).map((node) => node.outerHTML)";
        assert_eq!(ben.value(nameless).await, json!([]));
        let live = "['#chat-log', '#chat-say'].map((name) => document.querySelector(name).ariaLive)";
        assert_eq!(ben.value(live).await, json!(["off", "polite"]));
    })
    .await;
}
