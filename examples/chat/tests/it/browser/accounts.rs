use browsers::Tab;
use serde_json::json;

use super::{Person, with_browsers};
use crate::visitor::PASSWORD;

async fn register(tab: &Tab, name: &str) {
    tab.fill("#username-input", name).await;
    tab.fill("#password-input", PASSWORD).await;
    tab.write("#password_again-input", PASSWORD).await;
}

async fn log_in(tab: &Tab, name: &str) {
    tab.fill("#username-input", name).await;
    tab.write("#password-input", PASSWORD).await;
}

#[tokio::test]
async fn who_registers_chats_under_that_name_until_the_log_out_in_another_tab_and_again_after_the_log_in() {
    with_browsers(async |site, browsers| {
        let (ada, ben) = (browsers.open().await, browsers.open().await);
        ada.visit(site, "/chat/lobby/").await;
        ada.click(".top a[href^='/login/']").await;
        ada.click(".card a[href^='/register/']").await;
        register(&ada, "Ada").await;
        // Back where she came from.
        ada.until_state("open").await;
        assert_eq!(ada.path().await, "/chat/lobby/");
        ben.enter(site, "/chat/lobby/", "Ben").await;
        ada.say("hello").await;
        ben.until_heard("hello").await;
        ben.until("document.querySelector('#chat-log .nick[data-name=Ada] .mark')").await;
        ada.another().await;
        ada.visit(site, "/account/").await;
        ada.click(".me button").await;
        ada.until("document.querySelector('#name-input')").await;
        ada.back().await;
        ada.until_state("closed").await;
        assert_eq!(ada.text("#connection-state").await, "You are logged out");
        assert!(ada.value("document.querySelector('#chat-message-input').disabled").await == json!(true));
        assert!(ada.value("document.querySelector('#reconnect-button').hidden").await == json!(true));
        // Whoever is back at once was never seen to leave.
        ben.until("document.querySelector('#chat-log .left [data-name=Ada]')").await;
        ada.click("#login-link").await;
        log_in(&ada, "Ada").await;
        ada.until_state("open").await;
        ada.say("here again").await;
        ben.until_heard("here again").await;
    })
    .await;
}

#[tokio::test]
async fn a_guest_is_not_taken_for_an_account_and_keeps_chatting_when_somebody_logs_out() {
    with_browsers(async |site, browsers| {
        let (ada, eve) = (browsers.open().await, browsers.open().await);
        ada.visit(site, "/register/?next=/chat/lobby/").await;
        register(&ada, "Ada").await;
        ada.until_state("open").await;
        eve.enter(site, "/chat/lobby/", "Ada").await;
        eve.until(
            "document.querySelector('#chat-log .problem')?.innerText.includes('belongs to an account')",
        )
        .await;
        eve.say("I am Ada").await;
        ada.until_heard("I am Ada").await;
        assert_eq!(ada.value("document.querySelectorAll('#chat-log .own').length").await, 0);
        assert!(ada.text("#chat-log").await.contains("guest-"));
        ada.click(".me button").await;
        ada.until("document.querySelector('#name-input')").await;
        eve.say("still here").await;
        eve.until_heard("still here").await;
        eve.until_state("open").await;
    })
    .await;
}

#[tokio::test]
async fn notifications_show_up_live_with_a_counter() {
    with_browsers(async |site, browsers| {
        let (ada, ben) = (browsers.open().await, browsers.open().await);
        ada.visit(site, "/register/?next=/notifications/").await;
        register(&ada, "Ada").await;
        ada.until_state("open").await;
        ben.visit(site, "/register/?next=/notifications/").await;
        register(&ben, "Ben").await;
        ben.until("document.querySelector('#to-input')").await;
        for (count, message) in [(1, "<b>first</b>"), (2, "second")] {
            ben.fill("#to-input", "Ada").await;
            ben.write("#message-input", message).await;
            ben.until("document.querySelector('.notice.good')?.textContent === 'Sent to Ada.'").await;
            ada.until(&format!("document.querySelector('#notification-count').textContent === '{count}'"))
                .await;
        }
        let shown = "[...document.querySelectorAll('#notification-list .text')].map((n) => n.textContent)";
        assert_eq!(ada.value(shown).await, json!(["second", "<b>first</b>"]));
        assert_eq!(ada.value("document.title").await, "(2) Notifications");
        // Nothing came to the one who sent it.
        assert_eq!(ben.value("document.querySelector('#notification-count').hidden").await, json!(true));
    })
    .await;
}

#[tokio::test]
async fn problems_of_a_form_are_told_in_the_readers_language() {
    with_browsers(async |site, browsers| {
        for (languages, problem) in [
            ("en-US,en", "The password needs at least 8 characters."),
            ("zh-CN,zh", "密码至少要有 8 个字符。"),
        ] {
            let tab = browsers.open_in(languages).await;
            tab.visit(site, "/register/").await;
            tab.fill("#username-input", "Zoe").await;
            tab.fill("#password-input", "q8").await;
            tab.write("#password_again-input", "q8").await;
            tab.until("document.querySelector('#password-problem')").await;
            assert!(tab.text("#password-problem").await.contains(problem));
            // The name is kept, and the password is not; the field that is wrong is where to go on.
            let values = "['username', 'password'].map((n) => document.querySelector(`#${n}-input`).value)";
            assert_eq!(tab.value(values).await, json!(["Zoe", ""]));
            assert_eq!(tab.value("document.activeElement.id").await, "password-input");
        }
    })
    .await;
}
