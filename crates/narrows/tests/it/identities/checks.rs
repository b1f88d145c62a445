//! Ends by time and by check: when an identity is checked, how many at once, and what follows from the answer.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use narrows::layer::MemoryLayer;
use narrows::testing::{FaultyLayer, TestClient};
use narrows::{Cause, Gap, Group, Identity};
use serde_json::Value;
use tokio::runtime::Handle;
use tokio::time::Instant;

use super::kit::{Mood, Roll, connect, forgotten, identity, left, listens};
use crate::site::{Site, ask_echo, said};

const HOUR: Duration = Duration::from_secs(3600);

fn checked(user: &str, roll: &Arc<Roll>) -> Identity {
    identity(user, user).checked_by(roll.clone(), "")
}

fn in_an_hour() -> SystemTime {
    SystemTime::now() + HOUR
}

/// A site that checks only when something happens.
async fn without_turns() -> Site {
    let site = Site::with(|node| node.identity_check_period(Duration::ZERO), |bots| bots);
    listens(&site).await;
    site
}

/// A site that checks once a minute.
async fn with_turns() -> Site {
    let site = Site::new();
    listens(&site).await;
    site
}

async fn is_open(client: &mut TestClient) {
    client.send(&ask_echo("here")).await;
    client.expect(&said("here")).await;
}

/// Waits for the close, which is to come so much later, to a second.
async fn closes_after(client: &mut TestClient, start: Instant, time: Duration) {
    client.receive_timeout(Duration::from_secs(100_000));
    client.expect_close(4401).await;
    let after = start.elapsed();
    assert!(after >= time.saturating_sub(Duration::from_millis(100)), "{after:?}, not {time:?}");
    assert!(after <= time + Duration::from_millis(1100), "{after:?}, not {time:?}");
}

#[tokio::test(start_paused = true)]
async fn a_time_that_is_over_ends_a_connection_without_a_check() {
    let mut site = with_turns().await;
    let start = Instant::now();
    let mut ada = connect(&site.server, identity("a", "1").until(in_an_hour())).await;
    let mut bob = connect(&site.server, identity("b", "2")).await;
    closes_after(&mut ada, start, HOUR).await;
    assert_eq!(site.end().await.cause, Cause::SessionEnded);
    assert_eq!(site.channels.stats().ended_by_expiry, 1);
    is_open(&mut bob).await;
}

#[tokio::test(start_paused = true)]
async fn a_time_that_is_over_already_refuses_the_handshake_and_one_too_far_away_never_comes() {
    let site = with_turns().await;
    let mut far = connect(&site.server, identity("b", "2").until(in_an_hour() + HOUR * 10_000_000)).await;
    let past = identity("a", "1").until(SystemTime::UNIX_EPOCH);
    let refused = site.server.connect_request("/ws/lobby").extension(past).try_connect().await;
    assert_eq!(refused.unwrap_err().status(), 401);
    tokio::time::sleep(HOUR * 10).await;
    is_open(&mut far).await;
}

