use serde_json::json;

use super::{Person, with_browsers};
use crate::site::{Announce, Site};

#[tokio::test]
async fn two_in_a_room_see_what_the_other_says_and_a_third_elsewhere_sees_nothing() {
    with_browsers(async |site, browsers| {
        let (ada, ben, eve) = (browsers.open().await, browsers.open().await, browsers.open().await);
        ada.enter(site, "/chat/lobby/", "Ada").await;
        ben.enter(site, "/chat/lobby/", "Ben").await;
        eve.enter(site, "/chat/elsewhere/", "Eve").await;
        ada.say("hello Ben").await;
        ben.until_heard("hello Ben").await;
        ben.say("hello Ada").await;
        ada.until_heard("hello Ada").await;
        eve.say("nobody here").await;
        eve.until_heard("nobody here").await;
        assert_eq!(ada.heard().await, json!(["hello Ben", "hello Ada"]));
        assert_eq!(eve.heard().await, json!(["nobody here"]));
        // Who said it, and who came, is seen too.
        let log = ben.text("#chat-log").await;
        assert!(log.contains("Welcome to lobby, Ben.") && log.contains("Ada"), "{log}");
        ada.until("document.querySelector('#chat-log').innerText.includes('Ben joined')").await;
    })
    .await;
}

#[tokio::test]
async fn a_direct_message_is_seen_by_its_receiver_and_an_announcement_by_all() {
    with_browsers(async |site, browsers| {
        let (ada, ben, eve) = (browsers.open().await, browsers.open().await, browsers.open().await);
        ada.enter(site, "/chat/lobby/", "Ada").await;
        ben.enter(site, "/chat/elsewhere/", "Ben Bell").await;
        eve.enter(site, "/chat/lobby/", "Eve").await;
        ada.say("/to \"Ben Bell\" psst").await;
        ben.until_heard("psst").await;
        ada.until_heard("psst").await;
        ada.say("/all tea is ready").await;
        for person in [&ada, &ben, &eve] {
            person.until_heard("tea is ready").await;
        }
        assert_eq!(eve.heard().await, json!(["tea is ready"]));
        assert!(ben.text(".announcement").await.contains("Announcement from Ada"));
    })
    .await;
}

#[tokio::test]
async fn markup_in_texts_and_names_is_shown_as_text_and_runs_nothing() {
    with_browsers(async |site, browsers| {
        let (ada, ben) = (browsers.open().await, browsers.open().await);
        let (attack, name) = ("<img src=x onerror=\"window.hacked=1\">", "<svg onload=hacked=1>");
        ben.enter(site, "/chat/%3Cimg%20src=x%20onerror=hacked=1%3E/", "Ben").await;
        ada.enter(site, "/chat/%3Cimg%20src=x%20onerror=hacked=1%3E/", name).await;
        for text in [attack, "<script>window.hacked=1</script>", "javascript:hacked=1 &amp; ${hacked=1}"] {
            ada.say(text).await;
            ben.until_heard(text).await;
        }
        ada.say(&format!("/all {attack}")).await;
        ben.until_heard(attack).await;
        assert_eq!(ben.text("#room-name").await, "<img src=x onerror=hacked=1>");
        assert!(ben.text("#chat-log").await.contains(name));
        for person in [&ada, &ben] {
            assert_eq!(person.value("typeof window.hacked").await, "undefined");
            assert_eq!(
                person.value("document.querySelectorAll('main :is(img, svg, script)').length").await,
                0
            );
        }
    })
    .await;
}

#[tokio::test]
async fn a_page_finds_the_restarted_server_again_without_being_loaded_again() {
    with_browsers(async |_, browsers| {
        let site = Site::start().await;
        let bind = site.address.to_string();
        let (ada, ben) = (browsers.open().await, browsers.open().await);
        ada.enter(&site, "/chat/lobby/", "Ada").await;
        ben.enter(&site, "/chat/lobby/", "Ben").await;
        ada.value("window.loadedOnce = true").await;
        site.stop().await;
        ada.until_state("waiting").await;
        // What is said meanwhile waits.
        ada.say("are you back?").await;
        let _site = Site::start_on(&bind, Announce::Everyone).await;
        ada.until_heard("are you back?").await;
        // Ben may be back later than that was sent, and there is no history.
        ben.until_state("open").await;
        ben.say("I am").await;
        ada.until_heard("I am").await;
        ada.say("so am I").await;
        ben.until_heard("so am I").await;
        assert_eq!(ada.value("window.loadedOnce").await, json!(true));
        // Of her own messages and of announcements, in one line.
        let warnings =
            "document.querySelector('#chat-log').innerText.split('may have been missed').length - 1";
        assert_eq!(ada.value(warnings).await, json!(1));
    })
    .await;
}

#[tokio::test]
async fn the_page_of_the_rooms_asks_for_one_and_enter_goes_there() {
    with_browsers(async |site, browsers| {
        let ada = browsers.open().await;
        ada.visit(site, "/chat/").await;
        ada.write("#room-name-input", "大厅 1/2").await;
        ada.until_state("open").await;
        assert_eq!(ada.path().await, "/chat/%E5%A4%A7%E5%8E%85%201%2F2/");
        assert_eq!(ada.text("#room-name").await, "大厅 1/2");
        ada.say("quiet here").await;
        ada.until_heard("quiet here").await;
    })
    .await;
}

#[tokio::test]
async fn a_text_that_is_refused_is_explained_and_the_chat_goes_on() {
    with_browsers(async |site, browsers| {
        let ada = browsers.open().await;
        ada.enter(site, "/chat/lobby/", "Ada").await;
        ada.value("(document.querySelector('#chat-message-input').value = 'x'.repeat(2001))").await;
        ada.say("").await;
        ada.until("document.querySelector('#chat-log .problem')?.innerText.includes('2000 characters')")
            .await;
        ada.say("short").await;
        ada.until_heard("short").await;
    })
    .await;
}
