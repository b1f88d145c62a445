//! Ends by message: who is named is closed, wherever it is, and nobody else.

use std::sync::Arc;
use std::time::Duration;

use narrows::layer::MemoryLayer;
use narrows::serve::Server;
use narrows::serve::settings::Settings;
use narrows::testing::TestServer;
use narrows::{Cause, Channels, DropReason, Group, Identity};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::kit::{connect, forgotten, identity};
use crate::gated_layer::GatedLayer;
use crate::site::{Ask, Site, app, ask_echo, said};

fn notices() -> Group<Value> {
    Group::new("narrows.ends").unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_session_that_ends_closes_its_connections_and_no_others() {
    let mut site = Site::new();
    let (mut ada, mut tab) = (site.connect_as("a", "1").await, site.connect_as("a", "1").await);
    let (mut phone, mut bob) = (site.connect_as("b", "1").await, site.connect().await);
    assert_eq!(site.channels.stats().identities, 3);
    site.channels.end_session("a").await.unwrap();
    assert_eq!(ada.expect_close(4401).await, "session ended");
    assert_eq!(tab.expect_close(4401).await, "session ended");
    for client in [&mut phone, &mut bob] {
        client.send(&ask_echo("here")).await;
        client.expect(&said("here")).await;
    }
    let end = site.end().await;
    assert_eq!((end.code, end.reason.as_str(), end.cause), (4401, "session ended", Cause::SessionEnded));
    assert_eq!((site.channels.stats().identities, site.channels.stats().ended_by_notice), (1, 2));
}

#[tokio::test(start_paused = true)]
async fn a_user_that_ends_loses_every_session_but_the_excepted_one() {
    let site = Site::new();
    let mut mine = site.connect_as("mine", "1").await;
    let mut others = [site.connect_as("b", "1").await, site.connect_as("c", "1").await];
    let mut token = connect(&site.server, Identity::new().with_user("1")).await;
    let mut bob = site.connect_as("d", "2").await;
    site.channels.end_user_except("1", "mine").await.unwrap();
    for client in others.iter_mut().chain([&mut token]) {
        client.expect_close(4401).await;
    }
    mine.send(&ask_echo("still here")).await;
    mine.expect(&said("still here")).await;
    site.channels.end_user("1").await.unwrap();
    mine.expect_close(4401).await;
    bob.send(&ask_echo("another")).await;
    bob.expect(&said("another")).await;
}

#[tokio::test(start_paused = true)]
async fn a_session_is_not_taken_for_a_user_with_the_same_name() {
    let site = Site::new();
    let mut session = connect(&site.server, Identity::new().with_session("7")).await;
    let mut user = connect(&site.server, Identity::new().with_user("7")).await;
    site.channels.end_session("7").await.unwrap();
    session.expect_close(4401).await;
    user.send(&ask_echo("here")).await;
    user.expect(&said("here")).await;
    site.channels.end_user("7").await.unwrap();
    user.expect_close(4401).await;
    forgotten(&site.channels).await;
}

#[tokio::test]
async fn an_end_reaches_every_shard_of_every_node() {
    let layer = MemoryLayer::new();
    let node = || Channels::builder().shards(2).layer(layer.another_node()).build();
    let (here, there) = (node(), node());
    let servers = [&here, &there].map(|node| app(node, |bots| bots)).map(|(app, _)| TestServer::new(app));
    let mut clients = Vec::new();
    for n in 0..16 {
        clients.push(connect(&servers[n % 2], identity(&format!("{}", n / 8), "1")).await);
    }
    here.end_session("0").await.unwrap();
    for client in &mut clients[..8] {
        client.expect_close(4401).await;
    }
    assert_eq!((here.stats().ended_by_notice, there.stats().ended_by_notice), (4, 4));
    here.end_user("1").await.unwrap();
    for client in &mut clients[8..] {
        client.expect_close(4401).await;
    }
    forgotten(&here).await;
    forgotten(&there).await;
}

#[tokio::test(start_paused = true)]
async fn a_client_is_closed_at_once_while_a_handler_of_its_connection_waits() {
    let mut site = Site::new();
    let mut ada = site.connect_as("a", "1").await;
    ada.send(&Ask::Sleep { millis: 5000 }).await;
    // The handler begins.
    tokio::time::sleep(Duration::from_millis(1)).await;
    let start = Instant::now();
    site.channels.end_session("a").await.unwrap();
    assert_eq!(ada.expect_close(4401).await, "session ended");
    assert!(start.elapsed() < Duration::from_millis(50), "{:?}", start.elapsed());
    // The handler goes on to its end, and only then is its consumer told.
    assert_eq!(site.end().await.cause, Cause::SessionEnded);
    let after = start.elapsed().as_millis();
    assert!((4900..5100).contains(&after), "{after} ms");
    site.no_further_end().await;
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_never_ends_is_dropped_after_its_last_while() {
    let mut site = Site::new();
    let mut ada = site.connect_as("a", "1").await;
    ada.send(&Ask::Sleep { millis: 3_600_000 }).await;
    // The handler begins.
    tokio::time::sleep(Duration::from_millis(1)).await;
    let start = Instant::now();
    site.channels.end_session("a").await.unwrap();
    ada.expect_close(4401).await;
    let end = site.end().await;
    assert_eq!((end.code, end.cause), (4401, Cause::SessionEnded));
    assert!((9..12).contains(&start.elapsed().as_secs()), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn what_a_client_sent_before_the_end_is_not_handled_after_it() {
    let mut site = Site::new();
    let mut watcher = site.server.connect("/watch/lobby").await;
    let mut ada = site.connect_as("a", "1").await;
    // One piece, so that all of it is here when the first handler waits.
    let asks = [json!({"do": "sleep", "millis": 1000}), json!({"do": "say", "text": "not any more"})];
    let frames = asks.iter().flat_map(|ask| masked(&ask.to_string())).collect::<Vec<_>>();
    ada.send_raw(frames).await;
    tokio::time::sleep(Duration::from_millis(1)).await;
    site.channels.end_session("a").await.unwrap();
    ada.expect_close(4401).await;
    assert_eq!(site.end().await.cause, Cause::SessionEnded);
    watcher.expect_nothing().await;
}

/// A text frame of a client, with a mask of zeros.
fn masked(text: &str) -> Vec<u8> {
    assert!(text.len() < 126);
    [&[0x81, 0x80 | text.len() as u8, 0, 0, 0, 0], text.as_bytes()].concat()
}

#[tokio::test(start_paused = true)]
async fn a_session_that_ends_during_a_drain_does_not_wait_for_the_handler() {
    let mut site = Site::new();
    let mut ada = site.connect_as("a", "1").await;
    ada.send(&Ask::Sleep { millis: 60_000 }).await;
    // The handler begins.
    tokio::time::sleep(Duration::from_millis(1)).await;
    site.channels.drain(Duration::ZERO).await;
    let start = Instant::now();
    site.channels.end_session("a").await.unwrap();
    ada.expect_close(4401).await;
    assert!(start.elapsed() < Duration::from_millis(50), "{:?}", start.elapsed());
    assert_eq!(site.end().await.cause, Cause::SessionEnded);
}

#[tokio::test(start_paused = true)]
async fn a_notice_that_is_not_understood_is_counted_and_ends_nobody() {
    let site = Site::new();
    let mut ada = site.connect_as("a", "1").await;
    let bad = [
        json!({"type": "session.begin", "session": "a"}),
        json!({"type": "session.end", "session": "a"}),
        json!({"type": "user.end"}),
        json!({"type": "user.end", "user": "1", "except": "a"}),
        json!({}),
    ];
    for notice in &bad {
        site.channels.broadcast(&notices(), notice).await.unwrap();
    }
    ada.send(&ask_echo("here")).await;
    ada.expect(&said("here")).await;
    assert_eq!(site.channels.stats().dropped(DropReason::Undecodable), bad.len() as u64);
    // The same node still understands others.
    site.channels.broadcast(&notices(), &json!({"type": "user.end", "user": 1})).await.unwrap();
    ada.expect_close(4401).await;
}

#[tokio::test(start_paused = true)]
async fn a_session_key_is_never_on_the_layer() {
    let layer = MemoryLayer::new();
    let site = Site::with(|node| node.layer(layer.another_node()), |bots| bots);
    let seen = Arc::new(std::sync::Mutex::new(Vec::new()));
    let faulty = narrows::testing::FaultyLayer::new(layer.another_node());
    let (faults, seen_here) = (faulty.faults(), seen.clone());
    faults.drop_if(move |topic, payload| {
        seen_here.lock().unwrap().push((topic.name().to_owned(), payload.to_vec()));
        false
    });
    let other = Site::with(|node| node.layer(faulty), |bots| bots);
    let _client = other.connect_as("x", "x").await;
    site.channels.end_session("very-secret").await.unwrap();
    site.channels.end_user_except("1", "very-secret").await.unwrap();
    let seen = seen.lock().unwrap();
    assert_eq!(seen.len(), 2);
    let secret = b"very-secret";
    assert!(seen.iter().all(|(topic, _)| topic == "narrows.ends"));
    assert!(seen.iter().all(|(_, payload)| !payload.windows(secret.len()).any(|part| part == secret)));
}

#[tokio::test(start_paused = true)]
async fn a_node_asks_for_the_notices_with_its_first_identity_and_keeps_them() {
    let layer = GatedLayer::open();
    let site = Site::with(|node| node.layer(layer.clone()), |bots| bots);
    let wants = || layer.calls().iter().filter(|call| call.contains("narrows.ends")).count();
    let _bob = site.connect().await;
    assert_eq!(wants(), 0, "nobody has an identity: {:?}", layer.calls());
    let ada = site.connect_as("a", "1").await;
    assert_eq!(wants(), 1);
    ada.abort();
    forgotten(&site.channels).await;
    let _ada = site.connect_as("b", "1").await;
    assert_eq!(wants(), 1, "subscribed once: {:?}", layer.calls());
}

#[tokio::test]
async fn a_server_that_ends_wants_the_notices_no_longer() {
    let layer = GatedLayer::open();
    let channels = Channels::builder().shards(1).layer(layer.clone()).build();
    let (router, _ends) = app(&channels, |bots| bots);
    let client = connect(&TestServer::new(router.clone()), identity("a", "1")).await;
    let mut settings = Settings::default();
    settings.bind = vec!["127.0.0.1:0".to_owned()];
    let server = Server::new(router, &channels, &settings).listen().await.unwrap();
    drop(client);
    server.run_until(std::future::ready(())).await;
    layer.called("unsubscribe from group narrows.ends").await;
}

#[tokio::test(start_paused = true)]
async fn nothing_is_left_of_a_connection_whichever_way_it_ends() {
    let site = Site::new();
    for ask in [Ask::Panic, Ask::Fail, Ask::Close { code: 4000, reason: "bye".to_owned() }] {
        let mut client = site.connect_as("a", "1").await;
        client.send(&ask).await;
        forgotten(&site.channels).await;
    }
    site.connect_as("a", "1").await.abort();
    forgotten(&site.channels).await;
    site.connect_as("a", "1").await.close(1000, "").await;
    forgotten(&site.channels).await;
    let mut panics = site.connect_as("a", "1").await;
    panics.send(&Ask::Close { code: 4000, reason: "panic in disconnect".to_owned() }).await;
    forgotten(&site.channels).await;
    site.channels.drain(Duration::ZERO).await;
    let refused = site.server.connect_request("/ws/lobby").extension(identity("a", "1")).try_connect().await;
    assert_eq!(refused.unwrap_err().status(), 503);
    forgotten(&site.channels).await;
}

#[tokio::test]
async fn ends_while_connections_come_and_go_reach_all_that_were_there() {
    let channels = Channels::builder().shards(2).build();
    let (router, mut ends) = app(&channels, |bots| bots);
    let server = Arc::new(TestServer::new(router));
    let coming = (0..8).map(|lane| {
        let server = server.clone();
        tokio::spawn(async move {
            for n in 0..40 {
                let user = format!("{}", (lane + n) % 3);
                let request = server.connect_request("/ws/lobby").extension(identity(&format!("{n}"), &user));
                // One that ended on its way is refused.
                if let Ok(client) = request.try_connect().await
                    && n % 2 == 0
                {
                    client.abort();
                }
            }
        })
    });
    let coming: Vec<_> = coming.collect();
    while !coming.iter().all(tokio::task::JoinHandle::is_finished) {
        for user in ["0", "1", "2"] {
            channels.end_user(user).await.unwrap();
        }
        tokio::task::yield_now().await;
    }
    forgotten(&channels).await;
    let (mut accepted, stats) = (0, channels.stats());
    while accepted < stats.accepted {
        tokio::time::timeout(Duration::from_secs(60), ends.recv()).await.expect("an end").unwrap();
        accepted += 1;
    }
    assert_eq!((stats.accepted + stats.refused, stats.identities), (320, 0));
    assert!(stats.ended_by_notice > 0);
}

#[tokio::test(start_paused = true)]
async fn a_user_with_thousands_of_connections_is_ended_whole() {
    let site = Site::new();
    let mut clients = Vec::new();
    for n in 0..1000 {
        clients.push(site.connect_as(&format!("{}", n % 10), "1").await);
    }
    site.channels.end_session("3").await.unwrap();
    for n in (0..1000).filter(|n| n % 10 == 3) {
        clients[n].expect_close(4401).await;
    }
    assert_eq!(site.channels.stats().ended_by_notice, 100);
    site.channels.end_user("1").await.unwrap();
    for n in (0..1000).filter(|n| n % 10 != 3) {
        clients[n].expect_close(4401).await;
    }
    assert_eq!(site.channels.stats().ended_by_notice, 1000);
    forgotten(&site.channels).await;
}
