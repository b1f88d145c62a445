//! Long histories: all of it can be read, and the page holds a part of it.

use serde_json::json;

use super::{Person, with_browsers};
use crate::person::Person as Client;
use crate::site::Site;

/// Says `message 1` and so on in the lobby.
async fn eve_says(site: &Site, numbers: std::ops::RangeInclusive<u32>) -> Client {
    let mut eve = Client::enter(site, "lobby", "Eve").await;
    for n in numbers {
        eve.send(json!({"message": format!("message {n}")})).await;
        if n % 20 == 0 {
            eve.until(|frame| frame["message"] == format!("message {n}")).await;
        }
    }
    eve
}

/// Whether the numbers in the log are one after another.
const WHOLE: &str = "[...document.querySelectorAll('#chat-log [data-id]')].every((node, i, all) => \
     i === 0 || Number(node.dataset.id) === Number(all[i - 1].dataset.id) + 1)";

#[tokio::test]
async fn lines_that_went_when_others_came_are_read_again_by_scrolling_up() {
    with_browsers(async |site, browsers| {
        let ada = browsers.open().await;
        eve_says(site, 1..=20).await;
        ada.enter(site, "/chat/lobby/", "Ada").await;
        ada.until_heard("message 20").await;
        eve_says(site, 21..=1100).await;
        ada.until_heard("message 1100").await;
        ada.until("!document.querySelector('#chat-log [data-id=\"20\"]')").await;
        ada.until(
            "(document.querySelector('#chat-log').scrollTop = 0, document.querySelector('#chat-log [data-id=\"1\"]'))",
        )
        .await;
        assert_eq!(ada.value(WHOLE).await, json!(true));
        assert_eq!(ada.value("document.querySelectorAll('#chat-log [data-id]').length").await, 1100);
    })
    .await;
}

#[tokio::test]
async fn a_hit_far_back_is_shown_without_all_that_was_said_since_and_the_present_is_one_click_away() {
    with_browsers(async |site, browsers| {
        let ada = browsers.open().await;
        let mut eve = eve_says(site, 1..=1000).await;
        ada.enter(site, "/chat/lobby/", "Ada").await;
        ada.until_heard("message 1000").await;
        ada.click("#search summary").await;
        ada.write("#search input", "message 33").await;
        ada.until("[...document.querySelectorAll('#search .hit')].some((hit) => hit.textContent.endsWith('message 33'))")
            .await;
        ada.value("[...document.querySelectorAll('#search .hit')].find((hit) => hit.textContent.endsWith('message 33')).click()")
            .await;
        ada.until("document.querySelector('#chat-log .found')?.innerText.includes('message 33')").await;
        assert!(ada.value("document.querySelector('#chat-log').childElementCount").await.as_u64() < Some(200));
        assert_eq!(ada.text("#new-messages").await.trim(), "To the newest messages");
        // What comes meanwhile is counted, and stands where it belongs.
        eve.send(json!({"message": "news"})).await;
        ada.until("document.querySelector('#new-messages').textContent === '1 new message'").await;
        assert_eq!(ada.value(WHOLE).await, json!(true));
        ada.click("#room-name").await;
        ada.click("#new-messages").await;
        ada.until_heard("news").await;
        ada.until("document.querySelector('#new-messages').hidden").await;
        assert_eq!(ada.value(WHOLE).await, json!(true));
        // One's own message is seen, wherever one reads.
        ada.value("[...document.querySelectorAll('#search .hit')].find((hit) => hit.textContent.endsWith('message 33')).click()")
            .await;
        ada.until("document.querySelector('#chat-log .found')?.innerText.includes('message 33')").await;
        ada.say("what was that?").await;
        ada.until_heard("what was that?").await;
        ada.until("document.querySelector('#chat-log [data-id=\"1001\"]')").await;
        assert_eq!(ada.value(WHOLE).await, json!(true));
    })
    .await;
}

