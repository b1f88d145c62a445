//! Nothing is lost: over restarts and cuts, in histories of many pages, and on other devices.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use browsers::Tab;
use programs::Child;
use rig::Proxy;
use serde_json::{Value, json};

use super::{Person, with_browsers};
use crate::person::Person as Client;
use crate::visitor::PASSWORD;

const IN_TIME: Duration = Duration::from_secs(60);

/// The program, on a port that stays when it is started again: no connection gets it for its own end meanwhile.
fn program(port: u16, folder: &Path) -> Child {
    let (bind, folder) = (format!("127.0.0.1:{port}"), folder.to_str().unwrap());
    let arguments = ["--bind", &bind, "--accounts", "off", "--data-dir", folder, "--drain-window", "200ms"];
    let mut program = Child::start(Command::new(env!("CARGO_BIN_EXE_chat")).args(arguments));
    program.line("chat is at");
    program
}

fn lasting_port() -> u16 {
    let free = |port: &u16| std::net::TcpListener::bind(("127.0.0.1", *port)).is_ok();
    (0..).map(|_| rand::random_range(20_000..30_000)).find(free).unwrap()
}

/// Waits until all of these were heard, each once, and gives them in the order in which they stand.
async fn all_heard(tab: &Tab, texts: &[String]) -> Vec<String> {
    for text in texts {
        let text = json!(text);
        tab.until(&format!(
            "[...document.querySelectorAll('#chat-log > :not(.pending) .text')].some((n) => n.textContent === {text})"
        ))
        .await;
    }
    let heard: Vec<String> = serde_json::from_value(tab.heard().await).unwrap();
    let (mut one, mut other) = (heard.clone(), texts.to_vec());
    one.sort();
    other.sort();
    assert_eq!(one, other);
    heard
}

#[tokio::test]
async fn what_two_type_while_the_server_is_killed_and_stopped_is_there_once_and_in_one_order() {
    with_browsers(async |_, browsers| {
        let (home, port) = (tempfile::tempdir().unwrap(), lasting_port());
        let site = format!("http://127.0.0.1:{port}");
        let mut server = program(port, home.path());
        let (ada, ben) = (browsers.open().await, browsers.open().await);
        ada.enter_at(&site, "/chat/lobby/", "Ada").await;
        ben.enter_at(&site, "/chat/lobby/", "Ben").await;
        let mut said = Vec::new();
        for signal in ["KILL", "TERM"] {
            for (n, when) in ["before", "just", "while away", "still away"].into_iter().enumerate() {
                if n == 2 {
                    server.signal(signal);
                    server.end(IN_TIME);
                }
                for (tab, name) in [(&ada, "Ada"), (&ben, "Ben")] {
                    let text = format!("{name} {when} {signal}");
                    tab.say(&text).await;
                    said.push(text);
                }
            }
            server = program(port, home.path());
        }
        let heard = all_heard(&ada, &said).await;
        assert_eq!(all_heard(&ben, &said).await, heard);
        for name in ["Ada", "Ben"] {
            let own = |texts: &[String]| -> Vec<String> {
                texts.iter().filter(|text| text.starts_with(name)).cloned().collect()
            };
            assert_eq!(own(&heard), own(&said));
        }
    })
    .await;
}

#[tokio::test]
async fn a_cut_of_two_seconds_loses_nothing_and_nobody_is_seen_to_leave() {
    with_browsers(async |site, browsers| {
        let proxy = Proxy::to_port(site.address.port());
        let (ada, ben) = (browsers.open().await, browsers.open().await);
        ada.enter_at(&format!("http://127.0.0.1:{}", proxy.port()), "/chat/lobby/", "Ada").await;
        ben.enter(site, "/chat/lobby/", "Ben").await;
        ada.until("document.querySelector('#here summary').textContent === '2 here'").await;
        let mut said = Vec::new();
        for round in 0..2 {
            proxy.cut();
            for (tab, name) in [(&ada, "Ada"), (&ben, "Ben")] {
                said.push(format!("{name} {round}"));
                tab.say(said.last().unwrap()).await;
            }
            tokio::time::sleep(Duration::from_secs(2)).await;
            proxy.mend();
            assert_eq!(all_heard(&ada, &said).await, all_heard(&ben, &said).await);
        }
        // It went on where it was: a new connection would have been welcomed.
        assert_eq!(ada.value("document.querySelectorAll('#chat-log .welcome').length").await, 1);
        assert_eq!(ben.value("document.querySelectorAll('#chat-log .left').length").await, 0);
        ada.until("document.querySelector('#banner').hidden").await;
    })
    .await;
}

