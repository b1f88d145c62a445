//! Ends by id.

use std::time::Duration;

use narrows::Cause;
use narrows::live::LiveFilter;
use tokio::time::Instant;

use super::listing::{list, listed};
use crate::site::{Ask, Site, ask_echo, said};

#[tokio::test(start_paused = true)]
async fn an_end_closes_its_connection_with_4403_and_the_reason_and_no_other() {
    let mut site = Site::new();
    let (mut ada, mut bob) = (site.connect_as("a", "1").await, site.connect_as("b", "2").await);
    listed(&site.channels, 2).await;
    let page = list(&site.channels, LiveFilter::new().user("1")).await;
    assert!(site.channels.live().end(page.connections[0].id, "that was enough").await.unwrap());
    assert_eq!(ada.expect_close(4403).await, "that was enough");
    let end = site.end().await;
    assert_eq!((end.code, end.reason.as_str(), end.cause), (4403, "that was enough", Cause::Ended));
    bob.send(&ask_echo("here")).await;
    bob.expect(&said("here")).await;
}

#[tokio::test(start_paused = true)]
async fn an_id_whose_connection_is_gone_ends_nobody_also_not_the_next_in_its_place() {
    let site = Site::new();
    for _ in 0..20 {
        let first = site.connect().await;
        let id = listed(&site.channels, 1).await.connections[0].id;
        first.abort();
        listed(&site.channels, 0).await;
        let mut next = site.connect().await;
        assert_ne!(listed(&site.channels, 1).await.connections[0].id, id);
        assert!(!site.channels.live().end(id, "").await.unwrap());
        next.send(&ask_echo("here")).await;
        next.expect(&said("here")).await;
        next.abort();
        listed(&site.channels, 0).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_second_end_finds_nobody_and_the_consumer_is_told_once() {
    let mut site = Site::new();
    let mut ada = site.connect().await;
    let id = listed(&site.channels, 1).await.connections[0].id;
    let live = site.channels.live();
    let (first, second) = tokio::join!(live.end(id, "one"), live.end(id, "two"));
    assert_eq!((first.unwrap(), second.unwrap()), (true, false));
    assert_eq!(ada.expect_close(4403).await, "one");
    assert_eq!(site.end().await.cause, Cause::Ended);
    site.no_further_end().await;
}

#[tokio::test(start_paused = true)]
async fn a_client_is_closed_at_once_while_a_handler_of_its_connection_waits() {
    let mut site = Site::new();
    let mut ada = site.connect().await;
    let id = listed(&site.channels, 1).await.connections[0].id;
    ada.send(&Ask::Sleep { millis: 5000 }).await;
    // The handler begins.
    tokio::time::sleep(Duration::from_millis(1)).await;
    let start = Instant::now();
    assert!(site.channels.live().end(id, "now").await.unwrap());
    assert_eq!(ada.expect_close(4403).await, "now");
    assert!(start.elapsed() < Duration::from_millis(50), "{:?}", start.elapsed());
    assert_eq!(site.end().await.cause, Cause::Ended);
    let after = start.elapsed().as_millis();
    assert!((4900..5100).contains(&after), "{after} ms");
    site.no_further_end().await;
}

#[tokio::test(start_paused = true)]
async fn what_a_client_sent_before_the_end_is_not_handled_after_it() {
    let mut site = Site::new();
    let mut watcher = site.server.connect("/watch/lobby").await;
    let mut ada = site.connect().await;
    listed(&site.channels, 2).await;
    let id = list(&site.channels, LiveFilter::new().path("/ws/")).await.connections[0].id;
    let asks = [r#"{"do":"sleep","millis":1000}"#, r#"{"do":"say","text":"not any more"}"#];
    ada.send_raw(asks.iter().flat_map(|ask| masked(ask)).collect::<Vec<_>>()).await;
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert!(site.channels.live().end(id, "").await.unwrap());
    ada.expect_close(4403).await;
    assert_eq!(site.end().await.cause, Cause::Ended);
    watcher.expect_nothing().await;
}

/// A text frame of a client, with a mask of zeros.
fn masked(text: &str) -> Vec<u8> {
    assert!(text.len() < 126);
    [&[0x81, 0x80 | text.len() as u8, 0, 0, 0, 0], text.as_bytes()].concat()
}

#[tokio::test(start_paused = true)]
async fn a_long_reason_is_cut_between_two_characters() {
    let site = Site::new();
    let mut ada = site.connect().await;
    let id = listed(&site.channels, 1).await.connections[0].id;
    assert!(site.channels.live().end(id, &"é".repeat(5000)).await.unwrap());
    assert_eq!(ada.expect_close(4403).await, "é".repeat(61));
}

#[tokio::test(start_paused = true)]
async fn a_drain_that_begins_behind_an_end_does_not_take_its_place() {
    let mut site = Site::new();
    let mut ada = site.connect().await;
    let id = listed(&site.channels, 1).await.connections[0].id;
    ada.send(&Ask::Sleep { millis: 60_000 }).await;
    // The handler begins.
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert!(site.channels.live().end(id, "gone").await.unwrap());
    site.channels.drain(Duration::ZERO).await;
    assert_eq!(ada.expect_close(4403).await, "gone");
    assert_eq!(site.end().await.cause, Cause::Ended);
}

#[tokio::test]
async fn connections_that_come_and_go_while_they_are_listed_and_ended_confuse_nobody() {
    let site = Site::new();
    let stays = site.connect_as("stays", "0").await;
    listed(&site.channels, 1).await;
    for round in 0..30 {
        let mut clients = Vec::new();
        for n in 0..5 {
            clients.push(site.connect_as(&format!("{round}-{n}"), "1").await);
        }
        let page = list(&site.channels, LiveFilter::new().user("1")).await;
        // Some go by themselves just now, some are ended, some are both.
        clients.drain(..3).for_each(narrows::testing::TestClient::abort);
        let live = site.channels.live();
        let ends = page.connections.iter().map(|one| live.end(one.id, "round"));
        for ended in futures_util::future::join_all(ends).await {
            ended.unwrap();
        }
        for mut client in clients {
            client.expect_close(4403).await;
        }
        assert_eq!(listed(&site.channels, 1).await.connections[0].user.as_deref(), Some("0"));
    }
    drop(stays);
}
