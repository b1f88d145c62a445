//! Staff at work in the admin, and what the open pages of the others show of it.

use browsers::Tab;
use serde_json::json;

use super::staff::Staff;
use super::{Person, with_browsers};
use crate::site::Site;
use crate::visitor::{PASSWORD, Visitor};

/// Notes with which codes the sockets of a page close.
const CODES: &str = "window.codes = []; window.WebSocket = class extends WebSocket { constructor(...all) { \
     super(...all); this.addEventListener('close', ({ code }) => codes.push(code)); } }";

/// Opens the lobby as somebody with an account.
async fn enter_as(tab: &Tab, site: &Site, name: &str) {
    tab.devtools("Page.addScriptToEvaluateOnNewDocument", json!({"source": CODES})).await;
    tab.visit(site, "/login/?next=/chat/lobby/").await;
    tab.fill("#username-input", name).await;
    tab.write("#password-input", PASSWORD).await;
    tab.until_state("open").await;
}

#[tokio::test]
async fn staff_add_a_user_who_chats_until_the_session_is_ended() {
    with_browsers(async |site, browsers| {
        let (grace, ada) = (browsers.open().await, browsers.open().await);
        grace.begin(site).await;
        grace.click(".side a[href='/admin/models/auth_user/add/']").await;
        grace.fill("#id_username", "Ada").await;
        grace.fill("#id_password", PASSWORD).await;
        grace.fill("#id_password_again", PASSWORD).await;
        grace.done("[name=_save]", "Ada").await;
        enter_as(&ada, site, "Ada").await;
        ada.say("hello").await;
        ada.until_heard("hello").await;

        grace.admin(site, "sessions/?user=Ada").await;
        grace.click("td a.danger").await;
        grace.done("button.danger", "A session of Ada was ended").await;

        ada.until_state("closed").await;
        assert_eq!(ada.text("#connection-state").await, "You are logged out");
        assert_eq!(ada.value("window.codes").await, json!([4401]));
        ada.visit(site, "/account/").await;
        assert_eq!(ada.path().await, "/login/");
    })
    .await;
}

#[tokio::test]
async fn staff_announce_to_all_open_pages_and_end_a_connection() {
    with_browsers(async |site, browsers| {
        let (grace, ada, ben) = (browsers.open().await, browsers.open().await, browsers.open().await);
        grace.begin(site).await;
        Visitor::registered(site, "Ada").await;
        enter_as(&ada, site, "Ada").await;
        ben.visit(site, "/chatone").await;
        ben.until_state("open").await;

        grace.admin(site, "live/announcements/").await;
        grace.fill("#text", "tea is ready").await;
        grace.done("form.card button", "The announcement was sent to everyone").await;
        ada.until_heard("tea is ready").await;
        ben.until_heard("announcement from server: tea is ready").await;

        grace.admin(site, "live/?path=/ws/chat/").await;
        grace.click("td a.danger").await;
        grace.fill("#reason", "time for bed").await;
        grace.done("button.danger", "The connection of Ada at /ws/chat/lobby/ was ended").await;
        ada.until_state("closed").await;
        assert_eq!(ada.text("#connection-state").await, "Closed by the server: time for bed (4403)");
        assert_eq!(ben.value("document.querySelector('#connection-state').dataset.state").await, "open");
        ada.click("#reconnect-button").await;
        ada.until_state("open").await;
    })
    .await;
}

/// Two messages in the lobby, and the list of them open.
async fn two_messages(grace: &Tab, ada: &Tab, site: &Site) {
    grace.begin(site).await;
    ada.enter(site, "/chat/lobby/", "Ada").await;
    for text in ["tea is raedy", "coffee is not"] {
        ada.say(text).await;
        ada.until_heard(text).await;
    }
    grace.admin(site, "models/chat_message/").await;
    grace.until_rows(2).await;
}

#[tokio::test]
async fn staff_find_a_message_mend_it_see_it_in_the_log_and_delete_it() {
    with_browsers(async |site, browsers| {
        let (grace, ada) = (browsers.open().await, browsers.open().await);
        two_messages(&grace, &ada, site).await;
        grace.write("#q", "raedy").await;
        grace.until_rows(1).await;
        grace.click("tbody th a").await;
        grace.change("#id_body", "tea is ready").await;
        grace.done("[name=_save]", "was changed").await;
        grace.admin(site, "models/chat_message/").await;
        assert!(grace.text("#results").await.contains("tea is ready"));
        grace.admin(site, "log/").await;
        assert!(grace.text("main td.changes").await.contains("tea is raedy → tea is ready"));
        ada.visit(site, "/chat/lobby/").await;
        ada.until("document.querySelector('#chat-log').innerText.includes('tea is ready')").await;

        grace.admin(site, "models/chat_message/?q=coffee").await;
        grace.click("tbody th a").await;
        grace.click(".actions a.danger").await;
        grace.done("button.danger", "was deleted").await;
        grace.until_rows(1).await;
        assert!(!grace.text("#results").await.contains("coffee"));
    })
    .await;
}

#[tokio::test]
async fn without_javascript_staff_search_edit_and_delete() {
    with_browsers(async |site, browsers| {
        let (grace, ada) = (browsers.open().await, browsers.open().await);
        two_messages(&grace, &ada, site).await;
        grace.devtools("Emulation.setScriptExecutionDisabled", json!({"value": true})).await;
        grace.admin(site, "models/chat_message/").await;
        grace.write("#q", "raedy").await;
        grace.until_text("#count", "1 chat message").await;
        grace.click("tbody th a").await;
        grace.until_text("h1", "guest").await;
        grace.change("#id_body", "tea is ready").await;
        grace.click("[name=_save]").await;
        grace.until_text(".message", "was changed").await;
        assert!(grace.text("#results").await.contains("tea is ready"));
        // All rows are chosen by hand: the box for all is not there.
        grace.click("tbody input[name=key]").await;
        grace.click("#results button.danger").await;
        grace.until_text("h1", "Delete").await;
        grace.click("main button.danger").await;
        grace.until_text(".message", "was deleted").await;
        grace.until_text("#count", "1 chat message").await;
    })
    .await;
}

#[tokio::test]
async fn a_list_that_is_narrowed_keeps_the_focus_says_the_count_and_goes_back() {
    with_browsers(async |site, browsers| {
        let (grace, ada) = (browsers.open().await, browsers.open().await);
        two_messages(&grace, &ada, site).await;
        grace.script("window.same = true").await;

        grace.fill("#q", "coffee").await;
        grace.until_rows(1).await;
        assert_eq!(
            grace
                .value("[document.activeElement.id, location.search.includes('q=coffee'), window.same]")
                .await,
            json!(["q", true, true])
        );
        assert_eq!(
            grace.value("document.querySelector('#count[role=status]').textContent").await,
            "1 chat message"
        );
        grace.click("thead th:nth-child(3) a").await;
        grace.until("document.activeElement.closest('th')?.ariaSort").await;

        grace.script("history.back()").await;
        grace.until("!location.search.includes('sort')").await;
        grace.script("history.back()").await;
        grace.until_rows(2).await;
        assert_eq!(
            grace.value("[document.querySelector('#q').value, location.search]").await,
            json!(["", ""])
        );
    })
    .await;
}