#[tokio::test]
async fn from_a_hit_far_back_one_reads_on_until_the_present() {
    with_browsers(async |site, browsers| {
        let ada = browsers.open().await;
        let mut eve = eve_says(site, 1..=700).await;
        ada.enter(site, "/chat/lobby/", "Ada").await;
        ada.until_heard("message 700").await;
        ada.click("#search summary").await;
        ada.write("#search input", "message 100").await;
        ada.until("document.querySelectorAll('#search .hit').length === 1").await;
        ada.click("#search .hit").await;
        ada.until("document.querySelector('#chat-log .found')?.innerText.includes('message 100')").await;
        eve.send(json!({"message": "news"})).await;
        ada.until("document.querySelector('#new-messages').textContent === '1 new message'").await;
        ada.until("(document.querySelector('#chat-log').scrollTop = 1e6, document.querySelector('#new-messages').hidden)")
            .await;
        ada.until_heard("news").await;
        eve.send(json!({"message": "more news"})).await;
        ada.until_heard("more news").await;
        assert_eq!(ada.value(WHOLE).await, json!(true));
        ada.until("(document.querySelector('#chat-log').scrollTop = 0, document.querySelector('#chat-log [data-id=\"1\"]'))")
            .await;
        assert_eq!(ada.value(WHOLE).await, json!(true));
    })
    .await;
}

/// A log of its own in the page, with what it was told of its end.
const LOG: &str = "import('/static/rooms/timeline.js').then(({ Timeline }) => { \
     const node = Object.assign(document.createElement('div'), { style: 'height: 300px; overflow-y: auto' }); \
     document.body.append(node); \
     const make = (entry) => Object.assign(document.createElement('p'), { textContent: entry.message }); \
     window.log = new Timeline({ node, chip: document.createElement('button'), line: make, onBottom() {}, onTop() {}, \
       onCut: (id) => { window.cut = id; log.past = true; }, onEnd() {}, onNewest() {} }); \
     window.say = (from, to) => { for (let id = from; id <= to; id++) \
       log.live({ type: 'message', id, message: `message ${id}`, from: 'Eve', time: Date.now() }); }; \
     window.logNode = node; })";

#[tokio::test]
async fn a_log_that_nobody_follows_does_not_grow_for_ever() {
    with_browsers(async |site, browsers| {
        let ada = browsers.open().await;
        ada.enter(site, "/chat/lobby/", "Ada").await;
        ada.value(LOG).await;
        ada.until("window.logNode").await;
        ada.value("(say(1, 300), log.hold(), logNode.scrollTop = 0)").await;
        ada.value("say(301, 6000)").await;
        ada.until("window.cut").await;
        let state = "[logNode.childElementCount <= 5000, logNode.firstElementChild.textContent, \
             Number(logNode.lastElementChild.dataset.id) === cut]";
        assert_eq!(ada.value(state).await, json!([true, "message 1", true]));
        // It is not cut where somebody reads, also not in its upper half.
        assert_eq!(ada.value("logNode.scrollTop").await, 0);
    })
    .await;
}

#[tokio::test]
async fn who_reads_on_for_long_loses_the_lines_far_above_and_the_view_stays() {
    with_browsers(async |site, browsers| {
        let ada = browsers.open().await;
        ada.enter(site, "/chat/lobby/", "Ada").await;
        ada.value(LOG).await;
        ada.until("window.logNode").await;
        ada.value("(log.past = true, window.next = 0)").await;
        // A page of a hundred, at whose end the reader is when the next one comes.
        let page = "(log.history(Array.from({ length: 100 }, () => ({ type: 'message', id: ++next, \
             message: `message ${next}`, from: 'Eve', time: next }))), logNode.scrollTop = 1e9)";
        for _ in 0..50 {
            ada.value(page).await;
        }
        let last = "logNode.lastElementChild.getBoundingClientRect().top";
        let before = ada.value(last).await.as_f64().unwrap();
        ada.value("log.history([{ type: 'message', id: 0, message: 'older', from: 'Eve', time: 0 }])").await;
        ada.until("logNode.childElementCount < 5000").await;
        assert_eq!(
            ada.value("[window.cut, logNode.lastElementChild.dataset.id]").await,
            json!([null, "5000"])
        );
        let after = ada.value(last).await.as_f64().unwrap();
        assert!((before - after).abs() < 3.0, "it moved from {before} to {after}");
        assert_eq!(
            ada.value("Number(logNode.firstElementChild.dataset.id) === log.oldest && log.oldest > 0").await,
            true
        );
    })
    .await;
}

