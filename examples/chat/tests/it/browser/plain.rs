use serde_json::json;

use super::{Person, with_browsers};

#[tokio::test]
async fn the_server_answers_in_the_single_chat_and_closes_on_exit() {
    with_browsers(async |site, browsers| {
        let ada = browsers.open().await;
        ada.visit(site, "/chatone").await;
        ada.until_state("open").await;
        ada.say("hello").await;
        ada.until_heard("server: hello").await;
        assert_eq!(ada.heard().await, json!(["hello", "server: hello"]));
        ada.say("exit").await;
        ada.until_state("closed").await;
        assert!(ada.text("#connection-state").await.contains("you said exit"));
        ada.click("#reconnect-button").await;
        ada.until_state("open").await;
        ada.say("again").await;
        ada.until_heard("server: again").await;
    })
    .await;
}

#[tokio::test]
async fn the_button_of_the_single_chat_closes_it_from_the_page() {
    with_browsers(async |site, browsers| {
        let ada = browsers.open().await;
        ada.visit(site, "/chatone").await;
        ada.until_state("open").await;
        ada.click("#close-button").await;
        ada.until_state("closed").await;
        assert_eq!(ada.text("#connection-state").await, "Closed by you");
    })
    .await;
}

#[tokio::test]
async fn those_who_open_the_same_group_read_each_other() {
    with_browsers(async |site, browsers| {
        let (ada, ben, eve) = (browsers.open().await, browsers.open().await, browsers.open().await);
        ada.visit(site, "/chatgroup").await;
        ada.write("#group-id-input", "42").await;
        ada.until_state("open").await;
        ben.visit(site, "/chatgroup?groupID=42").await;
        ben.until_state("open").await;
        eve.visit(site, "/chatgroup?groupID=43").await;
        eve.until_state("open").await;
        ada.say("hello <b>42</b>").await;
        ben.until_heard("hello <b>42</b>").await;
        eve.say("nobody here").await;
        eve.until_heard("nobody here").await;
        assert_eq!(ada.heard().await, json!(["hello <b>42</b>"]));
        assert_eq!(eve.heard().await, json!(["nobody here"]));
    })
    .await;
}

#[tokio::test]
async fn the_pages_speak_the_language_of_the_browser() {
    with_browsers(async |site, browsers| {
        for (languages, lang, title) in [
            ("zh-CN,zh", "zh-CN", "单人聊天"),
            ("en-US,en", "en", "Single chat"),
            ("de,zh-TW,en", "zh-CN", "单人聊天"),
        ] {
            let tab = browsers.open_in(languages).await;
            tab.visit(site, "/chatone").await;
            tab.until_state("open").await;
            assert_eq!(tab.value("document.documentElement.lang").await, lang);
            assert!(tab.text("h1").await.starts_with(title));
        }
    })
    .await;
}