#[tokio::test(start_paused = true)]
async fn a_check_is_asked_when_the_time_is_over_and_moves_it() {
    let (site, roll) = (without_turns().await, Roll::new());
    let start = Instant::now();
    let mut ada = connect(&site.server, checked("ada", &roll).until(in_an_hour())).await;
    roll.hold_for(HOUR);
    tokio::time::sleep_until(start + HOUR * 3 / 2).await;
    assert_eq!(roll.calls(), [["ada"]], "once, after the first hour");
    is_open(&mut ada).await;
    roll.end("ada");
    closes_after(&mut ada, start, HOUR * 2).await;
    assert_eq!(roll.calls().len(), 2);
    assert_eq!((site.channels.stats().ended_by_expiry, site.channels.stats().ended_by_check), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn an_identity_that_holds_without_a_time_is_not_asked_about_again() {
    let (site, roll) = (without_turns().await, Roll::new());
    let mut ada = connect(&site.server, checked("ada", &roll).until(in_an_hour())).await;
    tokio::time::sleep(HOUR * 10).await;
    assert_eq!(roll.calls().len(), 1);
    is_open(&mut ada).await;
}

#[tokio::test(start_paused = true)]
async fn a_check_that_says_a_time_of_the_past_is_not_asked_in_a_busy_loop() {
    let (site, roll) = (without_turns().await, Roll::new());
    roll.hold_for(Duration::ZERO);
    let mut ada = connect(&site.server, checked("ada", &roll).until(SystemTime::now())).await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert!((8..=14).contains(&roll.calls().len()), "{} calls", roll.calls().len());
    is_open(&mut ada).await;
}

#[tokio::test(start_paused = true)]
async fn times_that_are_over_in_the_same_second_are_asked_about_together() {
    let (site, roll) = (without_turns().await, Roll::new());
    // A second's fraction decides into which of two seconds each falls.
    let mut clients = Vec::new();
    for n in 0..100 {
        let until = in_an_hour() + Duration::from_millis(n * 10);
        clients.push(connect(&site.server, checked(&n.to_string(), &roll).until(until)).await);
    }
    tokio::time::sleep(HOUR + Duration::from_secs(4)).await;
    assert!(roll.calls().len() <= 4, "{} calls", roll.calls().len());
    assert_eq!(roll.calls().iter().map(Vec::len).sum::<usize>(), 100);
}

#[tokio::test(start_paused = true)]
async fn a_check_that_fails_when_the_time_is_over_is_asked_again_after_some_seconds() {
    let (site, roll) = (without_turns().await, Roll::new());
    let start = Instant::now();
    roll.is(Mood::Fails);
    roll.end("ada");
    let mut ada = connect(&site.server, checked("ada", &roll).until(in_an_hour())).await;
    tokio::time::sleep_until(start + HOUR + Duration::from_secs(60)).await;
    let calls = roll.calls().len();
    assert!((10..=14).contains(&calls), "{calls} calls in a minute");
    assert_eq!(site.channels.stats().failed_checks, calls as u64);
    is_open(&mut ada).await;
    roll.is(Mood::Answers);
    ada.receive_timeout(Duration::from_secs(7));
    ada.expect_close(4401).await;
}

#[tokio::test(start_paused = true)]
async fn all_are_checked_once_a_minute_and_those_that_ended_are_closed() {
    let (mut site, roll) = (with_turns().await, Roll::new());
    let start = Instant::now();
    let mut ada = connect(&site.server, checked("ada", &roll)).await;
    let mut bob = connect(&site.server, checked("bob", &roll)).await;
    let mut eve = connect(&site.server, identity("eve", "eve")).await;
    roll.called(2).await;
    assert_eq!(start.elapsed().as_secs(), 120);
    assert_eq!(roll.calls(), [["ada", "bob"], ["ada", "bob"]]);
    roll.end("bob");
    roll.end("eve");
    closes_after(&mut bob, start, Duration::from_secs(180)).await;
    assert_eq!(site.end().await.cause, Cause::SessionEnded);
    assert_eq!(site.channels.stats().ended_by_check, 1);
    is_open(&mut ada).await;
    is_open(&mut eve).await;
}

#[tokio::test(start_paused = true)]
async fn equal_identities_are_asked_about_once_and_end_together() {
    let (site, roll) = (with_turns().await, Roll::new());
    let mut tabs = Vec::new();
    for _ in 0..30 {
        tabs.push(connect(&site.server, checked("ada", &roll)).await);
    }
    let other_proof = identity("ada", "ada").checked_by(roll.clone(), "another password");
    tabs.push(connect(&site.server, other_proof).await);
    roll.end("ada");
    roll.called(1).await;
    assert_eq!(roll.calls()[0], ["ada", "ada"], "two proofs");
    for tab in &mut tabs {
        tab.expect_close(4401).await;
    }
    assert_eq!(site.channels.stats().ended_by_check, 31);
}

#[tokio::test(start_paused = true)]
async fn a_check_that_gives_no_proper_answer_keeps_all_until_the_next_turn() {
    for mood in [Mood::Fails, Mood::Panics, Mood::SaysTooLittle, Mood::Hangs] {
        let (site, roll) = (with_turns().await, Roll::new());
        roll.is(mood);
        let mut ada = connect(&site.server, checked("ada", &roll)).await;
        let mut bob = connect(&site.server, checked("bob", &roll)).await;
        roll.end("bob");
        roll.called(1).await;
        tokio::time::sleep(Duration::from_secs(15)).await;
        assert_eq!(site.channels.stats().failed_checks, 1, "{mood:?}");
        is_open(&mut bob).await;
        roll.is(Mood::Answers);
        closes_after(&mut bob, Instant::now(), Duration::from_secs(45)).await;
        is_open(&mut ada).await;
        assert_eq!(roll.calls().len(), 2, "{mood:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_check_that_hangs_delays_neither_times_nor_other_checks_for_long() {
    let (site, hangs, roll) = (with_turns().await, Roll::new(), Roll::new());
    let start = Instant::now();
    hangs.is(Mood::Hangs);
    let _stuck = connect(&site.server, checked("stuck", &hangs)).await;
    let over = SystemTime::now() + Duration::from_secs(62);
    let mut ada = connect(&site.server, identity("ada", "ada").until(over)).await;
    let mut bob = connect(&site.server, checked("bob", &roll)).await;
    roll.end("bob");
    hangs.called(1).await;
    closes_after(&mut ada, start, Duration::from_secs(62)).await;
    bob.receive_timeout(Duration::from_secs(20));
    bob.expect_close(4401).await;
    assert!(start.elapsed().as_secs() <= 71, "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_user_is_checked_on_demand_and_alone() {
    let (site, roll) = (without_turns().await, Roll::new());
    let mut ada = connect(&site.server, checked("ada", &roll)).await;
    let mut bob = connect(&site.server, checked("bob", &roll)).await;
    tokio::time::sleep(HOUR).await;
    assert!(roll.calls().is_empty());
    roll.end("ada");
    roll.end("bob");
    let start = Instant::now();
    site.channels.check_user("bob").await.unwrap();
    closes_after(&mut bob, start, Duration::ZERO).await;
    assert_eq!(roll.calls(), [["bob"]]);
    is_open(&mut ada).await;
}

#[tokio::test(start_paused = true)]
async fn what_may_have_been_lost_by_the_layer_is_checked_at_once() {
    let layer = FaultyLayer::new(MemoryLayer::new());
    let (faults, roll) = (layer.faults(), Roll::new());
    let site = Site::with(|node| node.layer(layer).identity_check_period(Duration::ZERO), |bots| bots);
    let mut clients = Vec::new();
    for user in ["ada", "bob"] {
        clients.push(connect(&site.server, checked(user, &roll)).await);
    }
    for (client, topic) in clients.iter_mut().zip([Some(()), None]) {
        let user = if topic.is_some() { "ada" } else { "bob" };
        faults.drop_next(1);
        roll.end(user);
        site.channels.end_session(user).await.unwrap();
        let (start, notices) = (Instant::now(), Group::<Value>::new("narrows.ends").unwrap().topic());
        faults.gap(topic.map(|()| &notices), Gap::Overflow);
        closes_after(client, start, Duration::ZERO).await;
    }
    assert_eq!((site.channels.stats().ended_by_notice, site.channels.stats().ended_by_check), (0, 2));
}

#[tokio::test(start_paused = true)]
async fn a_gap_of_another_topic_has_nobody_checked() {
    let layer = FaultyLayer::new(MemoryLayer::new());
    let (faults, roll) = (layer.faults(), Roll::new());
    let site = Site::with(|node| node.layer(layer).identity_check_period(Duration::ZERO), |bots| bots);
    listens(&site).await;
    let _ada = connect(&site.server, checked("ada", &roll)).await;
    faults.gap(Some(&Group::<Value>::everyone().topic()), Gap::Overflow);
    tokio::time::sleep(HOUR).await;
    assert!(roll.calls().is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_keeper_is_there_only_while_it_is_needed() {
    let (site, roll) = (with_turns().await, Roll::new());
    let tasks = || Handle::current().metrics().num_alive_tasks();
    for _ in 0..3 {
        // No check and no time: nothing to look after.
        let bob = connect(&site.server, identity("b", "2")).await;
        let before = tasks();
        // Its client takes tasks of its own; the same without an identity shows how many.
        let plain = site.connect().await;
        let each = tasks() - before;
        let ada = connect(&site.server, checked("ada", &roll)).await;
        assert_eq!(tasks(), before + 2 * each + 1, "the keeper");
        drop((ada, plain));
        tokio::time::sleep(Duration::from_secs(30)).await;
        assert_eq!(tasks(), before);
        drop(bob);
        forgotten(&site.channels).await;
    }
}

#[tokio::test(start_paused = true)]
async fn thousands_of_connections_are_asked_about_in_one_call() {
    let (site, roll) = (with_turns().await, Roll::new());
    let mut clients = Vec::new();
    for n in 0..2000 {
        clients.push(connect(&site.server, checked(&n.to_string(), &roll)).await);
    }
    (0..2000).filter(|n| n % 3 == 0).for_each(|n| roll.end(&n.to_string()));
    roll.called(1).await;
    assert_eq!(roll.calls()[0].len(), 2000);
    for n in (0..2000).filter(|n| n % 3 == 0) {
        clients[n].expect_close(4401).await;
    }
    let others = (0..2000).filter(|n| n % 3 != 0).count() as u64;
    left(&site.channels, others).await;
    assert_eq!(site.channels.stats().identities, others);
}