#[tokio::test]
async fn older_pages_are_put_in_above_while_the_view_stays_and_what_is_new_waits_below() {
    with_browsers(async |site, browsers| {
        let mut eve = Client::enter(site, "lobby", "Eve").await;
        for n in 1..=120 {
            eve.send(json!({"message": format!("message {n}")})).await;
            eve.next().await;
        }
        let ada = browsers.open().await;
        ada.enter(site, "/chat/lobby/", "Ada").await;
        ada.until_heard("message 120").await;
        let first = "document.querySelector('#chat-log [data-id=\"71\"]').getBoundingClientRect().top";
        ada.value("document.querySelector('#chat-log').scrollTop = 0").await;
        let before = ada.value(first).await.as_f64().unwrap();
        ada.until("document.querySelector('#chat-log [data-id=\"21\"]')").await;
        let after = ada.value(first).await.as_f64().unwrap();
        assert!((before - after).abs() < 3.0, "it moved from {before} to {after}");
        eve.send(json!({"message": "news"})).await;
        ada.until("document.querySelector('#new-messages').textContent === '1 new message'").await;
        ada.value("document.querySelector('#chat-log').scrollTop = 0").await;
        ada.until("document.querySelector('#chat-log [data-id=\"1\"]')").await;
        let all: Vec<String> = (1..=120).map(|n| format!("message {n}")).chain(["news".to_owned()]).collect();
        assert_eq!(ada.heard().await, json!(all));
        ada.click("#new-messages").await;
        ada.until("document.querySelector('#new-messages').hidden").await;
    })
    .await;
}

#[tokio::test]
async fn a_search_lists_what_was_found_and_goes_there() {
    with_browsers(async |site, browsers| {
        let mut eve = Client::enter(site, "lobby", "Eve").await;
        eve.send(json!({"message": "the NEEDLE <b>in</b> 100% hay"})).await;
        for n in 1..=60 {
            eve.send(json!({"message": format!("hay {n}")})).await;
        }
        let ada = browsers.open().await;
        ada.enter(site, "/chat/lobby/", "Ada").await;
        ada.until_heard("hay 60").await;
        ada.click("#search summary").await;
        ada.write("#search input", "needle 100%").await;
        ada.until("document.querySelectorAll('#search li').length === 1").await;
        assert_eq!(ada.text("#search li .text").await, "the NEEDLE <b>in</b> 100% hay");
        ada.click("#search .hit").await;
        ada.until("document.querySelector('#chat-log .found')?.innerText.includes('NEEDLE')").await;
    })
    .await;
}

#[tokio::test]
async fn what_an_account_has_not_read_is_marked_on_all_its_devices_until_it_is_seen_on_one() {
    with_browsers(async |site, browsers| {
        let (desk, phone) = (browsers.open().await, browsers.open().await);
        desk.visit(site, "/register/?next=/chat/lobby/").await;
        desk.fill("#username-input", "Ada").await;
        desk.fill("#password-input", PASSWORD).await;
        desk.write("#password_again-input", PASSWORD).await;
        desk.until("document.querySelector('#chat-log .welcome')").await;
        desk.say("first").await;
        desk.until_heard("first").await;
        let read =
            "fetch('/api/rooms/').then((r) => r.json()).then((rooms) => { window.read = rooms[0]?.read; })";
        until_asked(&desk, read, "window.read === 1").await;
        desk.visit(site, "/chat/").await;
        let mut eve = Client::enter(site, "lobby", "Eve").await;
        for text in ["second", "third"] {
            eve.send(json!({"message": text})).await;
            eve.next().await;
        }
        phone.visit(site, "/login/?next=/chat/").await;
        phone.fill("#username-input", "Ada").await;
        phone.write("#password-input", PASSWORD).await;
        for device in [&phone, &desk] {
            device.until("document.querySelector('#recent-list .count')?.textContent === '2'").await;
        }
        phone.click("#recent-list a").await;
        phone.until("document.querySelector('.divider + [data-id=\"2\"]')").await;
        assert_eq!(phone.heard().await, json!(["first", "second", "third"]));
        desk.until(
            "document.querySelector('#recent-list li') && !document.querySelector('#recent-list .count')",
        )
        .await;
    })
    .await;
}

#[tokio::test]
async fn a_guest_finds_what_was_said_since_in_the_list_and_behind_a_divider() {
    with_browsers(async |site, browsers| {
        let ada = browsers.open().await;
        // The room is empty when she comes.
        ada.enter(site, "/chat/lobby/", "Ada").await;
        ada.say("first").await;
        ada.until_heard("first").await;
        // It is seen in the next frame, and the page left within the time for which marks wait.
        until_asked(&ada, "requestAnimationFrame(() => { window.seen = true; })", "window.seen").await;
        ada.visit(site, "/chat/").await;
        ada.until("JSON.parse(localStorage.getItem('narrows.read'))?.lobby?.id === 1").await;
        let mut eve = Client::enter(site, "lobby", "Eve").await;
        eve.send(json!({"message": "second"})).await;
        eve.next().await;
        ada.visit(site, "/chat/").await;
        ada.until("document.querySelector('#recent-list .count')?.textContent === '1'").await;
        ada.click("#recent-list a").await;
        ada.until("document.querySelector('.divider + [data-id=\"2\"]')").await;
    })
    .await;
}

/// Asks the server again and again, until what it says makes the condition true.
async fn until_asked(tab: &Tab, ask: &str, condition: &str) {
    while tab.value(&format!("{ask}, {condition}")).await != Value::Bool(true) {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