#[tokio::test]
async fn a_new_message_stands_below_what_came_before_it_whatever_the_clock_says() {
    with_browsers(async |site, browsers| {
        let ada = browsers.open().await;
        ada.enter(site, "/chat/lobby/", "Ada").await;
        ada.value(LOG).await;
        ada.until("window.logNode").await;
        ada.value(
            "(say(1, 2), log.live({ type: 'joined', message: 'Ben joined', time: Date.now() + 600_000 }), say(3, 3))",
        )
        .await;
        let texts = "[...logNode.children].map((node) => node.textContent)";
        assert_eq!(ada.value(texts).await, json!(["message 1", "message 2", "Ben joined", "message 3"]));
    })
    .await;
}

/// A history in the page, over a client that answers when it is told to: at most fifty of `window.kept`.
const HISTORY: &str = "import('/static/rooms/history.js').then(({ History }) => { \
     window.asked = []; window.here = []; \
     const page = ({ before, after }) => { \
       const all = kept.filter((id) => id < (before ?? Infinity) && id > (after ?? 0)); \
       const ids = after === undefined ? all.slice(-50) : all.slice(0, 50); \
       return { epoch: 1, last: kept.at(-1), more: all.length > 50, messages: ids.map((id) => ({ id })) }; }; \
     const client = { request: (range) => new Promise((answer, refuse) => asked.length > 50 \
       ? refuse() : asked.push(Object.assign(() => answer(page(range)), { range }))) }; \
     const add = (messages) => { here = [...here, ...messages.map(({ id }) => id)].sort((a, b) => a - b); }; \
     window.history_ = new History(client, { entered: ({ messages }) => add(messages), added: add, past() {}, failed() {}, \
       reset: () => { here = []; }, oldest: () => here[0] ?? Infinity }); })";

/// Answers what is asked, one after another, until nothing more is asked.
const ANSWER_ALL: &str = "(async () => { for (let n = 0; n < asked.length; n++) { asked[n](); \
     await new Promise((done) => setTimeout(done)); } return asked.length; })()";

#[tokio::test]
async fn what_is_not_kept_any_more_is_stepped_over() {
    with_browsers(async |site, browsers| {
        let ada = browsers.open().await;
        ada.enter(site, "/chat/lobby/", "Ada").await;
        ada.value("(window.kept = Array.from({ length: 100 }, (_, n) => n + 1))").await;
        ada.value(HISTORY).await;
        ada.value("void history_.fill()").await;
        assert_eq!(ada.value(ANSWER_ALL).await, 1);
        // While she was away others wrote, and all but the last hundred and twenty have expired.
        ada.value(
            "(kept = Array.from({ length: 120 }, (_, n) => n + 301), asked = [], void history_.fill())",
        )
        .await;
        assert_eq!(ada.value(ANSWER_ALL).await, 3);
        assert_eq!(ada.value("[history_.high, here.at(-1)]").await, json!([420, 420]));
    })
    .await;
}

#[tokio::test]
async fn of_two_hits_the_one_that_was_chosen_last_is_shown() {
    with_browsers(async |site, browsers| {
        let ada = browsers.open().await;
        ada.enter(site, "/chat/lobby/", "Ada").await;
        ada.value("(window.kept = Array.from({ length: 9000 }, (_, n) => n + 1))").await;
        ada.value(HISTORY).await;
        ada.value("void history_.fill()").await;
        ada.value(ANSWER_ALL).await;
        ada.value("(asked = [], window.first = history_.around(100), window.second = history_.around(5000), 0)")
            .await;
        // The answers come in the other order.
        ada.value("(asked[1](), second)").await;
        ada.value("(asked[0](), first)").await;
        assert_eq!(ada.value("[here[0], here.at(-1), history_.high]").await, json!([4975, 5024, 5024]));
        // A page of older ones that was asked for before is not put in elsewhere.
        ada.value("(asked = [], window.late = history_.older(), window.third = history_.around(100), asked[1](), third)")
            .await;
        assert_eq!(ada.value("(asked[0](), late)").await, false);
        assert_eq!(ada.value("[here[0], here.at(-1)]").await, json!([75, 124]));
    })
    .await;
}
